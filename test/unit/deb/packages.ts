import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { collect } from '../../../src/archive/chunks.ts';
import { readDeb } from '../../../src/deb/read.ts';
import { debPackager } from '../../../src/deb/write.ts';
import type { ReadPackage, WriteOptions } from '../../../src/layout/packager.ts';
import { type Compression, parseCompression } from '../../../src/model/compression.ts';
import { contentSha256, contentSize } from '../../../src/model/content.ts';
import type { Layout } from '../../../src/model/layout.ts';

export const noObjects: WriteOptions['objects'] = {
  // biome-ignore lint/correctness/useYield: it only throws
  async *open(sha256) {
    throw new Error(`unexpected read of object ${sha256}`);
  },
};

export async function writeBytes(
  layout: Layout,
  directory: string,
  compression: Compression | string = 'gzip:1',
  objects = noObjects,
): Promise<Buffer> {
  const options = {
    compression: typeof compression === 'string' ? parseCompression(compression) : compression,
    objects,
    spoolDirectory: directory,
  };
  return Buffer.from(
    await collect(debPackager.write(layout, options), 1 << 30, () => new Error('the test wrote more than 1 GiB')),
  );
}

export async function readBytes(bytes: Uint8Array, directory: string): Promise<ReadPackage> {
  const path = join(directory, 'package.deb');
  await writeFile(path, bytes);
  return readDeb(path);
}

/** The layout as a reader returns it, with all contents by reference. */
export function byReference(layout: Layout): Layout {
  return {
    ...layout,
    entries: layout.entries.map((entry) =>
      entry.kind === 'file'
        ? {
            ...entry,
            content: { kind: 'stored', sha256: contentSha256(entry.content), size: contentSize(entry.content) },
          }
        : entry,
    ),
  };
}
