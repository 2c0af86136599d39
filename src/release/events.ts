import type { Artifact } from './release.ts';

/** Progress of resolving and fetching a release. Events contain no times: listeners read the clock. */
export type ReleaseEvent =
  | { readonly kind: 'found'; readonly version: string; readonly source: string }
  /** An artifact's digest is known. */
  | { readonly kind: 'resolved'; readonly artifact: Artifact }
  /** The artifact and its unpacked files are already in the store. */
  | { readonly kind: 'cached'; readonly artifact: Artifact }
  /** `resumedFrom`: bytes that an earlier, interrupted transfer left. */
  | { readonly kind: 'download'; readonly artifact: Artifact; readonly resumedFrom: number }
  /** `bytes`: received so far; back to 0 when the transfer has to start again. */
  | {
      readonly kind: 'progress';
      readonly artifact: Artifact;
      readonly bytes: number;
      readonly total: number | undefined;
    }
  /** A request failed and will be retried after `delay` milliseconds. */
  | { readonly kind: 'retry'; readonly url: string; readonly reason: string; readonly delay: number }
  /** All bytes arrived and match the published digest or the lock. Signatures are not checked. */
  | { readonly kind: 'verified'; readonly artifact: Artifact; readonly size: number }
  | { readonly kind: 'unpacked'; readonly artifact: Artifact; readonly files: number };

export type OnReleaseEvent = (event: ReleaseEvent) => void;
