import { KubeparcelError } from '../support/errors.ts';
import { type OutputChunk, totalSize } from '../support/output-chunks.ts';
import { byteReader } from './byte-reader.ts';
import type { Chunks } from './chunks.ts';

/** ar(5), common format as in deb(5): member names of up to 15 characters. */
const MAGIC = '!<arch>\n';
const HEADER_LENGTH = 60;
const HEADER_END = '`\n';
const PADDING = 0x0a;
const NAME_MAX = 15;
const SIZE_LIMIT = 10 ** 10;

export interface ArMember {
  readonly name: string;
  /** Bytes of content, up to 9,999,999,999. */
  readonly size: number;
  readonly content: Chunks;
}

/**
 * Writes an archive of regular files with owner root and mode 0644.
 *
 * @param mtime of all members, seconds since 1970-01-01 UTC
 * @throws KubeparcelError of kind 'format' if the name or size of a member exceeds the format's limits
 */
export async function* writeAr(
  members: Iterable<ArMember>,
  mtime: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield Buffer.from(MAGIC);
  for (const { name, size, content } of members) {
    yield memberHeader(name, size, mtime);
    let left = size;
    for await (const chunk of content) {
      left -= chunk.length;
      yield chunk;
    }
    if (left !== 0) {
      throw new Error(`the ar member ${name} has ${size - left} bytes instead of ${size}`);
    }
    yield* padding(size);
  }
}

/** Returns the archive that writeAr writes, as chunks, which may refer to files. */
export function arChunks(
  members: readonly { readonly name: string; readonly chunks: readonly OutputChunk[] }[],
  mtime: number,
): OutputChunk[] {
  const chunks = members.flatMap(({ name, chunks }) => {
    const size = totalSize(chunks);
    return [memberHeader(name, size, mtime), ...chunks, ...padding(size)];
  });
  return [Buffer.from(MAGIC), ...chunks];
}

function memberHeader(name: string, size: number, mtime: number): Uint8Array {
  if (size >= SIZE_LIMIT || name.length > NAME_MAX) {
    throw new KubeparcelError('format', `the ar member ${name} of ${size} bytes exceeds a limit of the format`, {
      hint: size < SIZE_LIMIT ? 'choose a shorter name' : 'use a stronger compression',
    });
  }
  const fields = [name.padEnd(16), String(mtime).padEnd(12), '0'.padEnd(6), '0'.padEnd(6), '100644'.padEnd(8)];
  return Buffer.from(`${fields.join('')}${String(size).padEnd(10)}${HEADER_END}`, 'latin1');
}

/** Members start at even offsets. */
function padding(size: number): Uint8Array[] {
  return size % 2 === 1 ? [Buffer.of(PADDING)] : [];
}

/**
 * Reads the members of an archive in order. Requesting the next member skips unread content of the current one.
 *
 * @throws KubeparcelError of kind 'format' for a damaged or truncated archive
 */
export async function* readAr(
  chunks: Chunks,
): AsyncGenerator<ArMember & { readonly content: AsyncIterable<Uint8Array> }, void, undefined> {
  const reader = byteReader(chunks, () => new KubeparcelError('format', 'the package is truncated'));
  try {
    if (latin1(await reader.exactly(MAGIC.length)) !== MAGIC) {
      throw new KubeparcelError('format', 'not an ar archive');
    }
    while (!(await reader.ended())) {
      const header = latin1(await reader.exactly(HEADER_LENGTH));
      const nameField = /^([!-~]{1,16}) *$/.exec(header.slice(0, 16));
      // Time, owner, group (decimal) and mode (octal) have no meaning in a package.
      const hasValidNumbers = /^\d* *$/.test(header.slice(16, 28)) && /^(\d* *){3}$/.test(header.slice(28, 48));
      const sizeField = /^(\d{1,10}) *$/.exec(header.slice(48, 58));
      const name = nameField?.[1]?.replace(/(?<=.)\/$/, '');
      if (!header.endsWith(HEADER_END) || !hasValidNumbers || sizeField?.[1] === undefined || name === undefined) {
        throw new KubeparcelError('format', 'damaged ar header');
      }
      const length = Number(sizeField[1]);
      const content = reader.stream(length);
      yield { name, size: length, content };
      for await (const _ of content) {
        // Skip unread content.
      }
      if (length % 2 === 1 && (await reader.exactly(1))[0] !== PADDING) {
        throw new KubeparcelError('format', 'damaged ar archive (invalid padding)');
      }
    }
  } finally {
    await reader.close();
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
