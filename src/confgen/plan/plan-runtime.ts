import type { RuntimeFacts } from '../model/facts.ts';
import type { Finding } from '../model/finding.ts';
import { endpointOf, isEndpoint, type RuntimeChoice } from './choose-runtime.ts';
import { finding, givenFlag, type Setting, type Situation, type Verdict } from './situation.ts';

const CHOOSE = 'write KUBELET_CONFGEN_CRI_ENDPOINT=ENDPOINT into /etc/kubelet-confgen.conf to choose one';

/** Where the kubelet finds its runtime: written for one that is certain. */
export function planRuntime(situation: Situation, choice: RuntimeChoice): Verdict {
  switch (choice.kind) {
    case 'given':
      return { settings: [], findings: givenEndpoint(situation, choice) };
    case 'asked':
      return asked(situation, choice);
    case 'certain':
      return certain(situation, choice.runtime);
    case 'several':
      return { settings: [], findings: [several(situation, choice.runtimes)] };
    default:
      return { settings: [], findings: [nothingToUse(situation, choice.disabled, choice.docker)] };
  }
}

function givenEndpoint(
  { facts, kubelet }: Situation,
  { endpoint, by, runtime }: Extract<RuntimeChoice, { kind: 'given' }>,
): Finding[] {
  const found = [finding('info', 'endpoint-kept', `the kubelet uses ${endpoint}, as it was set`, [by.evidence])];
  if (kubelet.endpointScheme === 'wanted' && !by.value.includes('://')) {
    const hint = `write unix://${by.value} there`;
    found.push(finding('warning', 'endpoint-without-scheme', 'an endpoint without unix://', [by.evidence], hint));
  }
  if (runtime !== undefined && !runtime.socket && isLive(facts)) {
    found.push(finding('warning', 'socket-missing', `nothing listens at ${endpoint}`, [by.evidence], start(runtime)));
  }
  if (runtime?.criDisabled === true) found.push(disabledFinding([runtime]));
  return found;
}

function asked(situation: Situation, { endpoint, runtime }: Extract<RuntimeChoice, { kind: 'asked' }>): Verdict {
  const evidence = [`KUBELET_CONFGEN_CRI_ENDPOINT=${endpoint}`];
  if (!isEndpoint(endpoint)) return { settings: [], findings: [unusable(endpoint, evidence)] };
  const found = [
    finding('info', 'endpoint-asked', `the kubelet uses ${endpoint}, as KUBELET_CONFGEN_CRI_ENDPOINT says`),
  ];
  if (isLive(situation.facts) && runtime?.socket !== true) {
    found.push(
      finding(
        'warning',
        'socket-missing',
        `no runtime that is known listens at ${endpoint}`,
        [...evidence, ...situation.facts.runtimes.map(runtimeEvidence)],
        'check the path; start the runtime',
      ),
    );
  }
  if (runtime?.criDisabled === true) found.push(disabledFinding([runtime]));
  return { settings: endpointSettings(situation, endpoint), findings: found };
}

function certain(situation: Situation, runtime: RuntimeFacts): Verdict {
  const found: Finding[] = [];
  if (!runtime.socket) {
    const what = `${runtime.name} is installed and does not run${isLive(situation.facts) ? '' : ' while this is looked at'}`;
    found.push(finding('info', 'runtime-not-running', what, [runtimeEvidence(runtime)], start(runtime)));
  }
  if (runtime.name === 'docker') {
    found.push(finding('info', 'runtime', 'the kubelet serves Docker itself', [runtimeEvidence(runtime)]));
    if (givenFlag(situation.facts, 'network-plugin') !== undefined) return { settings: [], findings: found };
    return { settings: [{ flag: 'network-plugin', field: undefined, value: 'cni' }], findings: found };
  }
  const endpoint = endpointOf(runtime);
  if (!isEndpoint(endpoint)) {
    return { settings: [], findings: [...found, unusable(endpoint, [runtimeEvidence(runtime)])] };
  }
  found.push(finding('info', 'runtime', `the kubelet uses ${runtime.name}`, [runtimeEvidence(runtime)]));
  return { settings: endpointSettings(situation, endpoint), findings: found };
}

function endpointSettings({ facts, kubelet }: Situation, value: string): Setting[] {
  const remote =
    kubelet.containerRuntimeFlag === 'remote' && givenFlag(facts, 'container-runtime') === undefined
      ? [{ flag: 'container-runtime', field: undefined, value: 'remote' }]
      : [];
  return [...remote, { flag: 'container-runtime-endpoint', field: 'containerRuntimeEndpoint', value }];
}

function several({ kubelet }: Situation, runtimes: readonly RuntimeFacts[]): Finding {
  const fallback = kubelet.defaultEndpoint ?? '';
  const falls = runtimes.some(
    (each) => endpointOf(each) === fallback || (kubelet.dockershim && each.name === 'docker'),
  );
  const names = runtimes.map(({ name }) => name).join(' and ');
  const instead = falls ? `the kubelet takes its own default, ${fallback}` : 'the kubelet has no default that is here';
  return finding(
    falls ? 'warning' : 'error',
    'several-runtimes',
    `${names} could both serve the kubelet, and nothing says which; ${instead}`.replace(
      'both',
      runtimes.length === 2 ? 'both' : 'all',
    ),
    runtimes.map(runtimeEvidence),
    CHOOSE,
  );
}

function nothingToUse({ facts }: Situation, disabled: readonly RuntimeFacts[], docker: boolean): Finding {
  if (disabled.length > 0) return disabledFinding(disabled);
  if (docker) {
    return finding(
      'error',
      'docker-needs-cri-dockerd',
      'Docker is the only runtime here, and this kubelet does not serve it itself',
      facts.runtimes.map(runtimeEvidence),
      'install cri-dockerd, or use the containerd that Docker brings, with its CRI plugin switched on',
    );
  }
  return finding(
    'error',
    'no-runtime',
    'no container runtime was found; the kubelet does not start without one',
    [],
    'install containerd or CRI-O; the kubelet finds it at its next start',
  );
}

function disabledFinding(runtimes: readonly RuntimeFacts[]): Finding {
  return finding(
    'error',
    'cri-disabled',
    `${runtimes.map(({ name }) => name).join(' and ')} runs with its CRI plugin switched off, so the kubelet cannot use it`,
    runtimes.map(runtimeEvidence),
    'take cri out of disabled_plugins in /etc/containerd/config.toml and restart containerd',
  );
}

function unusable(endpoint: string, evidence: readonly string[]): Finding {
  const what = `${JSON.stringify(endpoint.slice(0, 100))} is no endpoint that can be written`;
  return finding('error', 'endpoint-unusable', what, evidence, 'use unix:///PATH, of letters, digits and . _ - + @');
}

/** An image's tree has no /sys, and nothing runs in it. */
export function isLive({ cgroup }: Situation['facts']): boolean {
  return cgroup.mode !== 'unknown';
}

function runtimeEvidence({ name, endpoint, socket, criDisabled }: RuntimeFacts): string {
  return `${name}: ${endpoint}${socket ? '' : ', no socket there'}${criDisabled ? ', CRI plugin off' : ''}`;
}

const SERVICES: Readonly<Record<RuntimeFacts['name'], string>> = {
  containerd: 'containerd',
  crio: 'crio',
  'cri-dockerd': 'cri-docker',
  docker: 'docker',
};

function start({ name }: RuntimeFacts): string {
  return `systemctl enable --now ${SERVICES[name]}`;
}
