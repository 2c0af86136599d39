import type { SourceContent } from '../archive/archive-source.ts';
import { type Chunks, rechunk } from '../archive/chunks.ts';
import { cutSegments } from './splice/segments.ts';
import { RESET } from './splice/zstd-blocks.ts';
import type { Places } from './threads/places.ts';

/** How much of a content is handed over at a time, in bytes. */
export const INPUT_SIZE = 1 << 20;

/** What cannot be cut is begun before everything that can, so that no long one is left over for the end. */
const WHOLE = 2 ** 52;

export function rankOf({ whole, size }: SourceContent): number {
  return whole === true ? WHOLE + size : size;
}

/** Small blocks are written together. Bytes. */
const APPENDED_SIZE = 1 << 20;

/**
 * Segments of the content, each compressed on a thread of its own as soon as one is free, of large contents first; their
 * blocks are appended one segment after the other. What comes before its turn waits in memory: a segment is not begun
 * before the last one is all but read, so that it is little.
 *
 * @returns what each segment's `compress` does
 */
export async function compressSegments<T>(
  content: SourceContent,
  places: Places,
  append: (bytes: Uint8Array) => Promise<void>,
  compress: (segment: Chunks, take: (block: Uint8Array) => Promise<void>) => Promise<T>,
): Promise<T[]> {
  const runs: Promise<T>[] = [];
  let failed = false;
  let lastIsWritten: Promise<unknown> = Promise.resolve();
  const begin = async (segment: Chunks) => {
    const leave = await places.take(rankOf(content));
    // Throws what the failure was: the rest of the content is of no use.
    if (failed) await Promise.all(runs).finally(leave);
    const blocks = createAppender(append, lastIsWritten);
    if (runs.length > 0) await blocks.take(RESET);
    const done = compress(segment, blocks.take).finally(leave);
    const written = done.then(async (made) => {
      await blocks.finish();
      return made;
    });
    written.catch(() => {
      failed = true;
    });
    lastIsWritten = written;
    runs.push(written);
    return { done };
  };
  if (content.whole === true) await begin(content.open());
  else await cutSegments(rechunk(content.open(), INPUT_SIZE), begin);
  return Promise.all(runs);
}

/** Appends small bytes together, when it is their turn. */
function createAppender(append: (bytes: Uint8Array) => Promise<void>, turn: Promise<unknown>) {
  const waiting: Uint8Array[] = [];
  let size = 0;
  let isTurn = false;
  const begin = () => {
    isTurn = true;
  };
  turn.then(begin, () => {});
  const flush = async () => {
    size = 0;
    await append(Buffer.concat(waiting.splice(0)));
  };
  return {
    async take(bytes: Uint8Array) {
      waiting.push(bytes);
      size += bytes.length;
      if (isTurn && size >= APPENDED_SIZE) await flush();
    },
    async finish() {
      await turn;
      await flush();
    },
  };
}

/** The content in segments of as many bytes; a segment is read when there is a place for it, and taken in its turn. */
export async function inSegments<T>(
  content: SourceContent,
  size: number,
  places: Places,
  compress: (bytes: Uint8Array) => Promise<T>,
  take: (made: T) => Promise<void>,
): Promise<void> {
  const rank = rankOf(content);
  let taken = Promise.resolve();
  let failed = false;
  const segments = rechunk(content.open(), size);
  try {
    for (;;) {
      const leave = await places.take(rank);
      const segment = await (failed
        ? undefined
        : segments.next().catch((error) => Promise.reject(error).finally(leave)));
      if (segment === undefined || segment.done) {
        leave();
        return await taken;
      }
      const made = compress(segment.value).finally(leave);
      taken = Promise.all([made, taken]).then(([one]) => take(one));
      taken.catch(() => {
        failed = true;
      });
    }
  } finally {
    await segments.return();
  }
}
