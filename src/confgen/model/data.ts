/**
 * Facts about the versions of Kubernetes from packaging/versions.yaml, embedded when a package is built. They cover all
 * versions, so that one program can handle any image.
 */
export interface GeneratorData {
  /** The version of the kubelet in the same package, without `v`; undefined outside a package. */
  readonly kubeletVersion: string | undefined;
  /** The first and the last minor version of the ranges. Other versions are not supported. */
  readonly oldest: string;
  readonly newest: string;
  readonly kubelet: KubeletTopics;
  readonly kubeadm: KubeadmTopics;
  /** Flags that prevent the kubelet from starting. */
  readonly removedFlags: readonly RemovedFlag[];
}

/** Each topic covers all versions in order, without gaps or overlaps. */
export interface KubeletTopics {
  /** Where settings of a host go: flags, or a KubeletConfiguration in the --config-dir directory. */
  readonly settings: Topic<'flags' | 'config-dir'>;
  /** The value of --container-runtime for a CRI runtime; none when the flag is not needed. */
  readonly containerRuntimeFlag: Topic<'remote' | 'none'>;
  /** The kubelet supports Docker itself; it then needs --network-plugin=cni. */
  readonly dockershim: Topic<boolean>;
  /** The default endpoint of the runtime; empty when there is none. */
  readonly defaultEndpoint: Topic<string>;
  /** Whether an endpoint needs unix://. */
  readonly endpointScheme: Topic<'optional' | 'required'>;
  /** The kubelet gets the cgroup driver from its runtime, and uses its own setting only when the runtime cannot report it. */
  readonly cgroupDriverFromRuntime: Topic<boolean>;
  /** The driver when none is configured. */
  readonly defaultCgroupDriver: Topic<'cgroupfs' | 'systemd'>;
  readonly cgroupV1: Topic<'supported' | 'maintenance' | 'refused'>;
  readonly cgroupV2: Topic<'unsupported' | 'supported'>;
  /** By default it does not start when swap is on. */
  readonly failsOnSwap: Topic<boolean>;
}

/** The formats that kubeadm reads and writes. */
export interface KubeadmTopics {
  /** Oldest first. One version of kubeadm may read several. */
  readonly apis: readonly KubeadmApi[];
  readonly pauseImage: Topic<string>;
  /** The runtimes for which kubeadm-flags.env contains --pod-infra-container-image. */
  readonly pauseImageFlag: Topic<'never' | 'docker' | 'always'>;
  readonly flagsQuoted: Topic<boolean>;
  /** Where kubeadm writes the cgroup driver that Docker reports. */
  readonly dockerCgroupDriver: Topic<'flag' | 'config' | 'ignored'>;
  /** The default for cgroupDriver in a KubeletConfiguration. */
  readonly cgroupDriver: Topic<'none' | 'systemd'>;
  readonly resolvConf: Topic<'flag' | 'config'>;
  /** kubeadm-flags.env contains --container-runtime=remote. */
  readonly containerRuntimeFlag: Topic<boolean>;
  /** The endpoint is in instance-config.yaml, not in kubeadm-flags.env. */
  readonly instanceConfig: Topic<boolean>;
  /** Name of the ConfigMap; {minor} is the version of the kubelet, such as 1.20. */
  readonly configMap: Topic<string>;
  /** gate: needs the feature gate IPv6DualStack. */
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

/** Bounds are `1.24` or `1.24.5`. `since` is inclusive, `until` exclusive. */
export interface TopicRange<Value> {
  readonly since: string;
  readonly until?: string | undefined;
  readonly value: Value;
}

export interface RemovedFlag {
  /** Without dashes. */
  readonly flag: string;
  /** The first version that rejects it. */
  readonly since: string;
  /** The replacement, one clause. */
  readonly instead: string;
}

/** Major, minor and patch of `1.24`, `1.36.4`, `v1.37.0-rc.1` or a package's `1.36.4-1.1`; undefined for other text. */
export function versionNumbers(text: string): readonly [number, number, number] | undefined {
  const found = /^v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?![\d.])/.exec(text);
  return found === null ? undefined : [Number(found[1]), Number(found[2]), Number(found[3] ?? 0)];
}

/** Negative, zero or positive. Text that is not a version counts as 0.0.0. */
export function compareVersions(a: string, b: string): number {
  const [first, second] = [versionNumbers(a) ?? [0, 0, 0], versionNumbers(b) ?? [0, 0, 0]];
  return first[0] - second[0] || first[1] - second[1] || first[2] - second[2];
}

/** The value of a topic for a version; undefined outside its ranges. */
export function topicAt<Value>(topic: Topic<Value>, version: string): Value | undefined {
  return topic.find(
    ({ since, until }) =>
      compareVersions(version, since) >= 0 && (until === undefined || compareVersions(version, until) < 0),
  )?.value;
}

/** Whether the data covers this version. */
export function isKnownVersion({ oldest, newest }: GeneratorData, version: string): boolean {
  const [found, first, last] = [version, oldest, newest].map(versionNumbers);
  if (found === undefined || first === undefined || last === undefined || found[0] !== first[0]) return false;
  return found[1] >= first[1] && found[1] <= last[1];
}
