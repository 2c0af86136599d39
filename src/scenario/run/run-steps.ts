import { KubeparcelError } from '../../support/errors.ts';
import { packageManager } from '../managers/choose.ts';
import { describeStep } from '../model/describe-step.ts';
import type { CommandRecord, OnScenarioEvent, StepResult } from '../model/events.ts';
import type { PackageSet } from '../model/expectation.ts';
import { fillPlaceholders, mapTexts } from '../model/placeholders.ts';
import type { ScenarioJob } from '../model/plan.ts';
import type { Step } from '../model/scenario.ts';
import { compareText, type Finding, shown } from '../model/text.ts';
import type { Answer, Probe, ProbeCommand } from '../probes/probe.ts';
import { probeFor } from '../probes/probe-for.ts';
import { readMainProcess } from '../probes/unit.ts';
import type { HostSets } from '../sets/host-sets.ts';
import { type AskContext, askAll, probeCommand } from './command.ts';
import { type Operations, operationsOf } from './operations.ts';
import { packageOf, setOf, valueOn } from './values.ts';

export interface StepsContext {
  readonly asking: AskContext;
  readonly sets: HostSets;
  /** Names of all packages. */
  readonly packages: readonly string[];
  readonly helpers: ReadonlyMap<string, string>;
  readonly onEvent: OnScenarioEvent;
}

/** State of a running scenario. */
interface Progress {
  repository: PackageSet | 'none' | undefined;
  installed: PackageSet | undefined;
  readonly processes: Map<string, string>;
}

type CheckStep = Extract<Step, { kind: 'check' }>;
type Check = CheckStep['check'];
type StepOutcome = Pick<StepResult, 'ok' | 'findings' | 'commands' | 'error'>;

/**
 * Runs the steps of a scenario in order, until an action fails. Consecutive checks run their first probes in one call; if
 * a check has to wait, the results of the later checks are outdated and their probes run again.
 *
 * @throws the signal's reason if it is aborted; KubeparcelError if the container is gone
 */
export async function* runSteps(job: ScenarioJob, context: StepsContext): AsyncGenerator<StepResult, void, undefined> {
  const { host, scenario, steps } = job;
  const { onEvent } = context;
  const progress: Progress = { repository: undefined, installed: undefined, processes: new Map() };
  let firstRuns = new Map<Step, ProbeRun>();
  for (const [index, step] of steps.entries()) {
    const number = index + 1;
    const title = describeStep(step);
    const name = { host: host.id, scenario: scenario.name };
    onEvent({ kind: 'step-started', ...name, number, count: steps.length, step: title });
    const started = performance.now();
    let outcome: StepOutcome;
    try {
      if (step.kind === 'check') {
        if (!firstRuns.has(step)) firstRuns = await probeTogether(checksFrom(steps, index), job, context, progress);
        const first = firstRuns.get(step);
        outcome = await poll(step.check, first ?? (await probeOnce(step.check, job, context, progress)), context);
        if (first?.outcome.ok !== true || step.check.for !== undefined) firstRuns = new Map();
      } else {
        firstRuns = new Map();
        outcome = await runAction(step, job, context, progress);
      }
    } catch (fault) {
      context.asking.signal.throwIfAborted();
      if (!(fault instanceof KubeparcelError) || fault.kind !== 'config') throw fault;
      const { message, where } = fault;
      outcome = {
        ok: false,
        findings: [],
        commands: [],
        error: where === undefined ? message : `${message} (${where})`,
      };
    }
    const verb = step.kind === 'action' ? step.action.verb : step.check.verb;
    const milliseconds = Math.round(performance.now() - started);
    const result: StepResult = { number, title, kind: step.kind, verb, milliseconds, ...outcome };
    onEvent({ kind: 'step-finished', ...name, result });
    yield result;
    if (!result.ok && result.kind === 'action') return;
  }
}

/** The checks up to the next action. */
function checksFrom(steps: readonly Step[], from: number): CheckStep[] {
  const rest = steps.slice(from);
  const end = rest.findIndex(({ kind }) => kind === 'action');
  return (end === -1 ? rest : rest.slice(0, end)).filter((step) => step.kind === 'check');
}

/** A probe and the outcome of its last run. */
interface ProbeRun {
  readonly probe: Probe;
  readonly outcome: StepOutcome;
}

async function probeTogether(
  steps: readonly CheckStep[],
  job: ScenarioJob,
  context: StepsContext,
  progress: Progress,
): Promise<Map<Step, ProbeRun>> {
  const probes: { step: CheckStep; probe: Probe }[] = [];
  for (const step of steps) {
    try {
      probes.push({ step, probe: makeProbe(step.check, job, context, progress) });
    } catch (fault) {
      // Reported when the step runs.
      if (!(fault instanceof KubeparcelError)) throw fault;
      break;
    }
  }
  const answers = await askAll(
    probes.flatMap(({ probe }) => probe.commands),
    context.asking,
  );
  let from = 0;
  return new Map(
    probes.map(({ step, probe }) => {
      const own = answers.slice(from, from + probe.commands.length);
      from += probe.commands.length;
      return [step, { probe, outcome: outcomeOf(probe, own) }];
    }),
  );
}

