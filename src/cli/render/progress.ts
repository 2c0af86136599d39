import cliProgress from 'cli-progress';
import type { OnPipelineEvent, PipelineEvent } from '../../pipeline/events.ts';
import type { Artifact } from '../../release/release.ts';
import { humanSize, humanTime } from './table.ts';

/** Something that shows events to whoever watches; `stop` leaves the terminal clean. */
export interface ProgressView {
  readonly onEvent: OnPipelineEvent;
  stop(): void;
}

/** How events are shown: bars on a terminal, a line for each finished step elsewhere, JSON lines on request. */
export function progressView(options: { json: boolean }): ProgressView {
  if (options.json) return jsonView();
  return process.stderr.isTTY && process.env.TERM !== 'dumb' ? barView() : lineView();
}

/** One JSON object a line on standard output: `event` names it, the rest are its fields. */
function jsonView(): ProgressView {
  const reported = new Map<string, number>();
  return {
    onEvent: (event) => {
      if (isProgress(event) && !isDue(event, reported)) return;
      const { kind, ...fields } = event;
      process.stdout.write(`${JSON.stringify({ event: kind, ...fields }, withoutProfiles)}\n`);
    },
    stop: () => {},
  };
}

/** Milliseconds between two reports of progress on the same thing. */
const REPORT_EVERY = 200;

type ProgressEvent = Extract<PipelineEvent, { kind: 'progress' | 'packing-progress' }>;

function isProgress(event: PipelineEvent): event is ProgressEvent {
  return event.kind === 'progress' || event.kind === 'packing-progress';
}

function isDue(event: ProgressEvent, reported: Map<string, number>): boolean {
  const name = event.kind === 'progress' ? artifactName(event.artifact) : event.task.file;
  const now = Date.now();
  if (now - (reported.get(name) ?? 0) < REPORT_EVERY) return false;
  reported.set(name, now);
  return true;
}

/** A target is its id: the profiles of its distributions are the same in every event. */
function withoutProfiles(key: string, value: unknown): unknown {
  return key === 'target' && typeof value === 'object' && value !== null && 'id' in value ? value.id : value;
}

function lineView(): ProgressView {
  const started = new Map<unknown, number>();
  return {
    onEvent: (event) => {
      const line = eventLine(event, started);
      if (line !== undefined) process.stderr.write(`${line}\n`);
    },
    stop: () => {},
  };
}

/** What a finished step is worth saying; undefined for what only moves a bar. */
function eventLine(event: PipelineEvent, started: Map<unknown, number>): string | undefined {
  const seconds = (key: unknown) => humanTime((Date.now() - (started.get(key) ?? Date.now())) / 1000);
  switch (event.kind) {
    case 'found':
      return `release     v${event.version} from ${event.source}`;
    case 'download':
      started.set(artifactName(event.artifact), Date.now());
      return undefined;
    case 'retry':
      return `retry       in ${humanTime(event.delay / 1000)}: ${event.reason} (${event.url})`;
    case 'verified': {
      const name = artifactName(event.artifact);
      return `verified    ${name}, ${humanSize(event.size)}, ${seconds(name)}`;
    }
    case 'planned':
      return `plan        ${event.tasks.length} packages`;
    case 'image-instead':
      return `image       ${event.host}: made here, ${event.reason}`;
    case 'image-making':
      return `image       ${event.host}, ${event.source === 'vendor' ? "the vendor's" : "of Debian's packages"} ...`;
    case 'image-made':
      return `image       ${event.host}, ${humanTime(event.milliseconds / 1000)}`;
    case 'assembling':
      return `assemble    ${event.target} on ${event.host}: ${event.reason}`;
    case 'packing':
      started.set(event.task, Date.now());
      return undefined;
    case 'packed':
      return `built       ${event.task.file}, ${humanSize(event.size)}, ${seconds(event.task)}`;
    case 'unchanged':
      return `unchanged   ${event.task.file}, ${humanSize(event.size)}`;
    default:
      return undefined;
  }
}

function artifactName(artifact: Artifact): string {
  return `${artifact.name} ${artifact.version} ${artifact.architecture}`;
}

const NAME_WIDTH = 38;

/** A bar for each download and each package that is being made, removed when it is done; the total above them. */
function barView(): ProgressView {
  const bars = new cliProgress.MultiBar(
    {
      stream: process.stderr,
      format: `{name} {bar} {done} {rate}`,
      barsize: 14,
      hideCursor: true,
      clearOnComplete: true,
      linewrap: false,
      autopadding: true,
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
