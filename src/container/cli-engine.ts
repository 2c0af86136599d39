import { setTimeout as wait } from 'node:timers/promises';
import { KubeparcelError } from '../support/errors.ts';
import { listGroups, removeGroups, tryRemoveGroups } from './cgroups.ts';
import { CliContainer, lastLine, requireSuccess } from './cli-container.ts';
import { type CommandResult, runCommand } from './command.ts';
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
import { startCommand } from './run-arguments.ts';
import { isOver, ownRunId } from './run-id.ts';

/** Milliseconds. */
const START_TIMEOUT = 60_000;
/** The engine's client may continue to start a container after its run was killed. */
const CLEAN_TIMEOUT = 15_000;

export interface CliEngineOptions {
  readonly name: EngineName;
  readonly version: string;
  readonly notes: readonly string[];
  readonly decisions: Decisions;
  readonly devices: readonly string[];
}

/** podman or docker through their command lines. run-arguments.ts and decide.ts contain the differences between them. */
export class CliEngine implements Engine {
  readonly name: EngineName;
  readonly version: string;
  readonly notes: readonly string[];
  readonly withoutSystemd: string | undefined;
  readonly #decisions: Decisions;
  readonly #devices: readonly string[];
  readonly #runId = ownRunId();

  constructor({ name, version, notes, decisions, devices }: CliEngineOptions) {
    this.name = name;
    this.version = version;
    this.notes = [...notes, ...decisions.notes];
    this.withoutSystemd = decisions.withoutSystemd;
    this.#decisions = decisions;
    this.#devices = devices;
  }

  async findImage(reference: string): Promise<string | undefined> {
    const result = await this.#run(['image', 'inspect', '--format={{.Id}}', '--', reference]);
    return result.status === 0 ? bareId(result.stdout) : undefined;
  }

  async pullImage(reference: string, signal?: AbortSignal): Promise<string> {
    const result = await this.#run(['pull', '--quiet', '--', reference], signal);
    if (result.status !== 0) throw pullFailure(reference, result);
    return (await this.findImage(reference)) ?? bareId(result.stdout);
  }

