/**
 * What the generator knows of Kubernetes' versions: packaging/versions.yaml, embedded when a package is made. All
 * versions are in it, so that one program can look at any host's tree.
 */
export interface GeneratorData {
  /** The kubelet that this program was packaged with, without `v`; undefined where the host alone can tell. */
  readonly kubeletVersion: string | undefined;
  /** Minors that the ranges were written for, both included: what is outside is not guessed. */
  readonly oldest: string;
  readonly newest: string;
  readonly kubelet: KubeletTopics;
  readonly kubeadm: KubeadmTopics;
  /** Flags that the kubelet refuses to start with. */
  readonly removedFlags: readonly RemovedFlag[];
}

/** Each covers all versions, in order, without hole or overlap. */
export interface KubeletTopics {
  /** Where a host's own settings go: flags, or a KubeletConfiguration in a --config-dir directory. */
  readonly settings: Topic<'flags' | 'config-dir'>;
  /** What --container-runtime must say for a runtime that is reached through CRI; none: the flag is not needed. */
  readonly containerRuntimeFlag: Topic<'remote' | 'none'>;
  /** Docker is served by the kubelet itself, and needs --network-plugin=cni. */
  readonly dockershim: Topic<boolean>;
  /** Where the kubelet looks for its runtime when nobody says; empty: nowhere. */
  readonly defaultEndpoint: Topic<string>;
  /** An endpoint wants its unix:// said. */
  readonly endpointScheme: Topic<'optional' | 'wanted'>;
  /** The kubelet asks its runtime for the cgroup driver, and takes its own setting only where that cannot tell. */
  readonly cgroupDriverFromRuntime: Topic<boolean>;
  /** Its own driver when nobody says. */
  readonly defaultCgroupDriver: Topic<'cgroupfs' | 'systemd'>;
  readonly cgroupV1: Topic<'supported' | 'maintenance' | 'refused'>;
  readonly cgroupV2: Topic<'unsupported' | 'supported'>;
  /** It does not start where swap is on, unless it is told to. */
  readonly failsOnSwap: Topic<boolean>;
}

/** What kubeadm reads and writes. */
export interface KubeadmTopics {
  /** Oldest first; several are read by one version. */
  readonly apis: readonly KubeadmApi[];
  readonly pauseImage: Topic<string>;
  /** For which runtimes --pod-infra-container-image is in kubeadm-flags.env. */
  readonly pauseImageFlag: Topic<'never' | 'docker' | 'always'>;
  readonly flagsQuoted: Topic<boolean>;
  /** Where Docker's cgroup driver, which kubeadm asks for, is written. */
  readonly dockerCgroupDriver: Topic<'flag' | 'config' | 'ignored'>;
  /** The cgroupDriver of a KubeletConfiguration that says none. */
  readonly cgroupDriver: Topic<'none' | 'systemd'>;
  readonly resolvConf: Topic<'flag' | 'config'>;
  /** --container-runtime=remote is in kubeadm-flags.env. */
  readonly containerRuntimeFlag: Topic<boolean>;
  /** The endpoint is in instance-config.yaml instead of kubeadm-flags.env. */
  readonly instanceConfig: Topic<boolean>;
  /** Name of the ConfigMap; {minor} is the kubelet's, as 1.20. */
  readonly configMap: Topic<string>;
  /** gate: the feature gate IPv6DualStack must be on. */
  readonly dualStack: Topic<'unsupported' | 'gate' | 'supported'>;
}

export interface KubeadmApi {
  readonly version: KubeadmApiVersion;
  readonly since: string;
  readonly until?: string | undefined;
}

export const KUBEADM_API_VERSIONS = [
  'v1alpha1',
  'v1alpha2',
  'v1alpha3',
  'v1beta1',
  'v1beta2',
  'v1beta3',
  'v1beta4',
] as const;
export type KubeadmApiVersion = (typeof KUBEADM_API_VERSIONS)[number];

export type Topic<Value> = readonly TopicRange<Value>[];

/** Bounds are minors or patch releases, `1.24` or `1.24.5`: since is in it, until is not. */
export interface TopicRange<Value> {
  readonly since: string;
  readonly until?: string | undefined;
  readonly value: Value;
}

export interface RemovedFlag {
  /** Without its dashes. */
  readonly flag: string;
  /** The first version that does not know it. */
  readonly since: string;
  /** What takes its place, one sentence. */
  readonly instead: string;
}

/** Major, minor and patch of `1.24`, `1.36.4`, `v1.37.0-rc.1` or a package's `1.36.4-1.1`; undefined for other text. */
export function versionNumbers(text: string): readonly [number, number, number] | undefined {
  const found = /^v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?![\d.])/.exec(text);
  return found === null ? undefined : [Number(found[1]), Number(found[2]), Number(found[3] ?? 0)];
}

/** Negative, zero or positive, by version; text that is no version counts as 0.0.0. */
export function compareVersions(a: string, b: string): number {
  const [one, other] = [versionNumbers(a) ?? [0, 0, 0], versionNumbers(b) ?? [0, 0, 0]];
  return one[0] - other[0] || one[1] - other[1] || one[2] - other[2];
}

/** What a topic says of a version; undefined past the end of its ranges. */
export function topicAt<Value>(topic: Topic<Value>, version: string): Value | undefined {
  return topic.find(
    ({ since, until }) =>
      compareVersions(version, since) >= 0 && (until === undefined || compareVersions(version, until) < 0),
  )?.value;
}

/** Whether the tables were written with this version in mind. */
export function isKnownVersion({ oldest, newest }: GeneratorData, version: string): boolean {
  const [found, first, last] = [version, oldest, newest].map(versionNumbers);
  if (found === undefined || first === undefined || last === undefined || found[0] !== first[0]) return false;
  return found[1] >= first[1] && found[1] <= last[1];
}
