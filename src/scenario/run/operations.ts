import type { Command, PackageManager, Wanted } from '../managers/manager.ts';
import type { Action } from '../model/actions.ts';
import type { PackageSet } from '../model/expectation.ts';
import { setRank } from '../model/set-versions.ts';
import type { ProbeCommand } from '../probes/probe.ts';
import { takeSnapshot } from '../probes/snapshot.ts';
import { mainProcessCommand } from '../probes/unit.ts';
import type { HostSets } from '../sets/host-sets.ts';
import { mountedAt } from '../sets/host-sets.ts';
import { packageOf, setOf } from './values.ts';

/** State of the scenario that actions need. */
export interface ActionContext {
  readonly manager: PackageManager;
  readonly sets: HostSets;
  names(wanted: 'all' | readonly string[]): readonly string[];
  /** The set whose repository is configured. */
  readonly repository: PackageSet | 'none' | undefined;
  /** The set that was installed last. */
  readonly installed: PackageSet | undefined;
  /** Paths that snapshots ignore. */
  readonly without: readonly string[];
  /** Texts of packaging/scenarios/files. */
  readonly helpers: ReadonlyMap<string, string>;
}

/** What an action runs in the container, and the state afterwards. Pure. */
export interface Operations {
  /** Runs before the action; a failure is an error of the test. */
  readonly preparation: readonly ProbeCommand[];
  readonly commands: readonly ProbeCommand[];
  readonly repository?: PackageSet | 'none';
  readonly installed?: PackageSet;
  /** The name under which the last output is recorded. */
  readonly remember?: string;
}

/** @throws KubeparcelError of kind 'config' for a package that is not in the set */
export function operationsOf(action: Action, context: ActionContext): Operations {
  const { manager, sets } = context;
  const wanted = (names: 'all' | readonly string[], set: PackageSet): Wanted[] =>
    context.names(names).map((name) => packageOf(setOf(sets, set), name));
  const probes = (commands: readonly Command[], environment?: Readonly<Record<string, string>>): ProbeCommand[] =>
    commands.map((command) => ({
      command,
      environment: { ...manager.environment, ...environment },
      timeout: ('timeout' in action ? action.timeout : undefined) ?? 180,
    }));
  const environment = 'environment' in action ? action.environment : undefined;

  /** `exact` requires this set; otherwise any installed set is accepted. */
  const withRepository = (set: PackageSet | 'none', exact: boolean) => {
    if (context.repository === set || (!exact && context.repository !== undefined)) return { preparation: [] };
    const { path, text, commands } = manager.useRepository(mountedAt(set));
    return { preparation: [writeFile(path, text, '0644'), ...probes(commands)], repository: set };
  };

  switch (action.verb) {
    case 'install': {
      const { from, via } = action;
      return {
        ...(via === 'low-level' ? { preparation: [] } : withRepository(from, via === 'repository')),
        commands: probes(manager.install(wanted(action.install, from), via), environment),
        installed: from,
      };
    }
    case 'change': {
      const { to, via } = action;
      const direction = isOlder(sets, to, context.installed) ? 'down' : 'up';
      return {
        ...(via === 'low-level' ? { preparation: [] } : withRepository(to, via === 'repository')),
        commands: probes(manager.change(wanted(action.change, to), via, direction), environment),
        installed: to,
      };
    }
    case 'upgrade-all': {
      const to = action['upgrade-all'];
      return { ...withRepository(to, true), commands: probes(manager.upgradeAll(), environment), installed: to };
    }
    case 'reinstall': {
      const { via } = action;
      const set = context.installed ?? 'current';
      return {
        ...(via === 'low-level' ? { preparation: [] } : withRepository(set, via === 'repository')),
        commands: probes(manager.reinstall(wanted(action.reinstall, set), via), environment),
      };
    }
    case 'remove': {
      const { purge, via } = action;
      return {
        ...(via === 'low-level' ? { preparation: [] } : withRepository(context.installed ?? 'current', false)),
        commands: probes(manager.remove(context.names(action.remove), { purge, via }), environment),
      };
    }
    case 'repair': {
      const { from } = action;
      return {
        ...withRepository(from, true),
        commands: probes(manager.repair(wanted(action.repair, from)), environment),
        installed: from,
      };
    }
    case 'hold':
      return {
        ...withRepository(context.installed ?? 'current', false),
        commands: probes(manager.hold(context.names(action.hold)), environment),
      };
    case 'end-hold':
      return { preparation: [], commands: probes(manager.endHold(context.names(action['end-hold'])), environment) };
    case 'repository': {
      const { preparation } = withRepository(action.repository, true);
      return { preparation: [], commands: preparation, repository: action.repository };
    }
    case 'run': {
      const { run: command, stdin, user, timeout } = action;
      return {
        preparation: [],
        commands: [
          {
            command,
            ...(stdin === undefined ? {} : { stdin }),
            ...(environment === undefined ? {} : { environment }),
            ...(user === undefined ? {} : { user }),
            ...(timeout === undefined ? {} : { timeout }),
          },
        ],
      };
    }
    case 'write':
      return { preparation: [], commands: [writeFile(action.write, action.text, action.mode, action.append)] };
    case 'copy':
      return { preparation: [], commands: [writeFile(action.to, context.helpers.get(action.copy) ?? '', action.mode)] };
    case 'delete':
      return { preparation: [], commands: [{ command: ['rm', '-rf', '--', ...action.delete] }] };
    case 'snapshot':
      return { preparation: [], commands: [takeSnapshot(action.snapshot, action.below, context.without)] };
    case 'remember-process':
      return { preparation: [], commands: [mainProcessCommand(action.unit)], remember: action['remember-process'] };
    case 'wait':
      return { preparation: [], commands: [{ command: ['sleep', String(action.wait)], timeout: action.wait + 30 }] };
  }
}

const WRITE = `umask 022
mkdir -p -- "$(dirname -- "$1")" && cat > "$1" && chmod -- "$2" "$1"`;
const APPEND = WRITE.replace('>', '>>');

function writeFile(path: string, text: string, mode: string, append = false): ProbeCommand {
  return { command: ['sh', '-c', append ? APPEND : WRITE, 'write', path, mode], stdin: text };
}

function isOlder(sets: HostSets, to: PackageSet, from: PackageSet | undefined): boolean {
  const before = from === undefined ? undefined : sets.get(from);
  return before !== undefined && setRank(setOf(sets, to), before) < 0;
}
