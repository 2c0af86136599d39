import { createHash, randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { compress } from '../archive/compress.ts';
import { type CpioMember, writeCpio } from '../archive/cpio.ts';
import type { WriteOptions } from '../layout/packager.ts';
import { verifiedContent } from '../layout/tree.ts';
import { hasLargeFiles, type ListedFile } from './file-list.ts';

/** A compressed payload that waits in a file until the headers before it can be written. Digests are SHA-256 in hex. */
export interface SpooledPayload {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly digest: string;
  /** Of the archive before compression. */
  readonly archiveSize: number;
  readonly archiveDigest: string;
}

/** Writes the payload to a new file in the spool folder, which is the caller's to remove unless this throws. */
export async function spoolPayload(files: readonly ListedFile[], options: WriteOptions): Promise<SpooledPayload> {
  const path = join(options.spoolFolder, `payload.${randomBytes(8).toString('hex')}.cpio`);
  const archive = measured(writeCpio(members(files, options), { stripped: hasLargeFiles(files) }));
  const payload = measured(compress(archive.chunks, options.compression, options.signal));
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of payload.chunks) {
      await file.writeFile(chunk);
    }
    await file.close();
  } catch (error) {
    await file.close();
    await rm(path, { force: true });
    throw error;
  }
  return { path, ...payload.facts(), archiveSize: archive.facts().size, archiveDigest: archive.facts().digest };
}

/** Reads the spooled payload back. */
export async function* readSpool(path: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r');
  try {
    for await (const chunk of file.createReadStream({ highWaterMark: 1 << 20, autoClose: false })) {
      signal?.throwIfAborted();
      yield chunk;
    }
  } finally {
    await file.close();
  }
}

function* members(files: readonly ListedFile[], options: WriteOptions): Generator<CpioMember> {
  for (const file of files) {
    if (file.entry.role !== 'ghost') {
      const { path, mtime } = file.entry;
      yield {
        header: { name: `.${path}`, mode: file.mode, mtime, inode: file.index + 1 },
        index: file.index,
        size: file.size,
        content: content(file, options),
      };
    }
  }
}

async function* content({ entry }: ListedFile, { objects, onBytes }: WriteOptions): AsyncGenerator<Uint8Array> {
  if (entry.kind === 'symlink') {
    yield Buffer.from(entry.target);
  }
  if (entry.kind === 'file') {
    for await (const chunk of verifiedContent(entry.content, objects)) {
      onBytes?.(chunk.length);
      yield chunk;
    }
  }
}

/** The same chunks, their count of bytes and SHA-256 known once they have passed. */
function measured(source: AsyncIterable<Uint8Array>) {
  const hash = createHash('sha256');
  let size = 0;
  async function* chunks() {
    for await (const chunk of source) {
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  }
  let digest: string | undefined;
  return {
    chunks: chunks(),
    facts: () => {
      digest ??= hash.digest('hex');
      return { size, digest };
    },
  };
}
