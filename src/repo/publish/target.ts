import type { ListedFile, SourceFile } from '../storage/list-files.ts';
import type { Upload } from './plan.ts';

export type OnPublishEvent = (event: PublishEvent) => void;
export type PublishEvent =
  | { readonly type: 'uploaded'; readonly upload: Upload }
  | { readonly type: 'deleted'; readonly path: string };

export interface PublishContext {
  /** The repository. */
  readonly directory: string;
  readonly signal: AbortSignal | undefined;
  readonly onEvent: OnPublishEvent;
}

/** The files of the repository and of the target, with digests that can be compared. */
export interface Comparison {
  readonly local: readonly ListedFile[];
  readonly remote: readonly ListedFile[];
}

/** Where a repository is published. */
export interface PublishTarget {
  /** For messages, without secrets: `s3://bucket/prefix`. */
  readonly name: string;
  /** source: the target keeps symbolic links; plain: it gets copies of the files they point to. */
  readonly mode: 'source' | 'plain';
  compare(files: readonly SourceFile[], context: PublishContext): Promise<Comparison>;
  /** Paths of all files that the target has now. */
  present(context: PublishContext): Promise<ReadonlySet<string>>;
  /** Uploads files in any order; each appears completely or not at all if the target supports that. */
  upload(uploads: readonly Upload[], context: PublishContext): Promise<void>;
  remove(paths: readonly string[], context: PublishContext): Promise<void>;
  close(): Promise<void>;
}
