/** What is known of a file. */
export interface FileFacts {
  /** Bytes; of a file that is longer than asked for at least one more than that. */
  readonly size: number;
  /** 64 lower-case hex digits; undefined when it was not asked for, or the size is another. */
  readonly sha256: string | undefined;
}

/**
 * A repository, or a copy of one, to look at: a directory, a bucket, a web server. Paths are relative to its root,
 * `/`-separated, and safe (`safePath`). Whatever fails for another reason than that a file is not there is thrown as a
 * KubeparcelError of kind 'network' or 'io'.
 */
export interface RepositoryReader {
  /** For people. */
  readonly name: string;
  /**
   * A file's bytes; undefined when it is not there.
   *
   * @throws KubeparcelError of kind 'format' for one of more than `max` bytes, and for what is no file
   */
  read(path: string, max: number): Promise<Buffer | undefined>;
  /**
   * A file's size, and unless `quick` its digest when it has so many bytes; undefined when it is not there. Memory does
   * not grow with it.
   *
   * @throws KubeparcelError of kind 'format' for what is no file
   */
  examine(path: string, size: number, quick: boolean): Promise<FileFacts | undefined>;
  /** Sizes of all files by path; undefined where nobody can say. */
  list(): Promise<ReadonlyMap<string, number> | undefined>;
  close(): Promise<void>;
}

/**
 * A path that an index states, as readers take it; undefined for one that leads out of the repository or that a terminal
 * would trip over.
 */
export function safePath(text: string): string | undefined {
  const path = text.replace(/^(\.\/)+/, '');
  const parts = path.split('/');
  const bad = parts.some((part) => part === '' || part === '.' || part === '..');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
  return bad || path.length > 4096 || /[\u0000-\u001f\u007f-\u009f\\]/.test(path) ? undefined : path;
}

/** Below a directory of the repository, '' for its root. */
export function below(directory: string, path: string): string {
  return directory === '' ? path : `${directory}/${path}`;
}
