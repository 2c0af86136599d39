import type { Facts, RuntimeFacts } from '../model/facts.ts';
import type { Finding } from '../model/finding.ts';
import { configuredFlag, finding, type RuleContext, type RuleResult, type Setting } from './rule.ts';
import { isEndpoint, type RuntimeChoice } from './runtime-choice.ts';

/** Sets the endpoint of the runtime when it is known and not configured. */
export function planRuntime(context: RuleContext, choice: RuntimeChoice): RuleResult {
  switch (choice.kind) {
    case 'configured':
      return { settings: [], findings: configuredFindings(context, choice) };
    case 'requested':
      return planRequested(context, choice);
    case 'detected':
      return planDetected(context, choice.runtime);
    case 'ambiguous':
      return { settings: [], findings: [ambiguousFinding(context, choice.runtimes)] };
    default:
      return { settings: [], findings: [noRuntimeFinding(context, choice.disabled, choice.docker)] };
  }
}

function configuredFindings(
  { facts, kubelet }: RuleContext,
  { endpoint, source, runtime }: Extract<RuntimeChoice, { kind: 'configured' }>,
): Finding[] {
  const { value, evidence } = source;
  const found = [finding('info', 'endpoint-kept', `the kubelet uses ${endpoint}, as configured`, [evidence])];
  if (kubelet.endpointScheme === 'required' && !value.includes('://')) {
    const what = `the container runtime endpoint ${value} has no unix:// prefix`;
    found.push(finding('warning', 'endpoint-without-scheme', what, [evidence], `change it to unix://${value}`));
  }
  if (runtime !== undefined && !runtime.socket && isRunning(facts)) {
    const what = `nothing listens at ${endpoint}`;
    found.push(finding('warning', 'socket-missing', what, [evidence], startCommand(runtime)));
  }
  if (runtime?.criDisabled === true) found.push(disabledFinding([runtime]));
  return found;
}

function planRequested(
  context: RuleContext,
  { endpoint, runtime }: Extract<RuntimeChoice, { kind: 'requested' }>,
): RuleResult {
  const evidence = [`KUBELET_CONFGEN_CRI_ENDPOINT=${endpoint}`];
  if (!isEndpoint(endpoint)) return { settings: [], findings: [invalidEndpoint(endpoint, evidence)] };
  const what = `the kubelet uses ${endpoint}, as requested by KUBELET_CONFGEN_CRI_ENDPOINT`;
  const found = [finding('info', 'endpoint-asked', what)];
  if (isRunning(context.facts) && runtime?.socket !== true) {
    found.push(
      finding(
        'warning',
        'socket-missing',
        `no known container runtime listens at ${endpoint}`,
        [...evidence, ...context.facts.runtimes.map(runtimeEvidence)],
        'check the path, or start the container runtime',
      ),
    );
  }
  if (runtime?.criDisabled === true) found.push(disabledFinding([runtime]));
  return { settings: endpointSettings(context, endpoint), findings: found };
}

function planDetected(context: RuleContext, runtime: RuntimeFacts): RuleResult {
  const { facts } = context;
  const { name, endpoint } = runtime;
  const evidence = [runtimeEvidence(runtime)];
  const found: Finding[] = [];
  if (!runtime.socket) {
    const what = isRunning(facts) ? `${name} is installed but not running` : `${name} is installed`;
    found.push(finding('info', 'runtime-not-running', what, evidence, startCommand(runtime)));
  }
  if (name === 'docker') {
    found.push(finding('info', 'runtime', 'the kubelet uses Docker through its built-in dockershim', evidence));
    const settings = configuredFlag(facts, 'network-plugin') === undefined;
    return { settings: settings ? [flagSetting('network-plugin', 'cni')] : [], findings: found };
  }
  if (!isEndpoint(endpoint)) return { settings: [], findings: [...found, invalidEndpoint(endpoint, evidence)] };
  found.push(finding('info', 'runtime', `the kubelet uses ${name}`, evidence));
  return { settings: endpointSettings(context, endpoint), findings: found };
}

function endpointSettings({ facts, kubelet }: RuleContext, value: string): Setting[] {
  const remote =
    kubelet.containerRuntimeFlag === 'remote' && configuredFlag(facts, 'container-runtime') === undefined
      ? [flagSetting('container-runtime', 'remote')]
      : [];
  return [...remote, { flag: 'container-runtime-endpoint', field: 'containerRuntimeEndpoint', value }];
}

function flagSetting(flag: string, value: string): Setting {
  return { flag, field: undefined, value };
}

function ambiguousFinding({ kubelet }: RuleContext, runtimes: readonly RuntimeFacts[]): Finding {
  const fallback = kubelet.defaultEndpoint ?? '';
  const usesDefault = runtimes.some(
    ({ name, endpoint }) => endpoint === fallback || (kubelet.dockershim === true && name === 'docker'),
  );
  const names = runtimes.map(({ name }) => name).join(' and ');
  const outcome = usesDefault ? `the kubelet uses its default, ${fallback}` : 'the kubelet has no usable default';
  return finding(
    usesDefault ? 'warning' : 'error',
    'several-runtimes',
    `there are several container runtimes, ${names}, and none is configured; ${outcome}`,
    runtimes.map(runtimeEvidence),
    'set KUBELET_CONFGEN_CRI_ENDPOINT=ENDPOINT in /etc/kubelet-confgen.conf to choose one',
  );
}

function noRuntimeFinding({ facts }: RuleContext, disabled: readonly RuntimeFacts[], docker: boolean): Finding {
  if (disabled.length > 0) return disabledFinding(disabled);
  if (docker) {
    return finding(
      'error',
      'docker-needs-cri-dockerd',
      'Docker is the only container runtime, and this kubelet does not support Docker without cri-dockerd',
      facts.runtimes.map(runtimeEvidence),
      'install cri-dockerd, or enable the CRI plugin of the containerd that comes with Docker',
    );
  }
  return finding(
    'error',
    'no-runtime',
    'no container runtime was found; the kubelet does not start without one',
    [],
    'install containerd or CRI-O, then restart the kubelet',
  );
}

function disabledFinding(runtimes: readonly RuntimeFacts[]): Finding {
  return finding(
    'error',
    'cri-disabled',
    `the CRI plugin of ${runtimes.map(({ name }) => name).join(' and ')} is disabled, so the kubelet cannot use it`,
    runtimes.map(runtimeEvidence),
    'remove cri from disabled_plugins in /etc/containerd/config.toml and restart containerd',
  );
}

function invalidEndpoint(endpoint: string, evidence: readonly string[]): Finding {
  const what = `invalid container runtime endpoint ${JSON.stringify(endpoint.slice(0, 100))}`;
  const hint = 'use unix:///PATH, where PATH contains only letters, digits and . _ - + @ /';
  return finding('error', 'endpoint-unusable', what, evidence, hint);
}

/** Whether this is a running host. An image has no /sys. */
export function isRunning({ cgroup }: Facts): boolean {
  return cgroup.mode !== 'unknown';
}

function runtimeEvidence({ name, endpoint, socket, criDisabled }: RuntimeFacts): string {
  return `${name}: ${endpoint}${socket ? '' : ', no socket'}${criDisabled ? ', CRI plugin disabled' : ''}`;
}

function startCommand({ name }: RuntimeFacts): string {
  return `systemctl enable --now ${name === 'cri-dockerd' ? 'cri-docker' : name}`;
}
