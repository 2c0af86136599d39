import type { Artifact } from '../../release/release.ts';
import type { Sink, SourceContext } from '../../release/source.ts';

/** Access to the files of the release servers by URL: over HTTP or in a copy on disk. */
export interface Transport {
  /**
   * Reads a small text file; undefined when it does not exist.
   *
   * @throws KubeparcelError of kind 'network' or 'io'
   */
  text(url: string, context: SourceContext): Promise<string | undefined>;
  /** Whether a file exists, and its modification time (seconds since 1970-01-01 UTC) if the transport has a reliable one. */
  probe(url: string, context: SourceContext): Promise<{ readonly found: boolean; readonly date: number | undefined }>;
  /** See Source.transfer. */
  transfer(artifact: Pick<Artifact, 'url' | 'size'>, sink: Sink, context: SourceContext): Promise<void>;
  close(): Promise<void>;
}

/** Bytes. Text files of the release servers contain only one line. */
export const MAX_TEXT_BYTES = 4096;
