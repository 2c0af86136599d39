import type { ListedFile, Upload } from './plan.ts';

/** A file of the repository that is to be published. */
export interface SourceFile {
  readonly path: string;
  /** Bytes; of a link those of what it says. */
  readonly size: number;
  /** The same for all names of one file; undefined for a file of one name. */
  readonly id: string | undefined;
  /** What a symbolic link says; undefined for a file. */
  readonly link: string | undefined;
}

export type OnPublishEvent = (event: PublishEvent) => void;
export type PublishEvent =
  | { readonly type: 'uploaded'; readonly upload: Upload }
  | { readonly type: 'deleted'; readonly path: string };

export interface PublishContext {
  /** The repository's folder. */
  readonly folder: string;
  readonly signal: AbortSignal | undefined;
  readonly onEvent: OnPublishEvent;
}

/** A place that a repository is published to. */
export interface PublishTarget {
  /** For people: `s3://bucket/prefix`, without any secret. */
  readonly name: string;
  /** Whether it takes a repository with its links, or as a web server shows it. */
  readonly mode: 'source' | 'plain';
  /** What is there and what the repository has, with digests that can be compared. */
  compare(
    files: readonly SourceFile[],
    context: PublishContext,
  ): Promise<{ readonly local: readonly ListedFile[]; readonly remote: readonly ListedFile[] }>;
  /** Paths of all files that are there now. */
  present(context: PublishContext): Promise<ReadonlySet<string>>;
  /** Brings files there, in any order; each appears whole or not at all, unless the target knows no better. */
  upload(uploads: readonly Upload[], context: PublishContext): Promise<void>;
  remove(paths: readonly string[], context: PublishContext): Promise<void>;
  close(): Promise<void>;
}
