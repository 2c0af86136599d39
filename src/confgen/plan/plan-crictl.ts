import type { GeneratorData } from '../model/data.ts';
import type { Facts } from '../model/facts.ts';
import type { Plan } from '../model/finding.ts';
import { choose, endpointOf, isEndpoint } from './choose-runtime.ts';
import { CRICTL_FILE, crictlFile } from './own-files.ts';
import { finding, situationOf } from './situation.ts';

/**
 * crictl's configuration, where its endpoint is certain: what the kubelet was given, what was asked for, or the only
 * runtime. dockershim's socket is the kubelet's own and no runtime to look at.
 */
export function makeCrictlPlan(facts: Facts, data: GeneratorData): Plan {
  if (facts.settings.off) {
    return { findings: [finding('info', 'off', 'KUBELET_CONFGEN=off: nothing is written')], changes: [] };
  }
  const situation = situationOf(facts, data, facts.kubelet.version ?? data.kubeletVersion ?? `${data.newest}.0`);
  const choice = choose(situation);
  const endpoint =
    choice.kind === 'given' || choice.kind === 'asked'
      ? choice.endpoint
      : choice.kind === 'certain' && choice.runtime.name !== 'docker'
        ? endpointOf(choice.runtime)
        : undefined;
  const runtime = choice.kind === 'several' || choice.kind === 'none' ? undefined : choice.runtime;
  if (endpoint !== undefined && isEndpoint(endpoint) && runtime?.name !== 'docker') {
    return { findings: [...facts.findings], changes: [crictlFile(endpoint)] };
  }
  const what = `${CRICTL_FILE} is not written: no endpoint is certain`;
  const evidence = facts.runtimes.map((each) => `${each.name}: ${each.endpoint}`);
  return { findings: [...facts.findings, finding('info', 'crictl-endpoint-unknown', what, evidence)], changes: [] };
}
