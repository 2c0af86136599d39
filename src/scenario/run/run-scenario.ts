import type { Container, Engine, StartOptions } from '../../container/engine.ts';
import { KubeparcelError } from '../../support/errors.ts';
import type { OnScenarioEvent, ScenarioResult, StepResult } from '../model/events.ts';
import type { ScenarioJob } from '../model/plan.ts';
import type { HostSets } from '../sets/host-sets.ts';
import { mountedAt } from '../sets/host-sets.ts';
import { runSteps } from './run-steps.ts';
import { CONTROL_PLANE, setOf } from './values.ts';

export interface ScenarioRunContext {
  readonly engine: Engine;
  readonly sets: HostSets;
  /** Local directory with an empty repository. */
  readonly empty: string;
  /** Names of all packages in the order of the catalog. */
  readonly packages: readonly string[];
  /** Texts of packaging/scenarios/files. */
  readonly helpers: ReadonlyMap<string, string>;
  /** Local directory. */
  readonly controlPlane: string | undefined;
  /** Part of the container name. */
  readonly run: string;
  /** Keeps the container of a failed scenario. */
  readonly keep: boolean;
  readonly onEvent: OnScenarioEvent;
  readonly signal: AbortSignal | undefined;
}

/**
 * Runs one scenario in a new container. Failures are part of the result.
 *
 * @throws the signal's reason if it is aborted; the container is removed
 */
export async function runScenario(job: ScenarioJob, context: ScenarioRunContext): Promise<ScenarioResult> {
  const { host, scenario, steps } = job;
  const { engine, onEvent, signal } = context;
  const name = { host: host.id, scenario: scenario.name, group: scenario.group, title: scenario.title };
  const started = performance.now();
  const done: StepResult[] = [];
  let container: Container | undefined;
  let error: string | undefined;
  onEvent({ kind: 'scenario-started', ...name });
  // Unlike AbortSignal.timeout(), this timer ends with its scenario.
  const ending = new AbortController();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    ending.abort(new Error(`timed out after ${scenario.timeout} s`));
  }, scenario.timeout * 1000);
  const interrupt = () => ending.abort(signal?.reason);
  signal?.addEventListener('abort', interrupt, { once: true });
  try {
    container = await engine.start({ ...startOptions(job, context), signal: ending.signal });
    const { umask, environment } = scenario.container;
    const asking = { container, umask, environment, signal: ending.signal };
    for await (const result of runSteps(job, { ...context, asking })) done.push(result);
  } catch (fault) {
    if (signal?.aborted !== true && late) error = `timed out after ${scenario.timeout} s`;
    else if (signal?.aborted !== true && fault instanceof KubeparcelError) error = describeFault(fault);
    else {
      await container?.remove();
      signal?.throwIfAborted();
      throw fault;
    }
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', interrupt);
  }
  const wrong = done.find(({ ok }) => !ok);
  const outcome = error === undefined ? (wrong === undefined ? 'passed' : 'failed') : late ? 'failed' : 'error';
  const keep = context.keep && outcome !== 'passed' && container !== undefined;
  let journal = '';
  try {
    if (outcome !== 'passed' && container !== undefined && scenario.container.init === 'systemd') {
      journal = await journalOf(container, signal);
    }
  } finally {
    if (!keep || signal?.aborted === true) await container?.remove();
  }
  const result: ScenarioResult = {
    ...name,
    outcome,
    milliseconds: Math.round(performance.now() - started),
    stepCount: steps.length,
    steps: done,
    fault: error ?? (wrong === undefined ? '' : faultOf(wrong)),
    journal,
    kept: keep ? container?.name : undefined,
    enter: container?.commandLine([]) ?? [],
  };
  onEvent({ kind: 'scenario-finished', result });
  return result;
}

function startOptions({ host, scenario, sets }: ScenarioJob, context: ScenarioRunContext): StartOptions {
  const { init, controllers, tmpfs, environment } = scenario.container;
  return {
    image: host.image,
    name: `kubeparcel-${context.run}-${host.id}-${scenario.name}`,
    init,
    controllers,
    labels: { host: host.id, scenario: scenario.name, init, ...(context.keep ? { keep: 'yes' } : {}) },
    mounts: [
      ...sets.map((set) => ({ source: setOf(context.sets, set).mounted, target: mountedAt(set) })),
      { source: context.empty, target: mountedAt('none') },
      ...(context.controlPlane === undefined ? [] : [{ source: context.controlPlane, target: CONTROL_PLANE }]),
    ],
    tmpfs: tmpfs.map(({ path, size }) => ({ path, ...(size === undefined ? {} : { sizeBytes: bytesOf(size) }) })),
    environment,
  };
}

function bytesOf(size: string): number {
  const [, number = '', unit = ''] = /^(\d+)([KMG]?)$/.exec(size) ?? [];
  return Number(number) * ({ K: 1024, M: 1024 ** 2, G: 1024 ** 3 }[unit] ?? 1);
}

const JOURNAL_LINES = 60;

async function journalOf(container: Container, signal: AbortSignal | undefined): Promise<string> {
  const command = ['journalctl', '--boot', '--no-pager', '--output=short-monotonic', `--lines=${JOURNAL_LINES}`];
  try {
    const { stdout } = await container.exec(command, { timeout: 20_000, ...(signal === undefined ? {} : { signal }) });
    return stdout;
  } catch (fault) {
    signal?.throwIfAborted();
    return fault instanceof Error ? fault.message : String(fault);
  }
}

/** The first failure in one line. */
function faultOf({ number, title, findings, error, commands }: StepResult): string {
  const wrong = findings.find(({ ok }) => !ok);
  const said = commands.at(-1)?.stderr.trim().split('\n').at(-1) ?? '';
  const what =
    wrong === undefined
      ? (error ?? 'failed')
      : wrong.expected === 'success'
        ? `${wrong.found}: ${said}`
        : `${wrong.what}: expected ${oneLine(wrong.expected)}, found ${oneLine(wrong.found)}`;
  return `step ${number}, ${title}: ${what}`;
}

function oneLine(text: string): string {
  const line = text.trim().replaceAll('\n', ' | ');
  return line.length > 160 ? `${line.slice(0, 157)}...` : line;
}

function describeFault({ message, where }: KubeparcelError): string {
  return where === undefined ? message : `${message} (${where})`;
}
