import { type GeneratorData, isKnownVersion } from '../model/data.ts';
import type { Facts } from '../model/facts.ts';
import type { Finding, Plan } from '../model/finding.ts';
import { choose } from './choose-runtime.ts';
import { ownFiles } from './own-files.ts';
import { planCgroup } from './plan-cgroup.ts';
import { hostFindings, planNodeName, removedFlagFindings } from './plan-node.ts';
import { planResolver } from './plan-resolver.ts';
import { planRuntime } from './plan-runtime.ts';
import { finding, givenFlag, isUnclear, type Setting, situationOf } from './situation.ts';

/** The directory of KubeletConfiguration files; CIS benchmark 4.1.11 and KEP-3983 name it. */
const CONFIG_DIRECTORY = '/etc/kubernetes/kubelet.conf.d';

/**
 * What a host's kubelet is to be started with, and what there is to say about the host. Pure: the changes are the
 * files as they should be, whether or not they are so already; `pending` compares them with the host.
 */
export function makePlan(facts: Facts, data: GeneratorData): Plan {
  if (facts.settings.off) {
    const what = 'KUBELET_CONFGEN=off: nothing is looked at, written or removed';
    return { findings: [finding('info', 'off', what)], changes: [] };
  }
  const version = facts.kubelet.version ?? data.kubeletVersion;
  if (version === undefined || !isKnownVersion(data, version)) {
    return { findings: [...facts.findings, unknownVersion(version, data)], changes: [] };
  }
  const situation = situationOf(facts, data, version);
  const choice = choose(situation);
  const verdicts = [
    planResolver(situation),
    planRuntime(situation, choice),
    planCgroup(situation, choice),
    planNodeName(situation),
  ];
  const all = verdicts.flatMap((verdict) => verdict.settings);
  const unclear = isUnclear(facts);
  // --container-runtime goes with its endpoint.
  const settings = unclear ? all.filter((each) => flagOnly(each) && each.flag !== 'container-runtime') : all;
  const withheld = settings.length < all.length ? [withheldFinding(all)] : [];
  const found = [
    ...facts.findings,
    ...verdicts.flatMap((verdict) => verdict.findings),
    ...withheld,
    ...hostFindings(situation),
    ...removedFlagFindings(situation),
  ];
  const byDirectory = situation.kubelet.settings === 'config-dir';
  const elsewhere = byDirectory ? otherDirectory(facts, settings) : undefined;
  return elsewhere === undefined
    ? { findings: found, changes: ownFiles(settings, byDirectory ? CONFIG_DIRECTORY : undefined) }
    : { findings: [...found, elsewhere], changes: ownFiles(settings.filter(flagOnly), undefined) };
}

/** A flag of the user's names another directory, and the last one counts: ours would not be read. */
function otherDirectory(facts: Facts, settings: readonly Setting[]): Finding | undefined {
  const set = givenFlag(facts, 'config-dir');
  if (set === undefined || set.value.replace(/(.)\/+$/, '$1') === CONFIG_DIRECTORY) return undefined;
  const wanted = settings.filter((each) => !flagOnly(each)).map(({ field, value }) => `${field}: ${value}`);
  return finding(
    wanted.length === 0 ? 'info' : 'warning',
    'config-dir-elsewhere',
    `the kubelet reads ${set.value || 'no directory of configuration'}, so nothing is written into ${CONFIG_DIRECTORY}`,
    [set.evidence, ...wanted],
    wanted.length === 0
      ? undefined
      : `put these settings into ${set.value || 'its configuration'}, or take the flag out`,
  );
}

function withheldFinding(settings: readonly Setting[]): Finding {
  const evidence = settings.filter((each) => !flagOnly(each)).map(({ field, value }) => `${field}: ${value}`);
  const what = "settings of this host are not written, since the kubelet's configuration may say otherwise";
  return finding('info', 'settings-withheld', what, evidence);
}

function flagOnly({ field }: Setting): boolean {
  return field === undefined;
}

function unknownVersion(version: string | undefined, { oldest, newest }: GeneratorData): Finding {
  const what =
    version === undefined
      ? "the kubelet's version is not known, so nothing is written"
      : `kubelet ${version.slice(0, 60)} is none that is known here, so nothing is written`;
  const hint = `kubelet-confgen knows kubelets from ${oldest} to ${newest}; install the one that comes with the kubelet`;
  return finding('warning', 'kubelet-version-unknown', what, [], hint);
}
