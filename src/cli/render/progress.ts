import type { ProgressEvent } from '../../assembly/events.ts';
import type { ProgressView } from './event-line.ts';
import { artifactName, eventLine } from './event-line.ts';

/** Shows events as bars on a terminal, as a line per finished step elsewhere, or as JSON lines. */
export async function progressView(options: { json: boolean }): Promise<ProgressView> {
  if (options.json) return jsonView();
  if (!process.stderr.isTTY || process.env.TERM === 'dumb') return lineView();
  const { ProgressBars } = await import('./progress-bars.ts');
  return new ProgressBars();
}

/** One JSON object per line on standard output; the field `event` is the kind. */
function jsonView(): ProgressView {
  const lastReports = new Map<string, number>();
  return {
    onEvent: (event) => {
      if (isProgress(event) && !isDue(event, lastReports)) return;
      const { kind, ...fields } = event;
      process.stdout.write(`${JSON.stringify({ event: kind, ...fields }, targetById)}\n`);
    },
    stop: () => {},
  };
}

/** Milliseconds between two progress events for the same artifact or package. */
const REPORT_INTERVAL = 200;

type BytesEvent = Extract<ProgressEvent, { kind: 'progress' | 'packing-progress' }>;

function isProgress(event: ProgressEvent): event is BytesEvent {
  return event.kind === 'progress' || event.kind === 'packing-progress';
}

function isDue(event: BytesEvent, lastReports: Map<string, number>): boolean {
  const name = event.kind === 'progress' ? artifactName(event.artifact) : event.task.file;
  const now = Date.now();
  if (now - (lastReports.get(name) ?? 0) < REPORT_INTERVAL) return false;
  lastReports.set(name, now);
  return true;
}

/** Replaces targets by their ids: the profiles of their distributions are the same in every event. */
function targetById(key: string, value: unknown): unknown {
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