  async importImage(
    tar: string,
    reference: string,
    labels: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<string> {
    const result = await this.#run(['import', ...imageChanges(labels), tar, reference], signal);
    requireSuccess(this.name, result, `${this.name} cannot make an image of a root file system`, tar);
    return (await this.findImage(reference)) ?? bareId(result.stdout);
  }

  async commit(container: string, reference: string, labels: Readonly<Record<string, string>>): Promise<string> {
    // The mounts of a running container may be visible in its own mount namespace only.
    const stopped = await this.#run(['stop', '--time=0', container]);
    requireSuccess(this.name, stopped, `${this.name} cannot stop a container`, container);
    const result = await this.#run(['commit', ...imageChanges(labels), container, reference]);
    requireSuccess(this.name, result, `${this.name} cannot make an image of a container`, reference);
    return (await this.findImage(reference)) ?? bareId(result.stdout);
  }

  async listImages(): Promise<ImageInfo[]> {
    const ids = await this.#run(['images', '--quiet', '--no-trunc', `--filter=label=${LABEL}=image`]);
    requireSuccess(this.name, ids, 'cannot list images', this.name);
    const images: ImageInfo[] = [];
    for (const id of new Set(splitWords(ids.stdout).map(bareId))) {
      const format = '{{.Size}}\n{{json .RepoTags}}\n{{json .Config.Labels}}';
      const result = await this.#run(['image', 'inspect', `--format=${format}`, '--', id]);
      const [size = '', references = '', ...labels] = result.stdout.split('\n');
      if (result.status !== 0) continue;
      images.push({ id, size: Number(size), references: strings(references), labels: ownLabels(labels.join('\n')) });
    }
    return images;
  }

  async removeImage(reference: string): Promise<void> {
    const result = await this.#run(['rmi', '--', reference]);
    if (/no such image|image not known/i.test(result.stderr)) return;
    requireSuccess(this.name, result, `${this.name} cannot remove an image`, reference);
  }

  async start(options: StartOptions): Promise<Container> {
    if (options.init === 'systemd' && this.withoutSystemd !== undefined) {
      throw new KubeparcelError('usage', `systemd cannot run in a container here: ${this.withoutSystemd}`);
    }
    const { name, image, init, signal } = options;
    const command = startCommand(options, {
      engine: this.name,
      decisions: this.#decisions,
      runId: this.#runId,
      devices: this.#devices,
    });
    let nameTaken = false;
    try {
      const result = await runCommand(command, { timeout: START_TIMEOUT, signal });
      if (result.status !== 0) {
        nameTaken = /name .* is already in use|that name is already in use/i.test(result.stderr);
        throw new KubeparcelError('io', `${this.name} cannot start a container: ${lastLine(result)}`, { where: name });
      }
      const container = this.#container(name, image, init, this.#runId);
      if (init === 'systemd') await container.waitForBoot(signal);
      return container;
    } catch (error) {
      // An existing container with this name belongs to another run.
      if (!nameTaken) await this.#remove(name, this.#runId).catch(() => {});
      throw error;
    }
  }

  async listContainers(): Promise<ContainerInfo[]> {
    const ids = await this.#run(['ps', '--all', '--quiet', '--no-trunc', `--filter=label=${LABEL}=container`]);
    requireSuccess(this.name, ids, 'cannot list containers', this.name);
    const infos = await Promise.all(splitWords(ids.stdout).map((id) => this.#inspect(id)));
    return infos.filter((info) => info !== undefined);
  }

  async clean(scope: 'dead-runs' | 'over' | 'all'): Promise<string[]> {
    const inScope = (run: string, keep: boolean) => scope === 'all' || (isOver(run) && (scope === 'over' || !keep));
    const containerInScope = ({ labels }: ContainerInfo) => inScope(labels.run ?? '', labels.keep !== undefined);
    const removed: string[] = [];
    for (const end = performance.now() + CLEAN_TIMEOUT; ; await wait(100)) {
      for (const { name, labels } of (await this.listContainers()).filter(containerInScope)) {
        await this.#remove(name, labels.run ?? '');
        removed.push(name);
      }
      if (this.#decisions.privateCgroups === undefined) return removed;
      // A group without a container belongs to a run that was killed while starting a container. The engine's client may
      // still create that container a moment later.
      const groupsInUse = new Set(
        (await this.listContainers())
          .filter((container) => !containerInScope(container))
          .map(({ name, labels }) => `${labels.run}/${name}`),
      );
      let busy = false;
      for (const group of await listGroups()) {
        if (groupsInUse.has(group) || !inScope(group.split('/')[0] ?? '', false)) continue;
        if (await tryRemoveGroups(group)) removed.push(`cgroup ${group}`);
        else busy = true;
      }
      if (!busy || performance.now() > end) return removed;
    }
  }

  async attach(name: string): Promise<Container> {
    const info = await this.#inspect(name);
    if (info === undefined || !info.running) {
      throw new KubeparcelError('usage', info === undefined ? 'no such container' : 'the container is not running', {
        where: name,
        hint: 'kubeparcel test --keep keeps the container of a scenario',
      });
    }
    const { image, labels } = info;
    return this.#container(name, image, labels.init === 'none' ? 'none' : 'systemd', labels.run ?? '');
  }

  #run(parameters: readonly string[], signal?: AbortSignal): Promise<CommandResult> {
    return runCommand([this.name, ...this.#decisions.globalFlags, ...parameters], { signal });
  }

  #container(name: string, image: string, init: StartOptions['init'], run: string): CliContainer {
    return new CliContainer({ engine: this.name, name, image, init, remove: () => this.#remove(name, run) });
  }

  /** @returns undefined if the container does not exist */
  async #inspect(id: string): Promise<ContainerInfo | undefined> {
    const format = '{{.Name}}\n{{.State.Running}}\n{{.Config.Image}}\n{{json .Config.Labels}}';
    const result = await this.#run(['container', 'inspect', `--format=${format}`, '--', id]);
    if (result.status !== 0) return undefined;
    const [name = '', running = '', image = '', ...labels] = result.stdout.split('\n');
    return { name: name.replace(/^\//, ''), running: running === 'true', image, labels: ownLabels(labels.join('\n')) };
  }

  async #remove(name: string, run: string): Promise<void> {
    const flags = ['--force', '--volumes', ...(this.name === 'podman' ? ['--time=0'] : [])];
    const result = await this.#run(['rm', ...flags, name]);
    if (!/no (such )?container|does not exist/i.test(result.stderr)) {
      requireSuccess(this.name, result, `${this.name} cannot remove a container`, name);
    }
    if (this.#decisions.privateCgroups !== undefined) await removeGroups(`${run}/${name}`);
  }
}

/** docker prints sha256:HEX, podman HEX. */
function bareId(text: string): string {
  return (text.trim().split('\n').at(-1) ?? '').replace(/^sha256:/, '');
}

function splitWords(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

/** Flags of `import` and `commit`. */
function imageChanges(labels: Readonly<Record<string, string>>): string[] {
  const labelChanges = Object.entries({ '': 'image', ...labels }).map(
    ([key, value]) => `LABEL ${key === '' ? LABEL : `${LABEL}.${key}`}=${JSON.stringify(value)}`,
  );
  return ['CMD ["/bin/sh"]', ...labelChanges].map((change) => `--change=${change}`);
}

/** The labels below io.kubeparcel, without that prefix. */
function ownLabels(json: string): Record<string, string> {
  const labels: unknown = JSON.parse(json || 'null');
  return Object.fromEntries(
    Object.entries(labels ?? {}).flatMap(([key, value]) =>
      key.startsWith(`${LABEL}.`) && typeof value === 'string' ? [[key.slice(LABEL.length + 1), value]] : [],
    ),
  );
}

function strings(json: string): string[] {
  const values: unknown = JSON.parse(json || 'null');
  return Array.isArray(values) ? values.filter((value) => typeof value === 'string') : [];
}

function pullFailure(reference: string, result: CommandResult): KubeparcelError {
  const differs = /digest|manifest unknown|checksum/i.test(result.stderr) && reference.includes('@');
  return new KubeparcelError(differs ? 'verification' : 'network', `cannot pull an image: ${lastLine(result)}`, {
    where: reference,
    hint: differs ? 'kubeparcel images pin updates the digest' : 'use --images local, which needs no registry',
  });
}
