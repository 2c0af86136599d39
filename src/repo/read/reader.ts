import { KubeparcelError } from '../../support/errors.ts';

export interface FileFacts {
  /** Bytes. For a file longer than expected, any larger number. */
  readonly size: number;
  /** 64 lower-case hex digits; undefined if it was not requested or the size differs. */
  readonly sha256: string | undefined;
}

/**
 * Read access to a repository or a published copy: a directory, a bucket or a web server. Paths are relative to its root,
 * `/`-separated, and safe (`safePath`). Failures other than a missing file are KubeparcelErrors of kind 'network' or 'io'.
 */
export interface RepositoryReader {
  /** For messages. */
  readonly name: string;
  /**
   * Reads a file; undefined if it does not exist.
   *
   * @throws KubeparcelError of kind 'format' if it has more than `max` bytes or is not a regular file
   */
  read(path: string, max: number): Promise<Buffer | undefined>;
  /**
   * Returns the size of a file and, unless `quick`, its digest if it has the given size; undefined if it does not exist.
   * Memory use does not depend on its size.
   *
   * @throws KubeparcelError of kind 'format' if it is not a regular file
   */
  examine(path: string, size: number, quick: boolean): Promise<FileFacts | undefined>;
  /** Sizes of all files by path; undefined if files cannot be listed. */
  list(): Promise<ReadonlyMap<string, number> | undefined>;
  close(): Promise<void>;
}

export function tooLarge(path: string, max: number, cause?: unknown): KubeparcelError {
  return new KubeparcelError('format', `larger than ${max} bytes`, { where: path, cause });
}

/** Normalizes a path from an index; undefined if it leaves the repository or contains control characters. */
export function safePath(text: string): string | undefined {
  const path = text.replace(/^(\.\/)+/, '');
  const hasBadSegment = path.split('/').some((segment) => segment === '' || segment === '.' || segment === '..');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: rejects control characters
  return hasBadSegment || path.length > 4096 || /[\u0000-\u001f\u007f-\u009f\\]/.test(path) ? undefined : path;
}

/** @param directory in the repository; '' for its root */
export function below(directory: string, path: string): string {
  return directory === '' ? path : `${directory}/${path}`;
}
