/**
 * What kubeparcel asks of a container engine, the same for podman and docker. Every command is a list of arguments; no
 * text from outside passes through a shell.
 */

export const ENGINE_NAMES = ['podman', 'docker'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

/** On every container and image that kubeparcel makes; `kubeparcel test --clean` finds them by it. */
export const LABEL = 'io.kubeparcel';

export interface Engine {
  readonly name: EngineName;
  readonly version: string;
  /** Why this engine and not another, and how this host differs from an ordinary one; sentences for people. */
  readonly notes: readonly string[];
  /** Undefined where systemd can be PID 1; else why it cannot. */
  readonly withoutSystemd: string | undefined;
  /** The image's ID (sha256 hex), or undefined when it is not on this machine. */
  findImage(reference: string): Promise<string | undefined>;
  /** @throws KubeparcelError of kind 'network' when no registry answers, 'verification' for another digest */
  pullImage(reference: string, signal?: AbortSignal): Promise<string>;
  /** Makes an image of a root file system in a tar file. Labels are below io.kubeparcel: { recipe: ... }. */
  importImage(
    tar: string,
    reference: string,
    labels: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<string>;
  /** Makes an image of a stopped or running container, with the same labels as importImage. */
  commit(container: string, reference: string, labels: Readonly<Record<string, string>>): Promise<string>;
  /** Images with kubeparcel's label. */
  listImages(): Promise<readonly ImageInfo[]>;
  removeImage(reference: string): Promise<void>;
  /** Starts a container; resolves when PID 1 runs (and systemd, where asked for, has finished booting). */
  start(options: StartOptions): Promise<Container>;
  /** Containers with kubeparcel's label, of this and of killed runs. */
  listContainers(): Promise<readonly ContainerInfo[]>;
  /**
   * Removes containers with kubeparcel's label, and what they left in cgroups and mounts: `dead-runs`, those whose run is
   * over but that were not kept on purpose; `over`, those too; `all`, also those of runs that go on.
   *
   * @returns the names of what was removed
   */
  clean(scope: 'dead-runs' | 'over' | 'all'): Promise<readonly string[]>;
  /** Finds a container that an earlier run kept. */
  attach(name: string): Promise<Container>;
}

export interface ImageInfo {
  readonly id: string;
  readonly references: readonly string[];
  /** Bytes. */
  readonly size: number;
  /** The labels below io.kubeparcel: recipe, host. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface ContainerInfo {
  readonly name: string;
  readonly image: string;
  readonly running: boolean;
  /** The labels below io.kubeparcel, such as `scenario`, `host`; `run` is set by the engine, `keep` spares it from dead-runs. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface StartOptions {
  readonly image: string;
  /** kubeparcel-RUN-HOST-SCENARIO; unique on the machine. */
  readonly name: string;
  /**
   * systemd as PID 1, in a container that is as much of a machine as this host allows: all capabilities, no seccomp
   * filter, /dev/kmsg, kernel settings of its own network; or a process that only waits (a container, a chroot, an image
   * build), in an ordinary container.
   */
  readonly init: 'systemd' | 'none';
  /**
   * A real kubelet needs cgroup controllers (cpu, memory, pids). On hosts that have them in cgroup v1, systemd runs on v1
   * then; else it runs on v2, there without controllers. On hosts with v2 it makes no difference.
   */
  readonly controllers?: boolean;
  /** none (loopback only) by default; host: only to make images with a vendor's package manager. */
  readonly network?: 'none' | 'host';
  readonly labels?: Readonly<Record<string, string>>;
  /** Directories of this machine, read-only inside. */
  readonly mounts?: readonly { readonly source: string; readonly target: string; readonly writable?: boolean }[];
  /** Memory file systems; `sizeBytes` bounds them (a full disk). */
  readonly tmpfs?: readonly { readonly path: string; readonly sizeBytes?: number }[];
  /** node by default; /etc/hosts knows it. */
  readonly hostname?: string;
  /** Who runs the process that waits; root by default. */
  readonly user?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Containers have no network but loopback. */
export interface Container {
  readonly name: string;
  readonly image: string;
  /** Units that failed while systemd booted; empty when it is `running`, and without systemd. */
  readonly failedUnits: readonly string[];
  /** Never rejects for a status other than 0; output beyond 8 MiB a stream is cut off, and said so. */
  exec(command: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** Copies a file or a directory of this machine, under its name, into a directory of the container, which is made if need be. */
  copyIn(source: string, targetDirectory: string): Promise<void>;
  /** Copies a file or a directory of the container, under its name, into a directory of this machine, which is made if need be. */
  copyOut(source: string, targetDirectory: string): Promise<void>;
  /** What PID 1 printed; for systemd the journal. */
  logs(): Promise<string>;
  /** Ends and removes it, with its cgroups and mounts; no error when it is gone. */
  remove(): Promise<void>;
  /** What a person types on this machine to run this in the container: ['podman', 'exec', ...]. */
  commandLine(command: readonly string[], options?: { readonly interactive?: boolean }): readonly string[];
}

export interface ExecOptions {
  readonly user?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array;
  /** Milliseconds; 120,000 by default. A command that takes longer is ended and has status 124. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

export interface ExecResult {
  readonly command: readonly string[];
  /** 0 to 255; 124 after a timeout. */
  readonly status: number;
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
  readonly milliseconds: number;
}
