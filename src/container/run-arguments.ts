import { KubeparcelError } from '../support/errors.ts';
import type { Decisions } from './decide.ts';
import { type EngineName, LABEL, type StartOptions } from './engine.ts';
import { ENTER, INIT } from './scripts.ts';

/** The facts of kubeparcel and of the machine that `run` needs. */
export interface RunContext {
  readonly engine: EngineName;
  readonly decisions: Decisions;
  readonly runId: string;
  /** Character devices of this machine: /dev/kmsg. */
  readonly devices: readonly string[];
}

/**
 * The command that starts a container: `podman run ...`, in a private mount namespace if the machine requires it.
 *
 * @throws KubeparcelError of kind 'usage' for an invalid name, path or size
 */
export function startCommand(options: StartOptions, context: RunContext): string[] {
  const { engine, decisions, runId } = context;
  validate(options);
  const systemd = options.init === 'systemd';
  const controllers = systemd && options.controllers === true && decisions.privateCgroups !== undefined;
  const command = [
    engine,
    ...decisions.globalFlags,
    'run',
    '--detach',
    `--name=${options.name}`,
    '--pull=never',
    `--network=${options.network ?? 'none'}`,
    ...(options.network === 'host' ? [] : [`--hostname=${options.hostname ?? 'node'}`]),
    ...Object.entries({ run: runId, ...options.labels }).flatMap(([key, value]) => [
      `--label=${LABEL}.${key}=${value}`,
    ]),
    `--label=${LABEL}=container`,
    ...decisions.runFlags,
    ...(systemd ? machineFlags(context) : []),
    ...(options.mounts ?? []).map(
      ({ source, target, writable }) =>
        `--mount=type=bind,source=${source},target=${target}${writable ? '' : ',readonly'}`,
    ),
    ...(options.tmpfs ?? []).map(tmpfsFlag),
    ...(options.user === undefined ? [] : [`--user=${options.user}`]),
    ...Object.entries(options.environment ?? {}).map(([name, value]) => `--env=${name}=${value}`),
    '--entrypoint=',
    options.image,
    ...(systemd
      ? ['/bin/sh', '-c', INIT, LABEL, controllers ? 'v1' : 'v2', '/sbin/init', ...(controllers ? LEGACY : [])]
      : ['sleep', 'infinity']),
  ];
  return decisions.privateCgroups === undefined
    ? command
    : [
        ...PRIVATE_NAMESPACE,
        ENTER,
        LABEL,
        `${runId}/${options.name}`,
        ...(controllers ? decisions.privateCgroups.parents : []),
        '--',
        ...command,
      ];
}

function tmpfsFlag({ path, sizeBytes }: NonNullable<StartOptions['tmpfs']>[number]): string {
  const mode = path === '/tmp' || path === '/var/tmp' ? '1777' : '755';
  return `--tmpfs=${path}:rw,exec,mode=${mode}${sizeBytes === undefined ? '' : `,size=${sizeBytes}`}`;
}

/** Runs a shell script in a private mount namespace; append the script, `$0` and the positional parameters. */
export const PRIVATE_NAMESPACE = ['unshare', '--mount', '--propagation=private', '/bin/sh', '-c'] as const;

/** systemd 256 and later boot on cgroup v1 only with both options. */
const LEGACY = ['systemd.unified_cgroup_hierarchy=0', 'SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1'];

/** Flags that make a container similar to a machine; INIT (scripts.ts) does the rest inside. */
function machineFlags({ engine, devices }: RunContext): string[] {
  return [
    '--cap-add=ALL',
    '--security-opt=seccomp=unconfined',
    '--security-opt=apparmor=unconfined',
    ...devices.map((path) => `--device=${path}`),
    ...(engine === 'podman'
      ? ['--security-opt=label=disable', '--security-opt=unmask=ALL', '--systemd=always']
      : [
          '--security-opt=systempaths=unconfined',
          '--cgroupns=private',
          '--tmpfs=/run:rw,exec,mode=755',
          '--tmpfs=/run/lock',
          '--tmpfs=/tmp:rw,exec,mode=1777',
          '--env=container=docker',
          // systemd(1): the signal that requests a shutdown.
          '--stop-signal=RTMIN+3',
        ]),
  ];
}

/** Rejects values that change the meaning of a flag: a comma separates fields of --mount, a colon those of --tmpfs. */
function validate({ name, hostname, mounts, tmpfs, environment, labels }: StartOptions): void {
  const invalid = (what: string, where: string): never => {
    throw new KubeparcelError('usage', `invalid ${what}`, { where });
  };
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/.test(name)) invalid('container name', name);
  if (hostname !== undefined && !/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/.test(hostname)) invalid('host name', hostname);
  for (const { source, target } of mounts ?? []) {
    for (const path of [source, target]) {
      if (!path.startsWith('/') || /[,\n"]/.test(path))
        invalid('mount (expected an absolute path without commas and quotes)', path);
    }
  }
  for (const { path, sizeBytes } of tmpfs ?? []) {
    if (!path.startsWith('/') || /[,:\n]/.test(path)) invalid('path of a tmpfs', path);
    if (sizeBytes !== undefined && !(Number.isSafeInteger(sizeBytes) && sizeBytes > 0))
      invalid('size of a tmpfs', path);
  }
  for (const variable of Object.keys(environment ?? {})) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(variable)) invalid('name of an environment variable', variable);
  }
  for (const label of Object.keys(labels ?? {})) {
    if (!/^[a-z][a-z0-9-]*$/.test(label) || label === 'run') invalid('container label', label);
  }
}
