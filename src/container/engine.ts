import type { CommandResult } from './command.ts';

export const ENGINE_NAMES = ['podman', 'docker'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

/** Label of every container and image that kubeparcel makes; `kubeparcel test --clean` finds them by it. */
export const LABEL = 'io.kubeparcel';

/** One interface for podman and docker. Every command is a list of arguments; no external input passes through a shell. */
export interface Engine {
  readonly name: EngineName;
  readonly version: string;
  /** Sentences for the user: why this engine was chosen, and how this machine differs from a typical one. */
  readonly notes: readonly string[];
  /** Why systemd cannot be PID 1; undefined if it can. */
  readonly withoutSystemd: string | undefined;
  /** @returns the ID of the image (SHA-256 in hex); undefined if it is not on this machine */
  findImage(reference: string): Promise<string | undefined>;
  /** @throws KubeparcelError of kind 'network' if no registry answers, 'verification' if the digest differs */
  pullImage(reference: string, signal?: AbortSignal): Promise<string>;
  /** Makes an image of a root file system in a tar file. Labels get the prefix `io.kubeparcel.`. */
  importImage(
    tar: string,
    reference: string,
    labels: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<string>;
  /** Stops a container and makes an image of it; labels as for `importImage`. */
  commit(container: string, reference: string, labels: Readonly<Record<string, string>>): Promise<string>;
  listImages(): Promise<readonly ImageInfo[]>;
  removeImage(reference: string): Promise<void>;
  /** Starts a container; with systemd, waits until it has booted. */
  start(options: StartOptions): Promise<Container>;
  /** Lists the containers with kubeparcel's label, including those of killed runs. */
  listContainers(): Promise<readonly ContainerInfo[]>;
  /**
   * Removes containers with kubeparcel's label, and their cgroups and mounts.
   *
   * @param scope `dead-runs`: containers of runs that have ended, unless they have the label `keep`; `over`: all containers
   * of runs that have ended; `all`: also those of active runs
   * @returns the names of the removed containers and cgroups
   */
  clean(scope: 'dead-runs' | 'over' | 'all'): Promise<readonly string[]>;
  /** Returns a container that an earlier run kept. @throws KubeparcelError of kind 'usage' if it is not running */
  attach(name: string): Promise<Container>;
}

export interface ImageInfo {
  readonly id: string;
  readonly references: readonly string[];
  /** Bytes. */
  readonly size: number;
  /** Labels without the prefix `io.kubeparcel.`: recipe, host. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface ContainerInfo {
  readonly name: string;
  readonly image: string;
  readonly running: boolean;
  /**
   * Labels without the prefix `io.kubeparcel.`, such as `scenario` and `host`. The engine sets `run`; `keep` excludes a
   * container from `clean('dead-runs')`.
   */
  readonly labels: Readonly<Record<string, string>>;
}

export interface StartOptions {
  readonly image: string;
  /** Unique on the machine. */
  readonly name: string;
  /**
   * systemd: PID 1 is systemd, with all capabilities, no seccomp filter, /dev/kmsg, and the kernel settings of the
   * container's own network writable. none: an ordinary container whose process only sleeps, for image builds and
   * scenarios of a container or chroot.
   */
  readonly init: 'systemd' | 'none';
  /**
   * Provide cgroup controllers (cpu, memory, pids), which a real kubelet needs. No effect on machines with cgroup v2. On
   * machines with v1, systemd runs on v1 if this is set, and on v2 without controllers if not.
   */
  readonly controllers?: boolean | undefined;
  /** `none` (loopback only) by default; `host` is for image builds with a vendor's package manager. */
  readonly network?: 'none' | 'host' | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Paths of this machine, read-only by default. */
  readonly mounts?:
    | readonly { readonly source: string; readonly target: string; readonly writable?: boolean }[]
    | undefined;
  /** Memory file systems; `sizeBytes` limits their size, for example to test a full disk. */
  readonly tmpfs?: readonly { readonly path: string; readonly sizeBytes?: number }[] | undefined;
  /** node by default; also in /etc/hosts. */
  readonly hostname?: string | undefined;
  /** The user of PID 1 without systemd; root by default. */
  readonly user?: string | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  /** Units that failed while systemd booted; empty without systemd. */
  readonly failedUnits: readonly string[];
  /** Resolves for every exit status. Output is cut off after 8 MiB per stream, with a note at its end. */
  exec(command: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** Copies a file or directory of this machine into a directory of the container, which it creates if necessary. */
  copyIn(source: string, targetDirectory: string): Promise<void>;
  /** Copies a file or directory of the container into a directory of this machine, which it creates if necessary. */
  copyOut(source: string, targetDirectory: string): Promise<void>;
  /** The output of PID 1; with systemd, the journal. */
  logs(): Promise<string>;
  /** Stops and removes the container, its cgroups and mounts. Does nothing if it does not exist. */
  remove(): Promise<void>;
  /** The command to type on this machine to run a command in the container: ['podman', 'exec', ...]. */
  commandLine(command: readonly string[], options?: { readonly interactive?: boolean }): readonly string[];
}

export interface ExecOptions {
  readonly user?: string | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly stdin?: string | Uint8Array | undefined;
  /** Milliseconds; 120,000 by default. A command that takes longer is killed and has status 124. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ExecResult extends CommandResult {
  readonly command: readonly string[];
  /** 0 to 255; 124 after a timeout. */
  readonly status: number;
}
