import { join } from 'node:path';
import { validateLayout } from '../layout/validate.ts';
import type { Compression } from '../model/compression.ts';
import type { Layout } from '../model/layout.ts';
import { KubeparcelError } from '../support/errors.ts';
import { type WrittenFile, writeAtomically } from '../support/write-atomically.ts';
import { PACKAGERS } from './formats.ts';

/**
 * Writes a keyring package. All of its contents are in memory.
 *
 * @param out an existing directory
 */
export async function writeKeyring(layout: Layout, compression: Compression, out: string): Promise<WrittenFile> {
  validateLayout(layout);
  const packager = PACKAGERS[layout.format];
  return writeAtomically(
    join(out, packager.fileName(layout)),
    packager.write(layout, { compression, objects: NO_OBJECTS, spoolDirectory: out }),
  );
}

const NO_OBJECTS = {
  open: (sha256: string): never => {
    throw new KubeparcelError('io', 'a keyring package has no stored contents', { where: sha256 });
  },
};
