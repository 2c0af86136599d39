import type { Container, Engine, StartOptions } from '../container/engine.ts';
import { KubeparcelError } from '../support/errors.ts';
import { describeStep } from './describe-step.ts';
import type { CommandRecord, OnScenarioEvent, ScenarioResult, StepResult } from './events.ts';
import type { PackageSet } from './expectation.ts';
import type { HostSets } from './host-sets.ts';
import { mountedAt } from './host-sets.ts';
import type { Answer, Ask } from './looks/look.ts';
import { lookFor } from './looks/look-for.ts';
import { readMainProcess } from './looks/unit.ts';
import { packageManager } from './managers/choose.ts';
import { type Operations, operationsOf } from './operations.ts';
import { fillPlaceholders, mapTexts } from './placeholders.ts';
import type { ScenarioJob } from './plan.ts';
import type { Step } from './scenario.ts';
import { type Finding, judgeText, shown } from './text.ts';
import { CONTROL_PLANE, packageOf, setOf, valueOn } from './values.ts';

export interface ScenarioRunContext {
  readonly engine: Engine;
  readonly sets: HostSets;
  /** A folder of this machine with an empty repository. */
  readonly empty: string;
  /** Names of all packages there are, in the order of the catalog. */
  readonly packages: readonly string[];
  /** Texts of packaging/scenarios/files. */
  readonly helpers: ReadonlyMap<string, string>;
  /** A folder of this machine. */
  readonly controlPlane: string | undefined;
  /** Part of the container's name. */
  readonly run: string;
  /** The container of a scenario that did not pass stays. */
  readonly keep: boolean;
  readonly onEvent: OnScenarioEvent;
  readonly signal: AbortSignal | undefined;
}

/** What a scenario has done so far. */
interface Progress {
  repository: PackageSet | 'none' | undefined;
  installed: PackageSet | undefined;
  readonly processes: Map<string, string>;
}

/**
 * Runs one scenario in a container of its own. What goes wrong is in the result.
 *
 * @throws the signal's reason when it is aborted; the container is removed then, too
 */
