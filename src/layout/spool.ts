import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';

const CHUNK = 1 << 18;

/** A temporary file for a compressed payload. It has no name on disk, so nothing is left behind if the process is killed. */
export class Spool {
  readonly #file: FileHandle;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async create(directory: string): Promise<Spool> {
    const path = join(directory, `.${randomBytes(8).toString('hex')}.payload`);
    const file = await open(path, 'wx+', 0o600);
    try {
      await rm(path);
    } catch (error) {
      await file.close();
      throw error;
    }
    return new Spool(file);
  }

  /** @returns the number of bytes written */
  async write(chunks: AsyncIterable<Uint8Array>): Promise<number> {
    let size = 0;
    for await (const chunk of chunks) {
      await this.#file.writeFile(chunk);
      size += chunk.length;
    }
    return size;
  }

  /** Reads the file from the beginning; may be called several times. */
  async *read(signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, undefined> {
    for (let position = 0; ; ) {
      signal?.throwIfAborted();
      const { bytesRead, buffer } = await this.#file.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
