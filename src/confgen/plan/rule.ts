import { type GeneratorData, type KubeletTopics, topicAt } from '../model/data.ts';
import type { Facts, FlagsFile, KubeletConfigFacts } from '../model/facts.ts';
import type { Finding } from '../model/finding.ts';

/** The input of a rule: the host and the behaviour of its kubelet version. */
export interface RuleContext {
  readonly facts: Facts;
  /** Version of the kubelet, from the host or from the package. */
  readonly version: string;
  readonly kubelet: { readonly [Name in keyof KubeletTopics]: KubeletTopics[Name][number]['value'] | undefined };
  readonly removedFlags: GeneratorData['removedFlags'];
}

/** A setting for the kubelet of this host. */
export interface Setting {
  /** Without dashes. */
  readonly flag: string;
  /** Field of KubeletConfiguration; undefined when there is only a flag. */
  readonly field: 'cgroupDriver' | 'containerRuntimeEndpoint' | 'resolvConf' | undefined;
  readonly value: string;
}

export interface RuleResult {
  readonly settings: readonly Setting[];
  readonly findings: readonly Finding[];
}

/** A value set by an administrator, by kubeadm or by the cluster's configuration. */
export interface ConfiguredValue {
  readonly value: string;
  /** `/etc/default/kubelet: --resolv-conf=/etc/resolv.conf` */
  readonly evidence: string;
  readonly path: string;
  /** These flags follow the generator's flags on the command line, so the generator cannot override them. */
  readonly source: 'flag' | 'config';
}

export function ruleContext(facts: Facts, data: GeneratorData, version: string): RuleContext {
  const topics = Object.entries(data.kubelet).map(([name, topic]) => [name, topicAt<unknown>(topic, version)]);
  const kubelet = Object.fromEntries(topics) as RuleContext['kubelet'];
  return { facts, version, kubelet, removedFlags: data.removedFlags };
}

/** The last use of a flag in the env file, else in kubeadm's file. The env file comes last on the command line. */
export function configuredFlag({ kubelet }: Facts, flag: string): ConfiguredValue | undefined {
  return lastFlag(kubelet.extraArgs, flag) ?? lastFlag(kubelet.kubeadmArgs, flag);
}

/** The value of a flag, else of the field in the kubelet's configuration. */
export function configuredValue(
  facts: Facts,
  flag: string,
  field: 'cgroupDriver' | 'containerRuntimeEndpoint' | 'resolvConf',
): ConfiguredValue | undefined {
  return configuredFlag(facts, flag) ?? configuredField(facts, field, (config) => config[field]);
}

/** A boolean such as `--fail-swap-on=false` or failSwapOn; undefined when it is not configured. */
export function configuredBoolean(
  facts: Facts,
  flag: string,
  field: 'failSwapOn' | 'failCgroupV1',
): boolean | undefined {
  const found = configuredFlag(facts, flag) ?? configuredField(facts, field, (config) => config[field]?.toString());
  // Go's flags use strconv.ParseBool; a boolean flag without a value is true.
  return found === undefined ? undefined : !/^(0|f|false)$/i.test(found.value);
}

/** Whether a kubelet configuration was not understood. Any field may be set in it, so no field may be written. */
export function hasUnclearConfig({ kubelet }: Facts): boolean {
  return kubelet.config?.unclear === true || kubelet.instanceConfig?.unclear === true;
}

/** A flag's name without dashes; the kubelet treats `_` as `-`. */
export function normalizeFlag(name: string): string {
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

function lastFlag({ path, flags }: FlagsFile, flag: string): ConfiguredValue | undefined {
  const found = flags.filter(({ name }) => normalizeFlag(name) === flag);
  const last = found[found.length - 1];
  if (last === undefined) return undefined;
  const value = last.value ?? '';
  return { value, path, source: 'flag', evidence: `${path}: --${flag}${last.value === undefined ? '' : `=${value}`}` };
}

function configuredField(
  { kubelet }: Facts,
  field: string,
  read: (config: KubeletConfigFacts) => string | undefined,
): ConfiguredValue | undefined {
  for (const config of [kubelet.config, kubelet.instanceConfig]) {
    const value = config === undefined ? undefined : read(config);
    // kubeadm writes `containerRuntimeEndpoint: ""` for "not set". An empty resolvConf disables the resolver.
    if (config !== undefined && value !== undefined && (value !== '' || field === 'resolvConf')) {
      const evidence = `${config.path}: ${field}: ${value || '""'}`;
      return { value, path: config.path, source: 'config', evidence };
    }
  }
  return undefined;
}
