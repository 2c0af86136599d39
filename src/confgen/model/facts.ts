import type { Finding } from './finding.ts';

/** The state of a host. Problems with reading it are findings next to the facts. */
export interface Facts {
  readonly os: OsFacts;
  readonly resolver: ResolverFacts;
  readonly cgroup: CgroupFacts;
  /** Runtimes with a socket or a configuration, in this order: containerd, crio, cri-dockerd, docker. */
  readonly runtimes: readonly RuntimeFacts[];
  readonly node: NodeFacts;
  readonly kernel: KernelFacts;
  readonly kubelet: KubeletFacts;
  readonly settings: GeneratorSettings;
  /** Unreadable, too large or invalid files. */
  readonly findings: readonly Finding[];
}

export interface OsFacts {
  /** os-release(5): ID, then the words of ID_LIKE; empty when there is no os-release. */
  readonly ids: readonly string[];
  readonly versionId: string | undefined;
  readonly prettyName: string | undefined;
}

export interface ResolverFacts {
  /** systemd-resolved is running: /run/systemd/resolve/resolv.conf exists. */
  readonly resolved: boolean;
  /** The kind of /etc/resolv.conf. */
  readonly kind: 'absent' | 'file' | 'link';
  /** The final target of the link. */
  readonly target: string | undefined;
  readonly nameservers: readonly string[];
  /** A name server has a loopback address. Pods cannot reach it, and CoreDNS would query itself. */
  readonly loopback: boolean;
  /** Configured resolv.conf files that do not exist on this host; unique and sorted. */
  readonly missing: readonly string[];
}

export interface CgroupFacts {
  readonly mode: 'v1' | 'hybrid' | 'v2' | 'unknown';
  /** systemd is PID 1: /run/systemd/system is a directory. */
  readonly systemd: boolean;
}

export type RuntimeName = 'containerd' | 'crio' | 'cri-dockerd' | 'docker';

export interface RuntimeFacts {
  readonly name: RuntimeName;
  /** With scheme: unix:///run/containerd/containerd.sock */
  readonly endpoint: string;
  /** The socket exists. */
  readonly socket: boolean;
  /** undefined when it is not configured and the default depends on an unknown release. */
  readonly cgroupDriver: 'systemd' | 'cgroupfs' | undefined;
  /** File and key; `default` when it is not configured. */
  readonly cgroupDriverSource: string;
  /** The CRI plugin is disabled by containerd's disabled_plugins. */
  readonly criDisabled: boolean;
  /** Reports its cgroup driver to the kubelet (containerd >= 2.0, CRI-O >= 1.28); undefined when unknown. */
  readonly reportsCgroupDriver: boolean | undefined;
}

export interface NodeFacts {
  readonly hostName: string;
  /** The lower-case host name is an RFC 1123 subdomain of at most 253 characters, as Kubernetes requires. */
  readonly validNodeName: boolean;
  /** Paths in /proc/swaps. */
  readonly swap: readonly string[];
}

export interface KernelFacts {
  readonly brNetfilter: boolean;
  readonly overlay: boolean;
  /** /proc/sys/net/ipv4/ip_forward is 1; undefined when it cannot be read. */
  readonly ipForward: boolean | undefined;
  readonly selinux: 'enforcing' | 'permissive' | 'disabled';
}

export interface KubeletFacts {
  /** From the package or the package database, without `v`: 1.36.4; undefined when unknown. */
  readonly version: string | undefined;
  /** Flags in the env file and in kubeadm-flags.env, in order, split as by systemd (systemd.exec(5)). */
  readonly extraArgs: FlagsFile;
  readonly kubeadmArgs: FlagsFile;
  /** Relevant keys of /var/lib/kubelet/config.yaml; undefined when there is no file. */
  readonly config: KubeletConfigFacts | undefined;
  /** /var/lib/kubelet/instance-config.yaml, since 1.32. */
  readonly instanceConfig: KubeletConfigFacts | undefined;
  readonly kubeconfig: boolean;
  readonly bootstrapKubeconfig: boolean;
}

export interface FlagsFile {
  readonly path: string;
  readonly present: boolean;
  readonly flags: readonly { readonly name: string; readonly value: string | undefined }[];
}

export interface KubeletConfigFacts {
  readonly path: string;
  readonly resolvConf: string | undefined;
  readonly cgroupDriver: string | undefined;
  readonly containerRuntimeEndpoint: string | undefined;
  readonly failSwapOn: boolean | undefined;
  readonly failCgroupV1: boolean | undefined;
  /** The file is unreadable or not fully understood, so any key may be set. A finding reports it. */
  readonly unclear: boolean;
}

/** Settings in /etc/kubelet-confgen.conf and in the kubelet's env file. */
export interface GeneratorSettings {
  /** `KUBELET_CONFGEN=off` in either file. */
  readonly off: boolean;
  /** `KUBELET_CONFGEN_HOSTNAME_OVERRIDE=yes|NAME` */
  readonly hostnameOverride: string | undefined;
  /** `KUBELET_CONFGEN_CRI_ENDPOINT=unix://...`: chooses one of several runtimes. */
  readonly criEndpoint: string | undefined;
}
