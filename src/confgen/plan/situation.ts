import { type GeneratorData, type KubeletTopics, topicAt } from '../model/data.ts';
import type { Facts, FlagsFile, KubeletConfigFacts } from '../model/facts.ts';
import type { Finding } from '../model/finding.ts';

/** What rules look at: a host, and what its kubelet is like. */
export interface Situation {
  readonly facts: Facts;
  /** The kubelet's, as the host or the package states it. */
  readonly version: string;
  readonly kubelet: { readonly [Name in keyof KubeletTopics]: KubeletTopics[Name][number]['value'] | undefined };
  readonly removedFlags: GeneratorData['removedFlags'];
}

/** One value that this host's kubelet is to be started with. */
export interface Setting {
  /** Without its dashes. */
  readonly flag: string;
  /** Of KubeletConfiguration; undefined: there is a flag only. */
  readonly field: 'cgroupDriver' | 'containerRuntimeEndpoint' | 'resolvConf' | undefined;
  readonly value: string;
}

/** What a rule has come to. */
export interface Verdict {
  readonly settings: readonly Setting[];
  readonly findings: readonly Finding[];
}

/** A value that a person, kubeadm or the cluster's configuration has set. */
export interface Given {
  readonly value: string;
  /** `/etc/default/kubelet: --resolv-conf=/etc/resolv.conf` */
  readonly evidence: string;
  readonly path: string;
  /** Flags stand behind those of the generator on the command line, so only they can change what they say. */
  readonly by: 'flag' | 'config';
}

export function situationOf(facts: Facts, data: GeneratorData, version: string): Situation {
  const { kubelet } = data;
  return {
    facts,
    version,
    removedFlags: data.removedFlags,
    kubelet: {
      settings: topicAt(kubelet.settings, version),
      containerRuntimeFlag: topicAt(kubelet.containerRuntimeFlag, version),
      dockershim: topicAt(kubelet.dockershim, version),
      defaultEndpoint: topicAt(kubelet.defaultEndpoint, version),
      endpointScheme: topicAt(kubelet.endpointScheme, version),
      cgroupDriverFromRuntime: topicAt(kubelet.cgroupDriverFromRuntime, version),
      defaultCgroupDriver: topicAt(kubelet.defaultCgroupDriver, version),
      cgroupV1: topicAt(kubelet.cgroupV1, version),
      cgroupV2: topicAt(kubelet.cgroupV2, version),
      failsOnSwap: topicAt(kubelet.failsOnSwap, version),
    },
  };
}

/** The last use of a flag in the env file, else in kubeadm's; the command line has them in the other order. */
export function givenFlag({ kubelet }: Facts, flag: string): Given | undefined {
  return lastFlag(kubelet.extraArgs, flag) ?? lastFlag(kubelet.kubeadmArgs, flag);
}

/** A flag, else what the kubelet's configuration says. */
export function given(
  facts: Facts,
  flag: string,
  field: 'cgroupDriver' | 'containerRuntimeEndpoint' | 'resolvConf',
): Given | undefined {
  return givenFlag(facts, flag) ?? givenKey(facts, field, (config) => config[field]);
}

/** A switch: `--fail-swap-on=false`, or the configuration's failSwapOn; undefined when nobody says. */
export function givenSwitch(facts: Facts, flag: string, field: 'failSwapOn' | 'failCgroupV1'): boolean | undefined {
  const found = givenFlag(facts, flag) ?? givenKey(facts, field, (config) => config[field]?.toString());
  // strconv.ParseBool, which Go's flags use; a switch without a value is on.
  return found === undefined ? undefined : !/^(0|f|false)$/i.test(found.value);
}

/** Whether a configuration may say things that were not understood; nothing is written that could differ from them. */
export function isUnclear({ kubelet }: Facts): boolean {
  return kubelet.config?.unclear === true || kubelet.instanceConfig?.unclear === true;
}

/** A flag's name as the kubelet compares it: `_` is `-` there. */
export function flagName(name: string): string {
  return name.replace(/^-+/, '').replace(/_/g, '-');
}

export function finding(
  level: Finding['level'],
  code: string,
  what: string,
  evidence: readonly string[] = [],
  hint?: string,
): Finding {
  return { code, level, what, evidence, hint };
}

function lastFlag({ path, flags }: FlagsFile, flag: string): Given | undefined {
  const found = flags.filter(({ name }) => flagName(name) === flag);
  const last = found[found.length - 1];
  if (last === undefined) return undefined;
  const value = last.value ?? '';
  return { value, path, by: 'flag', evidence: `${path}: --${flag}${last.value === undefined ? '' : `=${value}`}` };
}

function givenKey(
  { kubelet }: Facts,
  key: string,
  read: (config: KubeletConfigFacts) => string | undefined,
): Given | undefined {
  for (const config of [kubelet.config, kubelet.instanceConfig]) {
    const value = config === undefined ? undefined : read(config);
    // kubeadm writes `containerRuntimeEndpoint: ""` and means nothing by it; an empty resolvConf says: no resolver.
    if (config !== undefined && value !== undefined && (value !== '' || key === 'resolvConf')) {
      return { value, path: config.path, by: 'config', evidence: `${config.path}: ${key}: ${value || '""'}` };
    }
  }
  return undefined;
}
