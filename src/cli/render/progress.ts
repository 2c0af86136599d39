import type { ProgressEvent } from '../../assembly/events.ts';
import type { ProgressView } from './event-line.ts';
import { artifactName, eventLine } from './event-line.ts';

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

type BytesEvent = Extract<ProgressEvent, { kind: 'progress' | 'packing-progress' }>;

function isProgress(event: ProgressEvent): event is BytesEvent {
  return event.kind === 'progress' || event.kind === 'packing-progress';
}

function isDue(event: BytesEvent, reported: Map<string, number>): boolean {
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
