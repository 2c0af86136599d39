import type { Finding } from './finding.ts';

/** What was seen on a host. Readers are forgiving: what could not be read is a finding beside the facts. */
export interface Facts {
  readonly os: OsFacts;
  readonly resolver: ResolverFacts;
  readonly cgroup: CgroupFacts;
  /** Every runtime whose socket or configuration is there, in this order: containerd, crio, cri-dockerd, docker. */
  readonly runtimes: readonly RuntimeFacts[];
  readonly node: NodeFacts;
  readonly kernel: KernelFacts;
  readonly kubelet: KubeletFacts;
  readonly settings: GeneratorSettings;
  /** What the readers met on the way: unreadable, hostile, enormous or damaged files. */
  readonly findings: readonly Finding[];
}

export interface OsFacts {
  /** os-release(5): ID, then the words of ID_LIKE; empty when there is no os-release. */
  readonly ids: readonly string[];
  readonly versionId: string | undefined;
  readonly prettyName: string | undefined;
}

export interface ResolverFacts {
  /** systemd-resolved runs here: /run/systemd/resolve/resolv.conf is there. */
  readonly resolved: boolean;
  /** What /etc/resolv.conf is, and where a link leads to in the end. */
  readonly kind: 'absent' | 'file' | 'link';
  readonly target: string | undefined;
  readonly nameservers: readonly string[];
  /** A name server on a loopback address: pods that inherit it reach nothing (or CoreDNS reaches itself). */
  readonly loopback: boolean;
  /** Files that a flag or a configuration names as resolv.conf and that are not on this host, each once, sorted. */
  readonly missing: readonly string[];
}

export interface CgroupFacts {
  readonly mode: 'v1' | 'hybrid' | 'v2' | 'unknown';
  /** PID 1 is systemd: /run/systemd/system is a directory. */
  readonly systemd: boolean;
}

export type RuntimeName = 'containerd' | 'crio' | 'cri-dockerd' | 'docker';

export interface RuntimeFacts {
  readonly name: RuntimeName;
  /** Endpoint with scheme: unix:///run/containerd/containerd.sock */
  readonly endpoint: string;
  /** Its socket is there now. */
  readonly socket: boolean;
  /** undefined: its configuration does not say, and its own default is not known for its version. */
  readonly cgroupDriver: 'systemd' | 'cgroupfs' | undefined;
  /** Why: file and key, for evidence; `default` when nothing is configured. */
  readonly cgroupDriverSource: string;
  /** The CRI plugin is switched off in its configuration (containerd's disabled_plugins). */
  readonly criDisabled: boolean;
  /** The kubelet can ask it for its cgroup driver (containerd >= 2.0, CRI-O >= 1.28); undefined when not known. */
  readonly tellsCgroupDriver: boolean | undefined;
}

export interface NodeFacts {
  readonly hostName: string;
  /** RFC 1123 subdomain after lower-casing, at most 253 characters: what Kubernetes takes as a node name. */
  readonly validNodeName: boolean;
  /** Paths of /proc/swaps that are in use. */
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
  /** From the packages' own record, without `v`: 1.36.4; undefined when it is not known. */
  readonly version: string | undefined;
  /** Flags by file: the env file, kubeadm-flags.env. In their order, split as systemd splits (systemd.exec(5)). */
  readonly extraArgs: FlagsFile;
  readonly kubeadmArgs: FlagsFile;
  /** Keys of /var/lib/kubelet/config.yaml that matter here; undefined: no file. */
  readonly config: KubeletConfigFacts | undefined;
  /** /var/lib/kubelet/instance-config.yaml, from 1.32 on. */
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
  /** The file cannot be read, or not understood with certainty: any of its keys may be set. Its finding is told. */
  readonly unclear?: boolean;
}

/** /etc/kubelet-confgen.conf and KUBELET_CONFGEN in the env file. */
export interface GeneratorSettings {
  /** `KUBELET_CONFGEN=off` anywhere. */
  readonly off: boolean;
  /** `KUBELET_CONFGEN_HOSTNAME_OVERRIDE=yes|NAME`: only when asked. */
  readonly hostnameOverride: string | undefined;
  /** `KUBELET_CONFGEN_CRI_ENDPOINT=unix://...`: which of several runtimes. */
  readonly criEndpoint: string | undefined;
}
