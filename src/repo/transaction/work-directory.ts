import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pLimit from 'p-limit';
import { syncDirectory } from '../../support/file-system.ts';

const CONCURRENCY = 16;

/** New files of a change, written under numbers until the journal moves them into place. */
export class WorkDirectory {
  readonly #repository: string;
  readonly #path: string;
  readonly #limit = pLimit(CONCURRENCY);
  readonly #writes: Promise<void>[] = [];

  private constructor(repository: string, path: string) {
    this.#repository = repository;
    this.#path = path;
  }

  /** @param path relative to the repository */
  static async create(repository: string, path: string): Promise<WorkDirectory> {
    await mkdir(join(repository, path), { recursive: true });
    return new WorkDirectory(repository, path);
  }

  /** Starts writing a file and returns its path relative to the repository. */
  write(bytes: Uint8Array): string {
    const path = `${this.#path}/${this.#writes.length}`;
    this.#writes.push(this.#limit(() => writeSynced(join(this.#repository, path), bytes)));
    return path;
  }

  /** Waits until all files are on disk. */
  async sync(): Promise<void> {
    await Promise.all(this.#writes);
    const directory = join(this.#repository, this.#path);
    for (const each of [directory, dirname(directory)]) await syncDirectory(each);
  }
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o644);
  try {
    await file.writeFile(bytes);
    // Independent of the umask.
    await file.chmod(0o644);
    await file.sync();
  } finally {
    await file.close();
  }
}
