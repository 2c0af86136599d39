import { isNodeName } from '../facts/system.ts';
import { compareVersions } from '../model/data.ts';
import type { Finding } from '../model/finding.ts';
import { isRunning } from './plan-runtime.ts';
import {
  configuredBoolean,
  configuredFlag,
  finding,
  hasUnclearConfig,
  normalizeFlag,
  type RuleContext,
  type RuleResult,
} from './rule.ts';

/** Sets the node name only on request, and only when it is not configured. */
export function planNodeName({ facts }: RuleContext): RuleResult {
  const { hostName, validNodeName } = facts.node;
  const configured = configuredFlag(facts, 'hostname-override');
  if (configured !== undefined) {
    const what = `the node name is ${configured.value}, as configured`;
    return { settings: [], findings: [finding('info', 'node-name-kept', what, [configured.evidence])] };
  }
  const requested = (facts.settings.hostnameOverride ?? '').trim();
  if (requested !== '' && !/^(no|off|false|0)$/i.test(requested)) {
    const name = (/^(yes|on|true|1)$/i.test(requested) ? hostName : requested).toLowerCase();
    const evidence = [`KUBELET_CONFGEN_HOSTNAME_OVERRIDE=${requested}`, `host name: ${hostName}`];
    if (isNodeName(name)) {
      const found = finding('info', 'node-name', `the node name is ${name}, as requested`, evidence);
      return { settings: [{ flag: 'hostname-override', field: undefined, value: name }], findings: [found] };
    }
    const what = `${JSON.stringify(name.slice(0, 100))} is not a valid node name`;
    const hint = 'use lower-case letters, digits, - and ., at most 253 characters';
    return { settings: [], findings: [finding('error', 'node-name-invalid', what, evidence, hint)] };
  }
  if (validNodeName) return { settings: [], findings: [] };
  const what = `the host name ${JSON.stringify(hostName.slice(0, 100))} is not a valid node name; the node cannot register`;
  const hint =
    'rename the host with hostnamectl, or set KUBELET_CONFGEN_HOSTNAME_OVERRIDE=NAME in /etc/kubelet-confgen.conf';
  const evidence = [`host name: ${hostName.slice(0, 300)}`];
  return { settings: [], findings: [finding('error', 'node-name-invalid', what, evidence, hint)] };
}

/** Checks swap, kernel modules and sysctls. An image is not checked: its kernel is not known. */
export function hostFindings({ facts, kubelet }: RuleContext): Finding[] {
  if (!isRunning(facts)) return [];
  const found: Finding[] = [];
  const failsOnSwap =
    configuredBoolean(facts, 'fail-swap-on', 'failSwapOn') ??
    (kubelet.failsOnSwap === true && !hasUnclearConfig(facts));
  if (facts.node.swap.length > 0 && failsOnSwap) {
    const what = 'swap is on, and this kubelet does not start with swap';
    const hint =
      "run swapoff -a and remove swap from /etc/fstab, or set failSwapOn: false in the kubelet's configuration";
    found.push(finding('error', 'swap-on', what, [`/proc/swaps: ${facts.node.swap.join(', ')}`], hint));
  }
  const { brNetfilter, overlay, ipForward } = facts.kernel;
  if (!brNetfilter) {
    const what = 'the kernel module br_netfilter is not loaded; many pod networks need it';
    const hint = 'run modprobe br_netfilter, and add br_netfilter to /etc/modules-load.d/k8s.conf';
    found.push(finding('warning', 'br-netfilter-missing', what, [], hint));
  }
  if (!overlay) {
    const what = 'the kernel module overlay is not loaded; most container runtimes need it';
    const hint = 'run modprobe overlay, and add overlay to /etc/modules-load.d/k8s.conf';
    found.push(finding('warning', 'overlay-missing', what, [], hint));
  }
  if (ipForward === false) {
    const what = 'IPv4 forwarding is off; pods cannot reach addresses outside their node';
    const hint = 'add net.ipv4.ip_forward = 1 to /etc/sysctl.d/k8s.conf, then run sysctl --system';
    found.push(finding('warning', 'ip-forward-off', what, ['/proc/sys/net/ipv4/ip_forward: 0'], hint));
  }
  return found;
}

/** Flags in the env files that this kubelet version rejects: it does not start. */
export function removedFlagFindings({ facts, removedFlags, version }: RuleContext): Finding[] {
  const { extraArgs, kubeadmArgs } = facts.kubelet;
  const removed = removedFlags.filter(({ since }) => compareVersions(version, since) >= 0);
  return [extraArgs, kubeadmArgs].flatMap(({ path, flags }) =>
    removed
      .filter(({ flag }) => flags.some(({ name }) => normalizeFlag(name) === flag))
      .map(({ flag, since, instead }) =>
        finding(
          'error',
          'removed-flag',
          `kubelet ${version} does not start with --${flag}, which was removed in ${since}`,
          [`${path}: --${flag}`],
          `remove --${flag} from ${path}; ${instead}`,
        ),
      ),
  );
}
