import type { Artifact } from '../../release/release.ts';
import type { Sink, SourceContext } from '../../release/source.ts';

/** How files of the release servers are reached by URL: over HTTP, or as a copy of them in a directory. */
export interface Transport {
  /**
   * A small text file; undefined when there is none.
   *
   * @throws KubeparcelError of kind 'network' or 'io'
   */
  text(url: string, context: SourceContext): Promise<string | undefined>;
  /** Whether there is such a file, and when it was changed (seconds since 1970-01-01 UTC), where that means something. */
  probe(url: string, context: SourceContext): Promise<{ readonly found: boolean; readonly date: number | undefined }>;
  /** See Source.transfer. */
  transfer(artifact: Pick<Artifact, 'url' | 'size'>, sink: Sink, context: SourceContext): Promise<void>;
  close(): Promise<void>;
}

/** Text files of release servers are one line; more than this is something else. */
export const MAX_TEXT_BYTES = 4096;
