import type { Artifact } from './release.ts';

/** What happens while a release is resolved and fetched; times are the listener's own to take. */
export type ReleaseEvent =
  | { readonly kind: 'found'; readonly version: string; readonly source: string }
  /** An artifact's digest is known. */
  | { readonly kind: 'resolved'; readonly artifact: Artifact }
  /** The artifact and what it unpacks to are in the store already. */
  | { readonly kind: 'cached'; readonly artifact: Artifact }
  /** `resumedFrom`: bytes that an earlier, broken transfer left. */
  | { readonly kind: 'download'; readonly artifact: Artifact; readonly resumedFrom: number }
  /** `bytes`: how many have arrived in all; falls back to 0 when a server makes the transfer start again. */
  | {
      readonly kind: 'progress';
      readonly artifact: Artifact;
      readonly bytes: number;
      readonly total: number | undefined;
    }
  /** A request failed and is made again after `delay` milliseconds. */
  | { readonly kind: 'retry'; readonly url: string; readonly reason: string; readonly delay: number }
  /** All bytes are here and are what the digest says. */
  | { readonly kind: 'verified'; readonly artifact: Artifact; readonly size: number }
  | { readonly kind: 'unpacked'; readonly artifact: Artifact; readonly files: number };

export type OnReleaseEvent = (event: ReleaseEvent) => void;
