import type { Facts } from '../model/facts.ts';
import type { Finding } from '../model/finding.ts';
import {
  type ConfiguredValue,
  configuredValue,
  finding,
  type RuleContext,
  type RuleResult,
  type Setting,
} from './rule.ts';

const RESOLV_CONF = '/etc/resolv.conf';
/** systemd-resolved lists its upstream servers here. */
const RESOLVED = '/run/systemd/resolve/resolv.conf';
const RESOLVED_STUB = '/run/systemd/resolve/stub-resolv.conf';

/** Chooses the resolv.conf for pods: it must exist on this host and must not use a loopback address. */
export function planResolver({ facts }: RuleContext): RuleResult {
  const configured = configuredValue(facts, 'resolv-conf', 'resolvConf');
  if (configured !== undefined) {
    return facts.resolver.missing.includes(configured.value)
      ? missingFile(facts, configured)
      : { settings: [], findings: [configuredFinding(facts, configured)] };
  }
  const { resolved, kind, loopback, target } = facts.resolver;
  if (resolved && (loopback || kind === 'absent' || target === RESOLVED || target === RESOLVED_STUB)) {
    const found = finding(
      'info',
      'resolv-conf-resolved',
      `pods use ${RESOLVED}, the upstream name servers of systemd-resolved`,
      [resolverEvidence(facts), `${RESOLVED} exists`],
    );
    return { settings: [setting(RESOLVED)], findings: [found] };
  }
  return { settings: [], findings: hostResolverFindings(facts) };
}

/** The cluster's configuration was made on a host with another resolver (kubernetes/kubeadm#3034). */
function missingFile(facts: Facts, configured: ConfiguredValue): RuleResult {
  const what = `the kubelet is configured to use ${configured.value}, which does not exist on this host`;
  const replacement = facts.resolver.resolved ? RESOLVED : facts.resolver.kind === 'absent' ? undefined : RESOLV_CONF;
  if (configured.source === 'flag' || replacement === undefined) {
    const hint =
      replacement === undefined
        ? `create ${configured.value}, or set resolvConf in a KubeletConfiguration of this host`
        : `change it to ${replacement} in ${configured.path}`;
    const found = finding('error', 'resolv-conf-missing-here', what, [configured.evidence], hint);
    return { settings: [], findings: [found] };
  }
  const found = finding(
    'warning',
    'resolv-conf-missing-here',
    `${what}; kubelet-confgen sets ${replacement} instead, on this host only`,
    [configured.evidence],
    "remove resolvConf from the cluster's kubelet configuration, so that each host uses its own value",
  );
  return {
    settings: [setting(replacement)],
    findings: [found, ...(replacement === RESOLV_CONF ? hostResolverFindings(facts) : [])],
  };
}

function configuredFinding(facts: Facts, { value, path, evidence }: ConfiguredValue): Finding {
  if (value !== RESOLVED_STUB && (value !== RESOLV_CONF || !facts.resolver.loopback)) {
    return finding('info', 'resolv-conf-kept', `pods use ${value || 'no resolv.conf'}, as configured`, [evidence]);
  }
  return finding(
    'warning',
    'resolv-conf-loopback',
    `pods use ${value}, whose name server has a loopback address that pods cannot reach`,
    [evidence, resolverEvidence(facts)],
    facts.resolver.resolved
      ? `change it to ${RESOLVED} in ${path}`
      : `in ${path}, change it to a file with name servers that pods can reach`,
  );
}

/** Problems of /etc/resolv.conf when pods use it. */
function hostResolverFindings(facts: Facts): Finding[] {
  if (facts.resolver.kind === 'absent') {
    return [
      finding(
        'warning',
        'resolv-conf-absent',
        `${RESOLV_CONF} does not exist; pods that use it do not start`,
        [resolverEvidence(facts)],
        `create ${RESOLV_CONF}, or set resolvConf in the kubelet's configuration`,
      ),
    ];
  }
  if (!facts.resolver.loopback) return [];
  return [
    finding(
      'warning',
      'resolv-conf-loopback',
      `${RESOLV_CONF} has a name server with a loopback address, which pods cannot reach; CoreDNS would query itself`,
      [resolverEvidence(facts)],
      "write the upstream name servers to another file, and set resolvConf in the kubelet's configuration to its path",
    ),
  ];
}

function resolverEvidence({ resolver }: Facts): string {
  if (resolver.kind === 'absent') return `${RESOLV_CONF} does not exist`;
  const servers = resolver.nameservers.length === 0 ? 'no nameserver' : `nameserver ${resolver.nameservers.join(', ')}`;
  return `${RESOLV_CONF}${resolver.target === undefined ? '' : ` -> ${resolver.target}`}: ${servers}`;
}

function setting(value: string): Setting {
  return { flag: 'resolv-conf', field: 'resolvConf', value };
}
