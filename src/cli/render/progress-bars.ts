import cliProgress from 'cli-progress';
import type { ProgressView } from './event-line.ts';
import { artifactName, eventLine } from './event-line.ts';
import { humanSize } from './table.ts';

const NAME_WIDTH = 38;

/** A bar for each download and each package that is being made, removed when it is done; the total above them. */
export function barView(): ProgressView {
  const bars = new cliProgress.MultiBar(
    {
      stream: process.stderr,
      format: `{name} {bar} {done} {rate}`,
      barsize: 14,
      hideCursor: true,
      clearOnComplete: true,
      linewrap: false,
      autopadding: true,
      // Else a bar that moves up when others are removed is not drawn at its new place.
      forceRedraw: true,
      fps: 8,
    },
    cliProgress.Presets.rect,
  );
  const running = new Map<string, { bar: cliProgress.SingleBar; started: number; first: number }>();
  let finished = 0;
  let total: cliProgress.SingleBar | undefined;
  const start = (key: string, size: number, at = 0) => {
    end(key);
    const bar = bars.create(Math.max(size, 1), at, { name: inColumn(key), done: '', rate: '' });
    running.set(key, { bar, started: Date.now(), first: at });
  };
  const move = (key: string, bytes: number, size?: number) => {
    const entry = running.get(key);
    if (entry === undefined) return;
    if (size !== undefined) entry.bar.setTotal(Math.max(size, 1));
    const seconds = (Date.now() - entry.started) / 1000;
    const rate = seconds < 0.5 ? '' : `${humanSize((bytes - entry.first) / seconds)}/s`;
    entry.bar.update(bytes, { done: humanSize(bytes).padStart(7), rate });
  };
  const end = (key: string) => {
    const entry = running.get(key);
    if (entry === undefined) return;
    entry.bar.stop();
    bars.remove(entry.bar);
    running.delete(key);
  };
  return {
    onEvent: (event) => {
      switch (event.kind) {
        case 'download':
          start(artifactName(event.artifact), event.artifact.size ?? 1, event.resumedFrom);
          break;
        case 'progress':
          move(artifactName(event.artifact), event.bytes, event.total);
          break;
        case 'verified':
          end(artifactName(event.artifact));
          break;
        case 'retry':
        case 'image-instead':
        case 'image-making':
        case 'image-made':
        case 'assembling':
          bars.log(`${eventLine(event, new Map())}\n`);
          break;
        case 'planned':
          total = bars.create(event.tasks.length, 0, {
            name: inColumn(`packages of v${event.version}`),
            done: `0 of ${event.tasks.length}`,
            rate: '',
          });
          break;
        case 'packing':
          start(event.task.file, event.total);
          break;
        case 'packing-progress':
          move(event.task.file, event.bytes);
          break;
        case 'unchanged':
        case 'packed':
          end(event.task.file);
          finished += 1;
          total?.update(finished, { done: `${finished} of ${total.getTotal()}` });
          break;
        default:
      }
    },
    stop: () => bars.stop(),
  };
}

function inColumn(name: string): string {
  return name.length > NAME_WIDTH ? `${name.slice(0, NAME_WIDTH - 1)}…` : name.padEnd(NAME_WIDTH);
}
