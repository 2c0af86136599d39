import { KubeparcelError } from '../support/errors.ts';
import { CliEngine } from './cli-engine.ts';
import { type CommandResult, runCommand } from './command.ts';
import { decide } from './decide.ts';
import { ENGINE_NAMES, type Engine, type EngineName } from './engine.ts';
import { probeHost } from './host-facts.ts';

/** The version of an engine, or why it cannot be used. */
export type EngineProbe =
  | { readonly name: EngineName; readonly version: string }
  | { readonly name: EngineName; readonly version?: undefined; readonly fault: string };

/**
 * Finds podman or docker, and how to run containers with it on this machine.
 *
 * @param options.engine default: KUBEPARCEL_ENGINE, else podman, else docker
 * @throws KubeparcelError of kind 'usage' if no engine works
 */
export async function findEngine(
  options: { readonly engine?: EngineName | undefined } = {},
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Engine> {
  const requested = options.engine ?? engineName(environment.KUBEPARCEL_ENGINE);
  const [probes, facts] = await Promise.all([Promise.all(ENGINE_NAMES.map(probeEngine)), probeHost(environment)]);
  const { name, version, notes } = chooseEngine(probes, requested);
  return new CliEngine({
    name,
    version,
    notes,
    decisions: decide(name, facts),
    devices: facts.user === 0 ? facts.devices : [],
  });
}

/**
 * Chooses the first engine that works and explains the choice in `notes`.
 *
 * @throws KubeparcelError of kind 'usage' if no engine works, or not the requested one
 */
export function chooseEngine(
  probes: readonly EngineProbe[],
  requested: EngineName | undefined,
): { name: EngineName; version: string; notes: string[] } {
  for (const probe of probes) {
    if (probe.version === undefined || (requested !== undefined && probe.name !== requested)) continue;
    const others = probes.filter(({ name }) => name !== probe.name);
    const reasons = others.map((other) =>
      other.version === undefined
        ? `not ${other.name}: ${other.fault}`
        : requested === undefined
          ? `not ${other.name} ${other.version}, which also works (set KUBEPARCEL_ENGINE=${other.name} to use it)`
          : `not ${other.name} ${other.version}: ${requested} was requested`,
    );
    return {
      name: probe.name,
      version: probe.version,
      notes: [`${[`${probe.name} ${probe.version}`, ...reasons].join('; ')}.`],
    };
  }
  const faults = probes.flatMap((probe) =>
    probe.version === undefined && (requested === undefined || probe.name === requested)
      ? [`${probe.name}: ${probe.fault}`]
      : [],
  );
  throw new KubeparcelError('usage', `no working container engine (${faults.join('; ')})`, {
    hint: 'on Debian and Ubuntu: sudo apt-get install --no-install-recommends podman crun mmdebstrap; elsewhere see docs/containers.md',
  });
}

async function probeEngine(name: EngineName): Promise<EngineProbe> {
  const format = name === 'podman' ? '{{.Client.Version}}' : '{{.Server.Version}}';
  const result = await runCommand([name, 'version', `--format=${format}`], { timeout: 20_000 });
  const version = result.stdout.trim();
  return result.status === 0 && /^\d+\./.test(version) ? { name, version } : { name, fault: engineFault(name, result) };
}

/** Explains why `ENGINE version` failed. */
export function engineFault(
  name: EngineName,
  { status, stderr, timedOut }: Pick<CommandResult, 'status' | 'stderr' | 'timedOut'>,
): string {
  if (timedOut) return 'no answer';
  if (status === undefined && /ENOENT/.test(stderr)) return 'not installed';
  if (/permission denied.*(socket|sock)/is.test(stderr)) return `this user has no access to the ${name} daemon`;
  if (
    /cannot connect to the docker daemon|is the docker daemon running|no such file or directory.*docker\.sock/is.test(
      stderr,
    )
  ) {
    return 'the daemon is not running';
  }
  return stderr.trim().split('\n').at(-1) || `cannot read its version (status ${status ?? 'none'})`;
}

function engineName(text: string | undefined): EngineName | undefined {
  if (text === undefined || text === '') return undefined;
  const name = ENGINE_NAMES.find((name) => name === text);
  if (name !== undefined) return name;
  throw new KubeparcelError('usage', `unknown container engine ${JSON.stringify(text)}`, {
    where: 'KUBEPARCEL_ENGINE',
    hint: `set it to ${ENGINE_NAMES.join(' or ')}, or unset it`,
  });
}
