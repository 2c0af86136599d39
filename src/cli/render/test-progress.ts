import cliProgress from 'cli-progress';
import type { ImageEvent } from '../../container/images/prepare-images.ts';
import type { ScenarioEvent, ScenarioResult } from '../../scenario/model/events.ts';
import { humanTime } from './table.ts';

export type TestEvent = ScenarioEvent | ImageEvent;

/** Something that shows events to whoever watches; `stop` leaves the terminal clean. */
export interface TestView {
  readonly onEvent: (event: TestEvent) => void;
  stop(): void;
}

/** A line for each scenario that runs on a terminal, one for each that is over elsewhere, JSON lines on request. */
export function testView(options: { readonly json: boolean }): TestView {
  if (options.json) return jsonView();
  return process.stderr.isTTY && process.env.TERM !== 'dumb' ? liveView() : lineView();
}

/** One JSON object a line on standard output: `event` names it, the rest are its fields. */
function jsonView(): TestView {
  return {
    onEvent: ({ kind, ...fields }) => void process.stdout.write(`${JSON.stringify({ event: kind, ...fields })}\n`),
    stop: () => {},
  };
}

function lineView(): TestView {
  return {
    onEvent: (event) => {
      const line = eventLine(event);
      if (line !== undefined) process.stderr.write(`${line}\n`);
    },
    stop: () => {},
  };
}

/** What is worth a line of its own; undefined for what only moves a line. */
function eventLine(event: TestEvent): string | undefined {
  switch (event.kind) {
    case 'image-making':
      return `image       ${event.host}, ${event.source}: is being made`;
    case 'image-made':
      return `image       ${event.host}, ${event.source}: ${humanTime(event.milliseconds / 1000)}`;
    case 'image-instead':
      return `image       ${event.host} made here: ${event.reason}`;
    case 'set-building':
      return `packages    ${event.set}, ${event.target}`;
    case 'scenarios-planned': {
      const left = event.leftOut.length === 0 ? '' : `, ${event.leftOut.length} left out`;
      return `plan        ${event.jobs.length} scenarios${left}`;
    }
    case 'scenario-finished':
      return finishedLine(event.result);
    default:
      return undefined;
  }
}

const OUTCOMES: Readonly<Record<ScenarioResult['outcome'], string>> = {
  passed: 'passed',
  failed: 'FAILED',
  error: 'ERROR',
};

function finishedLine({ outcome, host, scenario, milliseconds, fault }: ScenarioResult): string {
  const line = `${OUTCOMES[outcome].padEnd(11)} ${host}, ${scenario}, ${humanTime(milliseconds / 1000)}`;
  return fault === '' ? line : `${line}\n            ${fault}`;
}

/** All scenarios in one bar, and below it one line for each that runs, with its step. */
function liveView(): TestView {
  const lines = new cliProgress.MultiBar(
    {
      stream: process.stderr,
      format: '{text}',
      hideCursor: true,
      clearOnComplete: true,
      linewrap: false,
      fps: 8,
      // Else a line that moves up when others are removed is not drawn at its new place.
      forceRedraw: true,
    },
    cliProgress.Presets.rect,
  );
  const running = new Map<string, cliProgress.SingleBar>();
  let total: cliProgress.SingleBar | undefined;
  let count = 0;
  let over = 0;
  let wrong = 0;
  const show = (key: string, text: string) => {
    const shown = text.slice(0, (process.stderr.columns ?? 80) - 1);
    const line = running.get(key);
    if (line === undefined) running.set(key, lines.create(1, 0, { text: shown }));
    else line.update(0, { text: shown });
  };
  const end = (key: string) => {
    const line = running.get(key);
    if (line === undefined) return;
    line.stop();
    lines.remove(line);
    running.delete(key);
  };
  const sum = () => `${over} of ${count} scenarios${wrong === 0 ? '' : `, ${wrong} failed`}`;
  return {
    onEvent: (event) => {
      switch (event.kind) {
        case 'image-making':
          return show(`image ${event.host}`, `${event.host}: image is being made`);
        case 'image-step':
          return show(`image ${event.host}`, `${event.host}: ${event.step}`);
        case 'image-made':
          return end(`image ${event.host}`);
        case 'scenarios-planned':
          end('packages');
          count = event.jobs.length;
          total = lines.create(Math.max(count, 1), 0, { text: sum() });
          return;
        case 'set-building':
          return show('packages', `packages: ${event.set}, ${event.target}`);
        case 'scenario-started':
          end('packages');
          return show(`${event.host} ${event.scenario}`, `${event.host}  ${event.scenario}: starts`);
        case 'step-started': {
          const { host, scenario, number, step } = event;
          return show(`${host} ${scenario}`, `${host}  ${scenario} ${number}/${event.count}: ${step}`);
        }
        case 'scenario-finished': {
          const { host, scenario, outcome } = event.result;
          end(`${host} ${scenario}`);
          over += 1;
          if (outcome !== 'passed') {
            wrong += 1;
            lines.log(`${finishedLine(event.result)}\n`);
          }
          total?.update(over, { text: sum() });
          return;
        }
        default:
      }
    },
    stop: () => lines.stop(),
  };
}
