import { setTimeout as wait } from 'node:timers/promises';
import { KubeparcelError } from '../support/errors.ts';
import { runCommand } from './command.ts';
import { containerOf, lastLine, refuse } from './container.ts';
import type { Decisions } from './decide.ts';
import {
  type Container,
  type ContainerInfo,
  type Engine,
  type EngineName,
  type ImageInfo,
  LABEL,
  type StartOptions,
} from './engine.ts';
import { listGroups, sweepGroups, sweepOnce } from './groups.ts';
import { startCommand } from './run-arguments.ts';
import { isOver, ownRunId } from './run-id.ts';

/** Milliseconds. systemd boots in a second; a loaded machine may need more. */
const BOOT_TIMEOUT = 120_000;
const START_TIMEOUT = 60_000;
/** How long an engine's client may go on starting a container after its run was killed. */
const CLEAN_PATIENCE = 15_000;

export interface CliEngineOptions {
  readonly name: EngineName;
  readonly version: string;
  readonly notes: readonly string[];
  readonly decisions: Decisions;
  readonly devices: readonly string[];
}

/** podman or docker by their command lines, which are the same but for what run-arguments.ts and decide.ts know. */
export function cliEngine({ name: engine, version, notes, decisions, devices }: CliEngineOptions): Engine {
  const runId = ownRunId();
  const ask = (parameters: readonly string[], signal?: AbortSignal) =>
    runCommand([engine, ...decisions.globalFlags, ...parameters], signal === undefined ? {} : { signal });

  async function inspect(reference: string): Promise<string | undefined> {
    const result = await ask(['image', 'inspect', '--format={{.Id}}', '--', reference]);
    return result.status === 0 ? bareId(result.stdout) : undefined;
  }

  async function remove(name: string, run: string): Promise<void> {
    const result = await ask(['rm', '--force', '--volumes', ...(engine === 'podman' ? ['--time=0'] : []), name]);
    const gone = result.status === 0 || /no (such )?container|does not exist/i.test(result.stderr);
    if (!gone) refuse(engine, name, result, 'a container could not be removed', name);
    if (decisions.privateCgroups !== undefined) await sweepGroups(`${run}/${name}`);
  }

  async function start(options: StartOptions): Promise<Container> {
    if (options.init === 'systemd' && decisions.withoutSystemd !== undefined) {
      throw new KubeparcelError('usage', `systemd cannot be run in a container here: ${decisions.withoutSystemd}`);
    }
    const { name, image, init, signal } = options;
    const command = startCommand(options, { engine, decisions, runId, devices });
    let taken = false;
    try {
      const result = await runCommand(command, { timeout: START_TIMEOUT, ...(signal === undefined ? {} : { signal }) });
      if (result.status !== 0) {
        // It is another one's, which must not be removed for it.
        taken = /name .* is already in use|that name is already in use/i.test(result.stderr);
        throw new KubeparcelError('io', `${engine} could not start a container: ${lastLine(result)}`, { where: name });
      }
      const early = containerOf(engine, { name, image, init, failedUnits: [] }, () => remove(name, runId));
      const failedUnits = init === 'systemd' ? await bootedWith(early, signal) : [];
      return { ...early, failedUnits };
    } catch (error) {
      if (!taken) await remove(name, runId).catch(() => {});
      throw error;
    }
  }

  async function listContainers(): Promise<ContainerInfo[]> {
    const ids = await ask(['ps', '--all', '--quiet', '--no-trunc', `--filter=label=${LABEL}=container`]);
    refuse(engine, '', ids, 'containers could not be listed', engine);
    const infos = await Promise.all(words(ids.stdout).map(containerInfo));
    return infos.filter((info) => info !== undefined);
  }

  /** Undefined for one that went away meanwhile. */
  async function containerInfo(id: string): Promise<ContainerInfo | undefined> {
    const format = '{{.Name}}\n{{.State.Running}}\n{{.Config.Image}}\n{{json .Config.Labels}}';
    const result = await ask(['container', 'inspect', `--format=${format}`, '--', id]);
    const [name = '', running = '', image = '', ...labels] = result.stdout.split('\n');
    return result.status === 0
      ? { name: name.replace(/^\//, ''), running: running === 'true', image, labels: ownLabels(labels.join('\n')) }
      : undefined;
  }

  return {
    name: engine,
    version,
    notes: [...notes, ...decisions.notes],
    withoutSystemd: decisions.withoutSystemd,
    findImage: inspect,
    pullImage: async (reference, signal) => {
      const result = await ask(['pull', '--quiet', '--', reference], signal);
      if (result.status !== 0) throw pullFailure(reference, lastLine(result), result.stderr);
      return (await inspect(reference)) ?? bareId(result.stdout);
    },
    importImage: async (tar, reference, labels, signal) => {
      const changes = ['CMD ["/bin/sh"]', ...labelChanges(labels)].map((change) => `--change=${change}`);
      const result = await ask(['import', ...changes, tar, reference], signal);
      refuse(engine, reference, result, `${engine} could not make an image of a root file system`, tar);
      return (await inspect(reference)) ?? bareId(result.stdout);
    },
    commit: async (container, reference, labels) => {
      // What a running container has mounted may be seen in its own mount namespace only.
      const stopped = await ask(['stop', '--time=0', container]);
      refuse(engine, container, stopped, 'a container could not be stopped', container);
      const changes = ['CMD ["/bin/sh"]', ...labelChanges(labels)].map((change) => `--change=${change}`);
      const result = await ask(['commit', ...changes, container, reference]);
      refuse(engine, container, result, `${engine} could not make an image of a container`, reference);
      return (await inspect(reference)) ?? bareId(result.stdout);
    },
    listImages: async () => {
      const ids = await ask(['images', '--quiet', '--no-trunc', `--filter=label=${LABEL}=image`]);
      refuse(engine, '', ids, 'images could not be listed', engine);
      const images: ImageInfo[] = [];
      for (const id of new Set(words(ids.stdout).map(bareId))) {
        const format = '{{.Size}}\n{{json .RepoTags}}\n{{json .Config.Labels}}';
        const result = await ask(['image', 'inspect', `--format=${format}`, '--', id]);
        const [size = '', references = '', ...labels] = result.stdout.split('\n');
        if (result.status !== 0) continue;
        images.push({ id, size: Number(size), references: texts(references), labels: ownLabels(labels.join('\n')) });
      }
      return images;
    },
    removeImage: async (reference) => {
      const result = await ask(['rmi', '--', reference]);
      const gone = /no such image|image not known/i.test(result.stderr);
      if (!gone) refuse(engine, reference, result, 'an image could not be removed', reference);
    },
    start,
    listContainers,
    clean: async (scope) => {
      const mine = (run: string, keep: boolean) => scope === 'all' || (isOver(run) && (scope === 'over' || !keep));
      const removed: string[] = [];
      for (const end = performance.now() + CLEAN_PATIENCE; ; await wait(100)) {
        for (const { name, labels } of await listContainers()) {
          if (!mine(labels.run ?? '', labels.keep !== undefined)) continue;
          await remove(name, labels.run ?? '');
          removed.push(name);
        }
        if (decisions.privateCgroups === undefined) return removed;
        // Groups without a container are of a run that was killed while it started one; the engine's client may go on,
        // and the container be there a moment later.
        const kept = new Set(
          (await listContainers())
            .filter(({ labels }) => !mine(labels.run ?? '', labels.keep !== undefined))
            .map(({ name, labels }) => `${labels.run}/${name}`),
        );
        let busy = false;
        for (const group of await listGroups()) {
          if (kept.has(group) || !mine(group.split('/')[0] ?? '', false)) continue;
          if (await sweepOnce(group)) removed.push(`cgroup ${group}`);
          else busy = true;
        }
        if (!busy || performance.now() > end) return removed;
      }
    },
    attach: async (name) => {
      const info = await containerInfo(name);
      if (info === undefined || !info.running) {
        throw new KubeparcelError(
          'usage',
          info === undefined ? 'there is no such container' : 'the container has ended',
          {
            where: name,
            hint: 'keep one with kubeparcel test --keep',
          },
        );
      }
      const init = info.labels.init === 'none' ? 'none' : 'systemd';
      return containerOf(engine, { name, image: info.image, init, failedUnits: [] }, () =>
        remove(name, info.labels.run ?? ''),
      );
    },
  };
}

/** Waits for systemd's start to be over. One call, since each costs more than the boot itself. */
async function bootedWith(container: Container, signal: AbortSignal | undefined): Promise<string[]> {
  const options = { timeout: BOOT_TIMEOUT, ...(signal === undefined ? {} : { signal }) };
  const { status, stdout, stderr, timedOut } = await container.exec(['sh', '-c', AWAIT_BOOT], options);
  const [state = '', ...failed] = stdout.trim().split('\n');
  if (status === 0 && state === 'running') return [];
  if (status === 0 && state === 'degraded')
    return failed.map((line) => line.split(' ')[0] ?? '').filter((unit) => unit !== '');
  const what = timedOut
    ? 'systemd did not finish booting in the container'
    : `systemd did not boot: ${state || stderr.trim()}`;
  const log = await container.logs().catch(() => '');
  throw new KubeparcelError('io', `${what}\n  ${log.trim().split('\n').slice(-15).join('\n  ')}`, {
    where: container.name,
  });
}

const AWAIT_BOOT = `while :; do
  state=$(systemctl is-system-running 2>/dev/null)
  case $state in
    running | degraded) break ;;
    maintenance | stopping) echo "$state"; exit 1 ;;
  esac
  sleep 0.05
done
echo "$state"
systemctl list-units --failed --plain --no-legend --no-pager
`;

/** docker writes sha256:HEX, podman HEX. */
function bareId(text: string): string {
  return (text.trim().split('\n').at(-1) ?? '').replace(/^sha256:/, '');
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

function labelChanges(labels: Readonly<Record<string, string>>): string[] {
  return Object.entries({ '': 'image', ...labels }).map(
    ([key, value]) => `LABEL ${key === '' ? LABEL : `${LABEL}.${key}`}=${JSON.stringify(value)}`,
  );
}

function ownLabels(json: string): Record<string, string> {
  const labels: unknown = JSON.parse(json || 'null');
  return Object.fromEntries(
    Object.entries(labels ?? {}).flatMap(([key, value]) =>
      key.startsWith(`${LABEL}.`) && typeof value === 'string' ? [[key.slice(LABEL.length + 1), value]] : [],
    ),
  );
}

function texts(json: string): string[] {
  const values: unknown = JSON.parse(json || 'null');
  return Array.isArray(values) ? values.filter((value) => typeof value === 'string') : [];
}

function pullFailure(reference: string, message: string, stderr: string): KubeparcelError {
  const differs = /digest|manifest unknown|checksum/i.test(stderr) && reference.includes('@');
  return new KubeparcelError(differs ? 'verification' : 'network', `an image could not be pulled: ${message}`, {
    where: reference,
    hint: differs
      ? 'kubeparcel images pin asks the registry for its digest'
      : 'use --images local, which needs no registry',
  });
}
