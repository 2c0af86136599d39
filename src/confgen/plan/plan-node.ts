import { isNodeName } from '../facts/node-name.ts';
import { compareVersions } from '../model/data.ts';
import type { Finding } from '../model/finding.ts';
import { isLive } from './plan-runtime.ts';
import { finding, flagName, givenFlag, givenSwitch, isUnclear, type Situation, type Verdict } from './situation.ts';

/** The node's name: only set when asked, and only where nobody else has. */
export function planNodeName({ facts }: Situation): Verdict {
  const { hostName, validNodeName } = facts.node;
  const set = givenFlag(facts, 'hostname-override');
  if (set !== undefined) {
    const what = `the node is called ${set.value}, as it was set`;
    return { settings: [], findings: [finding('info', 'node-name-kept', what, [set.evidence])] };
  }
  const asked = (facts.settings.hostnameOverride ?? '').trim();
  if (asked !== '' && !/^(no|off|false|0)$/i.test(asked)) {
    const name = (/^(yes|on|true|1)$/i.test(asked) ? hostName : asked).toLowerCase();
    const evidence = [`KUBELET_CONFGEN_HOSTNAME_OVERRIDE=${asked}`, `host name: ${hostName}`];
    if (isNodeName(name)) {
      const found = finding('info', 'node-name', `the node is called ${name}, as asked`, evidence);
      return { settings: [{ flag: 'hostname-override', field: undefined, value: name }], findings: [found] };
    }
    const hint = 'use lower-case letters, digits, - and ., 253 at most';
    return {
      settings: [],
      findings: [
        finding('error', 'node-name-invalid', `${JSON.stringify(name.slice(0, 100))} is no node name`, evidence, hint),
      ],
    };
  }
  if (validNodeName) return { settings: [], findings: [] };
  return {
    settings: [],
    findings: [
      finding(
        'error',
        'node-name-invalid',
        `the host name ${JSON.stringify(hostName.slice(0, 100))} is no node name; the node does not register`,
        [`host name: ${hostName.slice(0, 300)}`],
        'rename the host with hostnamectl, or write KUBELET_CONFGEN_HOSTNAME_OVERRIDE=NAME into /etc/kubelet-confgen.conf',
      ),
    ],
  };
}

/** Swap, modules and sysctls that a node needs; a tree of an image says nothing of the kernel that it will run on. */
export function hostFindings(situation: Situation): Finding[] {
  const { facts, kubelet } = situation;
  if (!isLive(facts)) return [];
  const found: Finding[] = [];
  const fails = givenSwitch(facts, 'fail-swap-on', 'failSwapOn') ?? (kubelet.failsOnSwap === true && !isUnclear(facts));
  if (facts.node.swap.length > 0 && fails) {
    const what = 'swap is on, and this kubelet does not start with it';
    const hint = "swapoff -a and take swap out of /etc/fstab, or set failSwapOn: false in the kubelet's configuration";
    found.push(finding('error', 'swap-on', what, [`/proc/swaps: ${facts.node.swap.join(', ')}`], hint));
  }
  const { brNetfilter, overlay, ipForward } = facts.kernel;
  if (!brNetfilter) {
    const what = 'the kernel module br_netfilter is not loaded; many networks of pods need it';
    const hint = 'modprobe br_netfilter, and write it into /etc/modules-load.d/k8s.conf';
    found.push(finding('warning', 'br-netfilter-missing', what, [], hint));
  }
  if (!overlay) {
    const what = 'the kernel module overlay is not loaded; most container runtimes need it';
    const hint = 'modprobe overlay, and write it into /etc/modules-load.d/k8s.conf';
    found.push(finding('warning', 'overlay-missing', what, [], hint));
  }
  if (ipForward === false) {
    const what = 'the kernel does not forward IPv4 packets, so pods reach nothing outside their node';
    const hint = 'write net.ipv4.ip_forward = 1 into /etc/sysctl.d/k8s.conf, then sysctl --system';
    found.push(finding('warning', 'ip-forward-off', what, ['/proc/sys/net/ipv4/ip_forward: 0'], hint));
  }
  return found;
}

/** Flags in the env files that this kubelet does not know: it stops at the first one. */
export function removedFlagFindings({ facts, removedFlags, version }: Situation): Finding[] {
  const { extraArgs, kubeadmArgs } = facts.kubelet;
  return [extraArgs, kubeadmArgs].flatMap(({ path, flags }) =>
    removedFlags
      .filter(
        ({ flag, since }) => compareVersions(version, since) >= 0 && flags.some(({ name }) => flagName(name) === flag),
      )
      .map(({ flag, since, instead }) =>
        finding(
          'error',
          'removed-flag',
          `kubelet ${version} does not start with --${flag}, which was removed in ${since}`,
          [`${path}: --${flag}`],
          `take --${flag} out of ${path}; ${instead}`,
        ),
      ),
  );
}