export async function runScenario(job: ScenarioJob, context: ScenarioRunContext): Promise<ScenarioResult> {
  const { host, scenario, steps } = job;
  const { engine, onEvent, signal } = context;
  const name = { host: host.id, scenario: scenario.name, group: scenario.group, title: scenario.title };
  const started = performance.now();
  const done: StepResult[] = [];
  let container: Container | undefined;
  let error: string | undefined;
  let keep = false;
  onEvent({ kind: 'scenario-started', ...name });
  const deadline = AbortSignal.timeout(scenario.timeout * 1000);
  const either = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  try {
    container = await engine.start({ ...startOptions(job, context), signal: either });
    const inside = { container, scenario, signal: either };
    const progress: Progress = { repository: undefined, installed: undefined, processes: new Map() };
    for (const [index, step] of steps.entries()) {
      onEvent({
        kind: 'step-started',
        host: host.id,
        scenario: scenario.name,
        number: index + 1,
        count: steps.length,
        step: describeStep(step),
      });
      const result = await runStep(step, index + 1, job, { ...context, ...inside }, progress);
      done.push(result);
      onEvent({ kind: 'step-finished', host: host.id, scenario: scenario.name, result });
      if (!result.ok && result.kind === 'action') break;
    }
  } catch (fault) {
    signal?.throwIfAborted();
    if (deadline.aborted) error = `it took longer than ${scenario.timeout} s`;
    else if (fault instanceof KubeparcelError) error = describeFault(fault);
    else throw fault;
  } finally {
    const failed = error !== undefined || done.some(({ ok }) => !ok);
    keep = context.keep && failed && signal?.aborted !== true && container !== undefined;
    if (!failed || keep || signal?.aborted) {
      if (!keep) await container?.remove();
    }
  }
  const wrong = done.find(({ ok }) => !ok);
  const outcome = error !== undefined ? 'error' : wrong === undefined ? 'passed' : 'failed';
  let journal = '';
  if (outcome !== 'passed' && container !== undefined) {
    try {
      if (scenario.container.init === 'systemd') journal = await journalOf(container, signal);
    } finally {
      if (!keep) await container.remove();
    }
  }
  const result: ScenarioResult = {
    ...name,
    outcome: deadline.aborted && outcome === 'error' ? 'failed' : outcome,
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

type StepContext = ScenarioRunContext & {
  readonly container: Container;
  readonly scenario: ScenarioJob['scenario'];
  readonly signal: AbortSignal;
};

async function runStep(
  step: Step,
  number: number,
  job: ScenarioJob,
  context: StepContext,
  progress: Progress,
): Promise<StepResult> {
  const started = performance.now();
  const outcome = await attempt(step, job, context, progress).catch((fault: unknown): StepOutcome => {
    context.signal.throwIfAborted();
    if (!(fault instanceof KubeparcelError)) throw fault;
    return { ok: false, findings: [], commands: [], error: describeFault(fault) };
  });
  return {
    number,
    title: describeStep(step),
    kind: step.kind,
    verb: step.kind === 'action' ? step.action.verb : step.check.verb,
    milliseconds: Math.round(performance.now() - started),
    ...outcome,
  };
}

type StepOutcome = Pick<StepResult, 'ok' | 'findings' | 'commands' | 'error'>;

async function attempt(
  step: Step,
  { host }: ScenarioJob,
  context: StepContext,
  progress: Progress,
): Promise<StepOutcome> {
  const { sets } = context;
  const manager = packageManager(host);
  const values = valueOn(host, sets);
  const fill = (text: string) => fillPlaceholders(text, values);
  const names = (wanted: 'all' | readonly string[]) => (wanted === 'all' ? context.packages : wanted);
  const without = [...manager.stateFolders, manager.useRepository('/').path];
  if (step.kind === 'check') {
    const check = mapTexts(step.check, fill);
    const versionIn = (set: PackageSet, name: string) => packageOf(setOf(sets, set), name).version;
    const look = lookFor(check, { host, names, versionIn, processes: progress.processes, without });
    return await watch(check, look, context);
  }
  const action = mapTexts(step.action, fill);
  const operations = operationsOf(action, { manager, sets, names, without, helpers: context.helpers, ...progress });
  const commands: CommandRecord[] = [];
  for (const one of operations.preparation) {
    const answer = await ask(one, context);
    if (answer.status === 0) continue;
    return { ok: false, findings: [], commands: [record(one, answer)], error: 'the repository could not be set up' };
  }
  progress.repository = operations.repository ?? progress.repository;
  let output = '';
  let last: Answer | undefined;
  let succeeded = true;
  for (const one of operations.asks) {
    last = await ask(one, context);
    commands.push(record(one, last));
    output += last.stdout + last.stderr;
    succeeded = last.status === 0 || manager.successes.includes(last.status);
    if (!succeeded) break;
  }
  if (succeeded) progress.installed = operations.installed ?? progress.installed;
  const findings =
    action.verb === 'run'
      ? [
          ...judgeStatus(action.status, last?.status ?? 0),
          ...judgeText('standard output', action.stdout, last?.stdout ?? ''),
          ...judgeText('standard error', action.stderr, last?.stderr ?? ''),
        ]
      : [
          ...judgeSuccess('fails' in action && action.fails, succeeded, last?.status ?? 0),
          ...('output' in action ? judgeText('output', action.output, output) : []),
          ...remember(operations, last, progress),
        ];
  return { ok: findings.every(({ ok }) => ok), findings, commands };
}

function judgeStatus(expected: number | 'any', found: number): Finding[] {
  return expected === 'any'
    ? []
    : [{ what: 'status', expected: String(expected), found: String(found), ok: expected === found }];
}

function judgeSuccess(fails: boolean, succeeded: boolean, status: number): Finding[] {
  return [
    { what: 'status', expected: fails ? 'a failure' : 'success', found: `status ${status}`, ok: succeeded !== fails },
  ];
}

function remember({ remember: name }: Operations, answer: Answer | undefined, progress: Progress): Finding[] {
  if (name === undefined) return [];
  const found = answer === undefined ? undefined : readMainProcess(answer);
  if (found !== undefined) progress.processes.set(name, found.identity);
  return [
    {
      what: 'main process',
      expected: 'one that runs',
      found: found === undefined ? 'none' : `number ${found.identity.split(' ')[0]}`,
      ok: found !== undefined,
    },
  ];
}

/** Milliseconds between two looks. */
const PAUSE = 300;

/** Looks until all holds or its time is over, and then as long as it must stay so. */
async function watch(
  { within, for: stay }: { readonly within: number; readonly for?: number | undefined },
  look: ReturnType<typeof lookFor>,
  context: StepContext,
): Promise<StepOutcome> {
  const seen = async (): Promise<StepOutcome> => {
    const answers: Answer[] = [];
    for (const one of look.asks) answers.push(await ask(one, context));
    const findings = look.judge(answers);
    return {
      ok: findings.every(({ ok }) => ok),
      findings,
      commands: look.asks.flatMap((one, index) => {
        const answer = answers[index];
        return answer === undefined ? [] : [record(one, answer)];
      }),
    };
  };
  const end = performance.now() + within * 1000;
  let outcome = await seen();
  while (!outcome.ok && performance.now() < end) {
    await pause(context.signal);
    outcome = await seen();
  }
  const until = performance.now() + (stay ?? 0) * 1000;
  while (outcome.ok && performance.now() < until) {
    await pause(context.signal);
    outcome = await seen();
    if (!outcome.ok) return { ...outcome, error: `it was so, but did not stay so for ${stay} s` };
  }
  return outcome;
}

async function pause(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, PAUSE));
  signal.throwIfAborted();
}

async function ask(
  { command, stdin, environment, user, timeout }: Ask,
  { container, scenario, signal }: Pick<StepContext, 'container' | 'scenario' | 'signal'>,
): Promise<Answer> {
  const { umask } = scenario.container;
  const whole = umask === undefined ? command : ['sh', '-c', `umask ${umask}; exec "$@"`, 'with-umask', ...command];
  return await container.exec(whole, {
    environment: { ...scenario.container.environment, ...environment },
    ...(stdin === undefined ? {} : { stdin }),
    ...(user === undefined ? {} : { user }),
    ...(timeout === undefined ? {} : { timeout: timeout * 1000 }),
    signal,
  });
}

function record({ command }: Ask, { status, stdout, stderr }: Answer): CommandRecord {
  return { command, status, stdout: shown(stdout), stderr: shown(stderr) };
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

/** The first thing that was wrong, in one line. */
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