function makeProbe(check: Check, { host }: ScenarioJob, { sets, packages }: StepsContext, progress: Progress): Probe {
  const manager = packageManager(host);
  const values = valueOn(host, sets);
  return probeFor(
    mapTexts(check, (text) => fillPlaceholders(text, values)),
    {
      host,
      names: (wanted) => (wanted === 'all' ? packages : wanted),
      versionIn: (set, name) => packageOf(setOf(sets, set), name).version,
      processes: progress.processes,
      without: ignoredPaths(manager),
    },
  );
}

async function probeOnce(check: Check, job: ScenarioJob, context: StepsContext, progress: Progress): Promise<ProbeRun> {
  const probe = makeProbe(check, job, context, progress);
  return { probe, outcome: outcomeOf(probe, await askAll(probe.commands, context.asking)) };
}

function outcomeOf(probe: Probe, answers: readonly Answer[]): StepOutcome {
  const findings = probe.evaluate(answers);
  return {
    ok: findings.every(({ ok }) => ok),
    findings,
    commands: probe.commands.flatMap((request, index) => {
      const answer = answers[index];
      return answer === undefined ? [] : [record(request, answer)];
    }),
  };
}

/** Milliseconds between two probes. */
const PROBE_INTERVAL = 300;

/** Repeats the probe until the check succeeds or times out, and then for as long as it must keep succeeding. */
async function poll(
  { within, for: holdFor }: Pick<Check, 'within' | 'for'>,
  first: ProbeRun,
  { asking }: StepsContext,
): Promise<StepOutcome> {
  const probeAgain = async () => {
    await new Promise((resolve) => setTimeout(resolve, PROBE_INTERVAL));
    asking.signal.throwIfAborted();
    return outcomeOf(first.probe, await askAll(first.probe.commands, asking));
  };
  const end = performance.now() + within * 1000;
  let outcome = first.outcome;
  while (!outcome.ok && performance.now() < end) outcome = await probeAgain();
  const until = performance.now() + (holdFor ?? 0) * 1000;
  while (outcome.ok && performance.now() < until) {
    outcome = await probeAgain();
    if (!outcome.ok) return { ...outcome, error: `it succeeded, but not for ${holdFor} s` };
  }
  return outcome;
}

async function runAction(
  step: Extract<Step, { kind: 'action' }>,
  { host }: ScenarioJob,
  context: StepsContext,
  progress: Progress,
): Promise<StepOutcome> {
  const { sets, packages, helpers, asking } = context;
  const manager = packageManager(host);
  const values = valueOn(host, sets);
  const action = mapTexts(step.action, (text) => fillPlaceholders(text, values));
  const names = (wanted: 'all' | readonly string[]) => (wanted === 'all' ? packages : wanted);
  const operations = operationsOf(action, {
    manager,
    sets,
    names,
    without: ignoredPaths(manager),
    helpers,
    ...progress,
  });
  for (const request of operations.preparation) {
    const answer = await probeCommand(request, asking);
    if (answer.status === 0) continue;
    return { ok: false, findings: [], commands: [record(request, answer)], error: 'cannot configure the repository' };
  }
  progress.repository = operations.repository ?? progress.repository;
  const commands: CommandRecord[] = [];
  let output = '';
  let last: Answer | undefined;
  let succeeded = true;
  for (const request of operations.commands) {
    last = await probeCommand(request, asking);
    commands.push(record(request, last));
    output += last.stdout + last.stderr;
    succeeded = last.status === 0 || manager.successes.includes(last.status);
    if (!succeeded) break;
  }
  if (succeeded) progress.installed = operations.installed ?? progress.installed;
  const findings =
    action.verb === 'run'
      ? [
          ...compareStatus(action.status, last?.status ?? 0),
          ...compareText('standard output', action.stdout, last?.stdout ?? ''),
          ...compareText('standard error', action.stderr, last?.stderr ?? ''),
        ]
      : [
          ...compareSuccess('fails' in action && action.fails, succeeded, last?.status ?? 0),
          ...('output' in action ? compareText('output', action.output, output) : []),
          ...remember(operations, last, progress),
        ];
  return { ok: findings.every(({ ok }) => ok), findings, commands };
}

function ignoredPaths(manager: ReturnType<typeof packageManager>): string[] {
  return [...manager.stateDirectories, manager.useRepository('/').path];
}

function compareStatus(expected: number | 'any', found: number): Finding[] {
  return expected === 'any'
    ? []
    : [{ what: 'status', expected: String(expected), found: String(found), ok: expected === found }];
}

function compareSuccess(fails: boolean, succeeded: boolean, status: number): Finding[] {
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
      expected: 'a running process',
      found: found === undefined ? 'none' : `PID ${found.identity.split(' ')[0]}`,
      ok: found !== undefined,
    },
  ];
}

function record({ command }: ProbeCommand, { status, stdout, stderr }: Answer): CommandRecord {
  return { command, status, stdout: shown(stdout), stderr: shown(stderr) };
}
