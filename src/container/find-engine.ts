import { KubeparcelError } from '../support/errors.ts';
import { cliEngine } from './cli-engine.ts';
import { type CommandResult, runCommand } from './command.ts';
import { decide } from './decide.ts';
import { ENGINE_NAMES, type Engine, type EngineName } from './engine.ts';
import { probeHost } from './host-facts.ts';

/** What asking an engine for its version brought. */
export type EngineProbe =
  | { readonly name: EngineName; readonly version: string }
  /** Why it cannot be used, one sentence without a full stop. */
  | { readonly name: EngineName; readonly version?: undefined; readonly fault: string };

/**
 * Finds podman or docker and how containers are run with it on this machine.
 *
 * @param options.engine which one; else KUBEPARCEL_ENGINE, else podman before docker
 * @throws KubeparcelError of kind 'usage' when there is none that works, with how to get one
 */
export async function findEngine(
  options: { readonly engine?: EngineName } = {},
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Engine> {
  const wanted = options.engine ?? engineName(environment.KUBEPARCEL_ENGINE);
  const [probes, facts] = await Promise.all([Promise.all(ENGINE_NAMES.map(probeEngine)), probeHost(environment)]);
  const { name, version, notes } = chooseEngine(probes, wanted);
  return cliEngine({
    name,
    version,
    notes,
    decisions: decide(name, facts),
    devices: facts.user === 0 ? facts.devices : [],
  });
}

/**
 * Which of the engines it is, and why.
 *
 * @throws KubeparcelError of kind 'usage' when none of them (or not the one that was asked for) works
 */
export function chooseEngine(
  probes: readonly EngineProbe[],
  wanted: EngineName | undefined,
): { name: EngineName; version: string; notes: string[] } {
  for (const probe of probes) {
    if (probe.version === undefined || (wanted !== undefined && probe.name !== wanted)) continue;
    const others = probes.filter(({ name }) => name !== probe.name);
    const reasons = others.map((other) =>
      other.version === undefined
        ? `not ${other.name}: ${other.fault}`
        : wanted === undefined
          ? `not ${other.name} ${other.version}, which works too (KUBEPARCEL_ENGINE=${other.name})`
          : `not ${other.name} ${other.version}: ${wanted} was asked for`,
    );
    return {
      name: probe.name,
      version: probe.version,
      notes: [`${[`${probe.name} ${probe.version}`, ...reasons].join('; ')}.`],
    };
  }
  const faults = probes.flatMap((probe) =>
    probe.version === undefined && (wanted === undefined || probe.name === wanted)
      ? [`${probe.name}: ${probe.fault}`]
      : [],
  );
  throw new KubeparcelError('usage', `no container engine that works (${faults.join('; ')})`, {
    hint: 'on Debian and Ubuntu: sudo apt-get install --no-install-recommends podman crun mmdebstrap; else see docs/containers.md',
  });
}

async function probeEngine(name: EngineName): Promise<EngineProbe> {
  const format = name === 'podman' ? '{{.Client.Version}}' : '{{.Server.Version}}';
  const result = await runCommand([name, 'version', `--format=${format}`], { timeout: 20_000 });
  const version = result.stdout.trim();
  return result.status === 0 && /^\d+\./.test(version) ? { name, version } : { name, fault: engineFault(name, result) };
}

/** Why `ENGINE version` failed. */
export function engineFault(
  name: EngineName,
  { status, stderr, timedOut }: Pick<CommandResult, 'status' | 'stderr' | 'timedOut'>,
): string {
  if (timedOut) return 'it does not answer';
  if (status === undefined && /ENOENT/.test(stderr)) return 'it is not installed';
  if (/permission denied.*(socket|sock)/is.test(stderr)) return `this user may not talk to the daemon of ${name}`;
  if (
    /cannot connect to the docker daemon|is the docker daemon running|no such file or directory.*docker\.sock/is.test(
      stderr,
    )
  ) {
    return 'the client is there, but no daemon answers it';
  }
  return stderr.trim().split('\n').at(-1) || `its version could not be read (status ${status ?? 'none'})`;
}

function engineName(text: string | undefined): EngineName | undefined {
  if (text === undefined || text === '') return undefined;
  const name = ENGINE_NAMES.find((name) => name === text);
  if (name !== undefined) return name;
  throw new KubeparcelError('usage', `no container engine: ${text}`, {
    where: 'KUBEPARCEL_ENGINE',
    hint: `set it to ${ENGINE_NAMES.join(' or ')}, or unset it`,
  });
}
