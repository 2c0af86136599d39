import type { ListedFile, PublishPlan, Upload } from './plan.ts';

/** A file of the repository that is to be published. */
export interface SourceFile {
  readonly path: string;
  readonly size: number;
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
  /** What is there and what the repository has, with digests that can be compared. */
  compare(
    files: readonly SourceFile[],
    context: PublishContext,
  ): Promise<{ readonly local: readonly ListedFile[]; readonly remote: readonly ListedFile[] }>;
  /** Carries a plan out, phase after phase. Run again after an end at any moment, it goes on. */
  apply(plan: PublishPlan, context: PublishContext): Promise<void>;
  close(): Promise<void>;
}
