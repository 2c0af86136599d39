import cliProgress from 'cli-progress';
import type { ProgressEvent } from '../../assembly/events.ts';
import type { ProgressView } from './event-line.ts';
import { artifactName, eventLine } from './event-line.ts';
import { humanSize } from './table.ts';

const NAME_WIDTH = 38;

interface RunningBar {
  readonly bar: cliProgress.SingleBar;
  /** Milliseconds since 1970. */
  readonly started: number;
  /** Bytes at the start: those of a resumed download. */
  readonly initial: number;
}

/** One bar per running download or build, and a bar for all packages. */
export class ProgressBars implements ProgressView {
  readonly #bars = new cliProgress.MultiBar(
    {
      stream: process.stderr,
      format: `{name} {bar} {done} {rate}`,
      barsize: 14,
      hideCursor: true,
      clearOnComplete: true,
      linewrap: false,
      autopadding: true,
      // Without this, bars that move up when others are removed are not redrawn.
      forceRedraw: true,
      fps: 8,
    },
    cliProgress.Presets.rect,
  );
  readonly #running = new Map<string, RunningBar>();
  #finished = 0;
  #total: cliProgress.SingleBar | undefined;

  readonly onEvent = (event: ProgressEvent): void => {
    switch (event.kind) {
      case 'download':
        this.#start(artifactName(event.artifact), event.artifact.size ?? 1, event.resumedFrom);
        break;
      case 'progress':
        this.#update(artifactName(event.artifact), event.bytes, event.total);
        break;
      case 'verified':
        this.#remove(artifactName(event.artifact));
        break;
      case 'retry':
      case 'image-instead':
      case 'image-making':
      case 'image-made':
      case 'assembling':
        this.#bars.log(`${eventLine(event, new Map())}\n`);
        break;
      case 'planned':
        this.#total = this.#bars.create(event.tasks.length, 0, {
          name: padded(`packages of v${event.version}`),
          done: `0 of ${event.tasks.length}`,
          rate: '',
        });
        break;
      case 'packing':
        this.#start(event.task.file, event.total, 0);
        break;
      case 'packing-progress':
        this.#update(event.task.file, event.bytes);
        break;
      case 'unchanged':
      case 'packed':
        this.#remove(event.task.file);
        this.#finished += 1;
        this.#total?.update(this.#finished, { done: `${this.#finished} of ${this.#total.getTotal()}` });
        break;
      default:
    }
  };

  stop(): void {
    this.#bars.stop();
  }

  #start(key: string, size: number, initial: number): void {
    this.#remove(key);
    const bar = this.#bars.create(Math.max(size, 1), initial, { name: padded(key), done: '', rate: '' });
    this.#running.set(key, { bar, started: Date.now(), initial });
  }

  #update(key: string, bytes: number, size?: number): void {
    const running = this.#running.get(key);
    if (running === undefined) return;
    if (size !== undefined) running.bar.setTotal(Math.max(size, 1));
    const seconds = (Date.now() - running.started) / 1000;
    const rate = seconds < 0.5 ? '' : `${humanSize((bytes - running.initial) / seconds)}/s`;
    running.bar.update(bytes, { done: humanSize(bytes).padStart(7), rate });
  }

  #remove(key: string): void {
    const running = this.#running.get(key);
    if (running === undefined) return;
    running.bar.stop();
    this.#bars.remove(running.bar);
    this.#running.delete(key);
  }
}

function padded(name: string): string {
  return name.length > NAME_WIDTH ? `${name.slice(0, NAME_WIDTH - 1)}…` : name.padEnd(NAME_WIDTH);
}
