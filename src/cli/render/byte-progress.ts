import cliProgress from 'cli-progress';
import { humanSize } from './table.ts';

/** A bar on a terminal for work that is known in bytes; nothing elsewhere. */
export interface ByteProgress {
  readonly onProgress: (done: number, total: number) => void;
  /** Leaves the terminal clean. */
  stop(): void;
}

/** Milliseconds that may pass without a bar. */
const SOON = 500;

/** @param name what is done */
export function byteProgress(name: string): ByteProgress {
  if (!process.stderr.isTTY || process.env.TERM === 'dumb') return { onProgress: () => {}, stop: () => {} };
  const started = Date.now();
  let bar: cliProgress.SingleBar | undefined;
  return {
    onProgress: (done, total) => {
      if (Date.now() - started < SOON) return;
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
