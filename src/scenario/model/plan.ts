import type { LeftOut } from './events.ts';
import type { PackageSet } from './expectation.ts';
import type { ScenarioHost } from './host.ts';
import { placeholdersOf, textsOf } from './placeholders.ts';
import type { Scenario, Step } from './scenario.ts';

/** A scenario on a host, with the steps that apply to it. */
export interface ScenarioJob {
  readonly host: ScenarioHost;
  readonly scenario: Scenario;
  readonly steps: readonly Step[];
  /** Sets that the steps use; always includes `current`. */
  readonly sets: readonly PackageSet[];
}

export interface PlanInput {
  readonly hosts: readonly ScenarioHost[];
  readonly scenarios: readonly Scenario[];
  /** Payload of the packages under test for a host. */
  payloadOn(host: ScenarioHost): 'sample' | 'real';
  /** Why a host has no such set; undefined if it has one. */
  withoutSet(host: ScenarioHost, set: PackageSet): string | undefined;
  /** Why systemd cannot run in containers on this machine; undefined if it can. */
  readonly withoutSystemd: string | undefined;
  readonly hasControlPlane: boolean;
}

export interface Plan {
  readonly jobs: readonly ScenarioJob[];
  readonly leftOut: readonly LeftOut[];
}

/** Combines hosts and scenarios into jobs, host by host, and states why some are skipped. Pure. */
export function planScenarios(input: PlanInput): Plan {
  const jobs: ScenarioJob[] = [];
  const leftOut: LeftOut[] = [];
  for (const host of input.hosts) {
    const payload = input.payloadOn(host);
    for (const scenario of input.scenarios) {
      const steps = scenario.steps.filter(({ on }) => includesHost(on, host, payload));
      const sets = setsOf(steps);
      const reason = reasonToSkip(scenario, host, payload, steps, sets, input);
      if (reason === undefined) jobs.push({ host, scenario, steps, sets });
      else leftOut.push({ host: host.id, scenario: scenario.name, group: scenario.group, reason });
    }
  }
  return { jobs, leftOut };
}

function reasonToSkip(
  { hosts, container }: Scenario,
  host: ScenarioHost,
  payload: 'sample' | 'real',
  steps: readonly Step[],
  sets: readonly PackageSet[],
  input: PlanInput,
): string | undefined {
  const { format } = host.distribution;
  if (hosts.formats !== undefined && !hosts.formats.includes(format)) return `only for ${hosts.formats.join(', ')}`;
  if (hosts.managers !== undefined && !hosts.managers.includes(host.manager)) {
    return `only for ${hosts.managers.join(', ')}`;
  }
  if (hosts.payload !== 'any' && hosts.payload !== payload) return `only with a ${hosts.payload} payload`;
  if (!includesHost(hosts.names, host, payload)) return `only on ${hosts.names?.join(', ')}`;
  if (container.init === 'systemd' && input.withoutSystemd !== undefined) {
    return `needs systemd, which cannot run in containers on this machine: ${input.withoutSystemd}`;
  }
  const needsControlPlane =
    container['control-plane'] || usedPlaceholders(steps).some(({ name }) => name === 'control-plane');
  if (needsControlPlane && !input.hasControlPlane) {
    return 'needs the control plane (--control-plane)';
  }
  for (const set of sets) {
    const reason = input.withoutSet(host, set);
    if (reason !== undefined) return reason;
  }
  return steps.length === 0 ? 'no step applies to this host' : undefined;
}

/** Whether a list of places (deb, dnf, real, debian-12, -debian-11) includes a host. */
function includesHost(places: readonly string[] | undefined, host: ScenarioHost, payload: 'sample' | 'real'): boolean {
  if (places === undefined) return true;
  const words = [host.id, host.distribution.format, host.manager, payload];
  const unwanted = places.filter((place) => place.startsWith('-'));
  const wanted = places.filter((place) => !place.startsWith('-'));
  return (
    !unwanted.some((place) => words.includes(place.slice(1))) &&
    (wanted.length === 0 || wanted.some((place) => words.includes(place)))
  );
}

/** Sets that steps use, in keys or in placeholders. */
function setsOf(steps: readonly Step[]): PackageSet[] {
  const sets = new Set<PackageSet>(['current']);
  for (const step of steps) {
    if (step.kind === 'action') {
      const { action } = step;
      if ('from' in action) sets.add(action.from);
      if (action.verb === 'change') sets.add(action.to);
      if (action.verb === 'upgrade-all') sets.add(action['upgrade-all']);
      if (action.verb === 'repository' && action.repository !== 'none') sets.add(action.repository);
    } else if (step.check.verb === 'package' && step.check.from !== undefined) {
      sets.add(step.check.from);
    }
  }
  for (const { set } of usedPlaceholders(steps)) if (set !== undefined) sets.add(set as PackageSet);
  return [...sets];
}

function usedPlaceholders(steps: readonly Step[]) {
  return textsOf(steps).flatMap(placeholdersOf);
}
