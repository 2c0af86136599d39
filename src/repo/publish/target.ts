import type { ListedFile, SourceFile } from '../storage/files.ts';
import type { Upload } from './plan.ts';

export type OnPublishEvent = (event: PublishEvent) => void;
export type PublishEvent =
  | { readonly type: 'uploaded'; readonly upload: Upload }
  | { readonly type: 'deleted'; readonly path: string };

export interface PublishContext {
  /** The repository's directory. */
  readonly directory: string;
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
