import type { Finding } from '../model/finding.ts';
import { finding, type Given, given, type Setting, type Situation, type Verdict } from './situation.ts';

const HOST_RESOLVER = '/etc/resolv.conf';
/** Where systemd-resolved lists the servers that it asks itself. */
const RESOLVED = '/run/systemd/resolve/resolv.conf';
const RESOLVED_STUB = '/run/systemd/resolve/stub-resolv.conf';

/** Which resolv.conf pods inherit: one that is here, and that names no server on a loopback address. */
export function planResolver({ facts }: Situation): Verdict {
  const set = given(facts, 'resolv-conf', 'resolvConf');
  if (set !== undefined) return facts.resolver.missing.includes(set.value) ? missing(facts, set) : kept(facts, set);
  const { resolved, kind, loopback } = facts.resolver;
  if (resolved && (loopback || kind === 'absent' || isResolveds(facts))) {
    const found = finding(
      'info',
      'resolv-conf-resolved',
      `pods get the name servers that systemd-resolved asks, from ${RESOLVED}`,
      [resolverEvidence(facts), `${RESOLVED} is there`],
    );
    return { settings: [setting(RESOLVED)], findings: [found] };
  }
  return { settings: [], findings: hostResolver(facts) };
}

type Resolver = Situation['facts'];

/** The cluster's configuration came from a host of another kind (kubernetes/kubeadm#3034). */
function missing(facts: Resolver, set: Given): Verdict {
  const what = `pods are to inherit ${set.value}, which is not on this host`;
  const instead = facts.resolver.resolved ? RESOLVED : facts.resolver.kind === 'absent' ? undefined : HOST_RESOLVER;
  if (set.by === 'flag' || instead === undefined) {
    const hint =
      instead === undefined
        ? `make ${set.value}, or set resolvConf in a KubeletConfiguration of this host`
        : `change it to ${instead} in ${set.path}`;
    return { settings: [], findings: [finding('error', 'resolv-conf-missing-here', what, [set.evidence], hint)] };
  }
  const found = finding(
    'warning',
    'resolv-conf-missing-here',
    `${what}; ${instead} takes its place here, and here only`,
    [set.evidence],
    "take resolvConf out of the cluster's kubelet configuration, so that each host finds its own",
  );
  return {
    settings: [setting(instead)],
    findings: [found, ...(instead === HOST_RESOLVER ? hostResolver(facts) : [])],
  };
}

function kept(facts: Resolver, set: Given): Verdict {
  const stub = set.value === RESOLVED_STUB || (set.value === HOST_RESOLVER && facts.resolver.loopback);
  const found = stub
    ? finding(
        'warning',
        'resolv-conf-loopback',
        `pods inherit ${set.value}, whose name server is on a loopback address; they do not reach it`,
        [set.evidence, resolverEvidence(facts)],
        facts.resolver.resolved
          ? `change it to ${RESOLVED} in ${set.path}`
          : `name a file with servers that pods reach in ${set.path}`,
      )
    : finding('info', 'resolv-conf-kept', `pods inherit ${set.value || 'no resolv.conf'}, as it was set`, [
        set.evidence,
      ]);
  return { settings: [], findings: [found] };
}

/** What is wrong with /etc/resolv.conf where it is what pods inherit. */
function hostResolver(facts: Resolver): Finding[] {
  if (facts.resolver.kind === 'absent') {
    return [
      finding(
        'warning',
        'resolv-conf-absent',
        `there is no ${HOST_RESOLVER}; pods that inherit it do not start`,
        [resolverEvidence(facts)],
        `write one, or set resolvConf in the kubelet's configuration`,
      ),
    ];
  }
  if (!facts.resolver.loopback) return [];
  return [
    finding(
      'warning',
      'resolv-conf-loopback',
      `${HOST_RESOLVER} names a server on a loopback address, which pods do not reach; CoreDNS would ask itself`,
      [resolverEvidence(facts)],
      'put the servers behind it into another file, and set resolvConf in the kubelet configuration to its path',
    ),
  ];
}

function isResolveds({ resolver }: Resolver): boolean {
  return resolver.target === RESOLVED || resolver.target === RESOLVED_STUB;
}

function resolverEvidence({ resolver }: Resolver): string {
  if (resolver.kind === 'absent') return `${HOST_RESOLVER} is not there`;
  const servers = resolver.nameservers.length === 0 ? 'no nameserver' : `nameserver ${resolver.nameservers.join(', ')}`;
  return `${HOST_RESOLVER}${resolver.target === undefined ? '' : ` -> ${resolver.target}`}: ${servers}`;
}

function setting(value: string): Setting {
  return { flag: 'resolv-conf', field: 'resolvConf', value };
}
