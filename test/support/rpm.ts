import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Compression } from '../../src/model/compression.ts';
import type { ObjectReader } from '../../src/model/content.ts';
import type { Entry, Layout } from '../../src/model/layout.ts';
import { rpmPackager } from '../../src/rpm/write.ts';
import { KubeparcelError } from '../../src/support/errors.ts';
import { writeAtomically } from '../../src/support/write-atomically.ts';

/** Stored contents of a test, by SHA-256. */
export function objectsOf(...contents: readonly Uint8Array[]): ObjectReader {
  const bySha256 = new Map(contents.map((bytes) => [sha256(bytes), bytes]));
  return {
    async *open(digest) {
      const bytes = bySha256.get(digest);
      if (bytes === undefined) {
        throw new KubeparcelError('io', 'no such object', { where: digest });
      }
      for (let at = 0; at < bytes.length; at += 1000) {
        yield bytes.subarray(at, at + 1000);
      }
    },
  };
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Writes the package into a directory. @returns the path */
export async function pack(
  layout: Layout,
  directory: string,
  compression: Compression = { codec: 'gzip', level: 6 },
  objects: ObjectReader = objectsOf(),
): Promise<string> {
  const path = join(directory, rpmPackager.fileName(layout));
  await writeAtomically(path, rpmPackager.write(layout, { compression, objects, spoolDirectory: directory }));
  return path;
}

/** The layout as a reader returns it: contents by digest, no contents of ghosts, relations in rpm's order. */
export function asRead(layout: Layout): Layout {
  const key = (relation: Layout['relations']['depends'][number]) => JSON.stringify(relation);
  const relations = Object.entries(layout.relations).map(([kind, list]) => [
    kind,
    [...list].sort((a, b) => (key(a) < key(b) ? -1 : 1)),
  ]);
  return { ...layout, relations: Object.fromEntries(relations), entries: layout.entries.map(entryAsRead) };
}

function entryAsRead(entry: Entry): Entry {
  if (entry.kind !== 'file' || entry.content.kind === 'stored') {
    return entry;
  }
  const bytes = entry.role === 'ghost' ? new Uint8Array(0) : entry.content.bytes;
  return { ...entry, content: { kind: 'stored', sha256: sha256(bytes), size: bytes.length } };
}
