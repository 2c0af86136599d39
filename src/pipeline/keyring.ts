import { join } from 'node:path';
import type { Compression } from '../archive/codec.ts';
import type { Layout } from '../layout/layout.ts';
import { validateLayout } from '../layout/validate.ts';
import { KubeparcelError } from '../support/errors.ts';
import { type WrittenFile, writeAtomically } from '../support/write-atomically.ts';
import { PACKAGERS } from './formats.ts';

/**
 * Writes the keyring package, whose few bytes are all in memory.
 *
 * @param out folder, which must be there
 */
export async function writeKeyring(layout: Layout, compression: Compression, out: string): Promise<WrittenFile> {
  validateLayout(layout);
  const packager = PACKAGERS[layout.format];
  return writeAtomically(
    join(out, packager.fileName(layout)),
    packager.write(layout, { compression, objects: NO_OBJECTS, spoolFolder: out }),
  );
}

const NO_OBJECTS = {
  open: (sha256: string): never => {
    throw new KubeparcelError('io', 'a keyring has no stored contents', { where: sha256 });
  },
};
