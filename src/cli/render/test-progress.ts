import cliProgress from 'cli-progress';
import type { ImageEvent } from '../../container/images/prepare-images.ts';
import type { ScenarioEvent, ScenarioResult } from '../../scenario/model/events.ts';
import { plural } from '../../support/plural.ts';
import { humanTime } from './table.ts';

export type TestEvent = ScenarioEvent | ImageEvent;

/** Shows events of `kubeparcel test`. */
export interface TestView {
  readonly onEvent: (event: TestEvent) => void;
  /** Removes what was shown only temporarily. */
  stop(): void;
}

/** Shows running scenarios on a terminal, a line per finished scenario elsewhere, or JSON lines. */
export function testView(options: { readonly json: boolean }): TestView {
  if (options.json) {
    // The field `event` is the kind.
    const onEvent = ({ kind, ...fields }: TestEvent) =>
      void process.stdout.write(`${JSON.stringify({ event: kind, ...fields })}\n`);
    return { onEvent, stop: () => {} };
  }
  if (process.stderr.isTTY && process.env.TERM !== 'dumb') return new LiveTestView();
  const onEvent = (event: TestEvent) => {
    const line = eventLine(event);
    if (line !== undefined) process.stderr.write(`${line}\n`);
  };
  return { onEvent, stop: () => {} };
}

/** The line for an event; undefined for events that are shown only on a terminal. */
function eventLine(event: TestEvent): string | undefined {
  switch (event.kind) {
    case 'image-making':
      return `image       ${event.host} (${event.source}): building`;
    case 'image-made':
      return `image       ${event.host} (${event.source}): ready, ${humanTime(event.milliseconds / 1000)}`;
    case 'image-instead':
      return `image       ${event.host}: building locally: ${event.reason}`;
    case 'set-building':
      return `packages    ${event.set}, ${event.target}`;
    case 'scenarios-planned': {
      const skipped = event.leftOut.length === 0 ? '' : `, ${event.leftOut.length} skipped`;
      return `plan        ${plural(event.jobs.length, 'scenario')}${skipped}`;
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

/** A line for the whole run, and below it a line per running scenario with its current step. */
class LiveTestView implements TestView {
  readonly #lines = new cliProgress.MultiBar(
    {
      stream: process.stderr,
      format: '{text}',
      hideCursor: true,
      clearOnComplete: true,
      linewrap: false,
      fps: 8,
      // Without this, lines that move up when others are removed are not redrawn.
      forceRedraw: true,
    },
    cliProgress.Presets.rect,
  );
  readonly #running = new Map<string, cliProgress.SingleBar>();
  #total: cliProgress.SingleBar | undefined;
  #count = 0;
  #finished = 0;
  #failed = 0;

  readonly onEvent = (event: TestEvent): void => {
    switch (event.kind) {
      case 'image-making':
        this.#show(`image ${event.host}`, `${event.host}: building the image`);
        break;
      case 'image-step':
        this.#show(`image ${event.host}`, `${event.host}: ${event.step}`);
        break;
      case 'image-made':
        this.#remove(`image ${event.host}`);
        break;
      case 'scenarios-planned':
        this.#remove('packages');
        this.#count = event.jobs.length;
        this.#total = this.#lines.create(Math.max(this.#count, 1), 0, { text: this.#summary() });
        break;
      case 'set-building':
        this.#show('packages', `packages: ${event.set}, ${event.target}`);
        break;
      case 'scenario-started':
        this.#remove('packages');
        this.#show(`${event.host} ${event.scenario}`, `${event.host}  ${event.scenario}: starting`);
        break;
      case 'step-started': {
        const { host, scenario, number, count, step } = event;
        this.#show(`${host} ${scenario}`, `${host}  ${scenario} ${number}/${count}: ${step}`);
        break;
      }
      case 'scenario-finished': {
        const { host, scenario, outcome } = event.result;
        this.#remove(`${host} ${scenario}`);
        this.#finished += 1;
        if (outcome !== 'passed') {
          this.#failed += 1;
          this.#lines.log(`${finishedLine(event.result)}\n`);
        }
        this.#total?.update(this.#finished, { text: this.#summary() });
        break;
      }
      default:
    }
  };

  stop(): void {
    this.#lines.stop();
  }

  #summary(): string {
    const failed = this.#failed === 0 ? '' : `, ${this.#failed} failed`;
    return `${this.#finished} of ${plural(this.#count, 'scenario')}${failed}`;
  }

  #show(key: string, text: string): void {
    const shown = text.slice(0, (process.stderr.columns ?? 80) - 1);
    const line = this.#running.get(key);
    if (line === undefined) this.#running.set(key, this.#lines.create(1, 0, { text: shown }));
    else line.update(0, { text: shown });
  }

  #remove(key: string): void {
    const line = this.#running.get(key);
    if (line === undefined) return;
    line.stop();
    this.#lines.remove(line);
    this.#running.delete(key);
  }
}
