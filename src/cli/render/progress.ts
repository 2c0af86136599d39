import type { OnPipelineEvent, PipelineEvent } from '../../pipeline/events.ts';
import type { Artifact } from '../../release/release.ts';
import { humanSize, humanTime } from './table.ts';

/** Something that shows events to whoever watches; `stop` leaves the terminal clean. */
export interface ProgressView {
  readonly onEvent: OnPipelineEvent;
  stop(): void;
}

/** How events are shown: bars on a terminal, a line for each finished step elsewhere, JSON lines on request. */
export async function progressView(options: { json: boolean }): Promise<ProgressView> {
  if (options.json) return jsonView();
  if (!process.stderr.isTTY || process.env.TERM === 'dumb') return lineView();
  const { barView } = await import('./progress-bars.ts');
  return barView();
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
export function eventLine(event: PipelineEvent, started: Map<unknown, number>): string | undefined {
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

export function artifactName(artifact: Artifact): string {
  return `${artifact.name} ${artifact.version} ${artifact.architecture}`;
}
