import cliProgress from 'cli-progress';
import { humanSize } from './table.ts';

/** A progress bar in bytes on a terminal; no output elsewhere. */
export interface ByteProgress {
  readonly onProgress: (done: number, total: number) => void;
  /** Removes the bar. */
  stop(): void;
}

/** Milliseconds before the bar appears. */
const SHOW_AFTER = 500;

/** @param name label of the bar */
export function byteProgress(name: string): ByteProgress {
  if (!process.stderr.isTTY || process.env.TERM === 'dumb') return { onProgress: () => {}, stop: () => {} };
  const started = Date.now();
  let bar: cliProgress.SingleBar | undefined;
  return {
    onProgress: (done, total) => {
      if (Date.now() - started < SHOW_AFTER) return;
      const shown = { done: humanSize(done), total: humanSize(total) };
      if (bar !== undefined) return bar.update(done, shown);
      bar = new cliProgress.SingleBar(
        { stream: process.stderr, format: `${name} {bar} {done} of {total}`, clearOnComplete: true, hideCursor: true },
        cliProgress.Presets.rect,
      );
      bar.start(Math.max(total, 1), done, shown);
    },
    stop: () => bar?.stop(),
  };
}
