import { type GeneratorData, isKnownVersion } from '../model/data.ts';
import type { Facts } from '../model/facts.ts';
import type { Finding, Plan } from '../model/finding.ts';
import { CRICTL_FILE, crictlFile, managedFiles } from './managed-files.ts';
import { planCgroup } from './plan-cgroup.ts';
import { hostFindings, planNodeName, removedFlagFindings } from './plan-node.ts';
import { planResolver } from './plan-resolver.ts';
import { planRuntime } from './plan-runtime.ts';
import { configuredFlag, finding, hasUnclearConfig, ruleContext, type Setting } from './rule.ts';
import { chooseRuntime, isEndpoint } from './runtime-choice.ts';

/** The directory of KubeletConfiguration files in CIS benchmark 4.1.11 and KEP-3983. */
const CONFIG_DIRECTORY = '/etc/kubernetes/kubelet.conf.d';

const OFF: Plan = {
  findings: [
    finding('info', 'off', 'kubelet-confgen is disabled by KUBELET_CONFGEN=off; nothing is checked or changed'),
  ],
  changes: [],
};

/**
 * Plans the settings for a host's kubelet. Pure. The changes list every managed file, including files that are already
 * up to date; `pendingChanges` compares them with the host.
 */
export function makePlan(facts: Facts, data: GeneratorData): Plan {
  if (facts.settings.off) return OFF;
  const version = facts.kubelet.version ?? data.kubeletVersion;
  if (version === undefined || !isKnownVersion(data, version)) {
    return { findings: [...facts.findings, unknownVersion(version, data)], changes: [] };
  }
  const context = ruleContext(facts, data, version);
  const choice = chooseRuntime(context);
  const results = [
    planResolver(context),
    planRuntime(context, choice),
    planCgroup(context, choice),
    planNodeName(context),
  ];
  const all = results.flatMap((result) => result.settings);
  // Without its endpoint, --container-runtime is not useful.
  const settings = hasUnclearConfig(facts)
    ? all.filter((each) => isFlagOnly(each) && each.flag !== 'container-runtime')
    : all;
  const findings = [...facts.findings, ...results.flatMap((result) => result.findings)];
  if (settings.length < all.length) findings.push(withheldFinding(all));
  findings.push(...hostFindings(context), ...removedFlagFindings(context));
  const usesDirectory = context.kubelet.settings === 'config-dir';
  const conflict = usesDirectory ? otherDirectory(facts, settings) : undefined;
  return conflict === undefined
    ? { findings, changes: managedFiles(settings, usesDirectory ? CONFIG_DIRECTORY : undefined) }
    : { findings: [...findings, conflict], changes: managedFiles(settings.filter(isFlagOnly), undefined) };
}

/**
 * Plans crictl's configuration when the endpoint is known: configured, requested, or of the only runtime. The dockershim
 * socket does not count because it belongs to the kubelet.
 */
export function makeCrictlPlan(facts: Facts, data: GeneratorData): Plan {
  if (facts.settings.off) return OFF;
  const version = facts.kubelet.version ?? data.kubeletVersion ?? `${data.newest}.0`;
  const choice = chooseRuntime(ruleContext(facts, data, version));
  const known = choice.kind !== 'ambiguous' && choice.kind !== 'none' && choice.runtime?.name !== 'docker';
  const endpoint = !known ? undefined : choice.kind === 'detected' ? choice.runtime.endpoint : choice.endpoint;
  if (endpoint !== undefined && isEndpoint(endpoint)) {
    return { findings: facts.findings, changes: [crictlFile(endpoint)] };
  }
  const what = `${CRICTL_FILE} is not written because the endpoint of the container runtime is not known`;
  const evidence = facts.runtimes.map((each) => `${each.name}: ${each.endpoint}`);
  return { findings: [...facts.findings, finding('info', 'crictl-endpoint-unknown', what, evidence)], changes: [] };
}

/** Reports a --config-dir flag of the administrator. The kubelet uses the last one, so it would not read our directory. */
function otherDirectory(facts: Facts, settings: readonly Setting[]): Finding | undefined {
  const flag = configuredFlag(facts, 'config-dir');
  if (flag === undefined || flag.value.replace(/(.)\/+$/, '$1') === CONFIG_DIRECTORY) return undefined;
  const omitted = fieldsOf(settings);
  return finding(
    omitted.length === 0 ? 'info' : 'warning',
    'config-dir-elsewhere',
    `the kubelet reads ${flag.value || 'no configuration directory'}, so nothing is written to ${CONFIG_DIRECTORY}`,
    [flag.evidence, ...omitted],
    omitted.length === 0
      ? undefined
      : `add these settings to ${flag.value || "the kubelet's configuration"}, or remove the flag`,
  );
}

function withheldFinding(settings: readonly Setting[]): Finding {
  const what = "settings for this host are not written because the kubelet's configuration may contain other values";
  return finding('info', 'settings-withheld', what, fieldsOf(settings));
}

function fieldsOf(settings: readonly Setting[]): string[] {
  return settings.filter((each) => !isFlagOnly(each)).map(({ field, value }) => `${field}: ${value}`);
}

function isFlagOnly({ field }: Setting): boolean {
  return field === undefined;
}

function unknownVersion(version: string | undefined, { oldest, newest }: GeneratorData): Finding {
  const what =
    version === undefined
      ? 'the version of the kubelet cannot be determined, so nothing is written'
      : `kubelet ${version.slice(0, 60)} is not supported by this kubelet-confgen, so nothing is written`;
  const hint = `kubelet-confgen supports kubelet ${oldest} to ${newest}; install the version that comes with the kubelet`;
  return finding('warning', 'kubelet-version-unknown', what, [], hint);
}
