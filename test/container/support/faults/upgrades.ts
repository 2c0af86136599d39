import { firstInScript, having, inScript } from '../mutations.ts';
import type { Fault } from './fault.ts';

export const UPGRADE_FAULTS: readonly Fault[] = [
  {
    name: 'an upgrade restarts the kubelet',
    host: 'debian-12',
    scenario: 'upgrade-from-minor',
    broken: {
      kubelet: inScript(
        'postinst',
        /^ {12}after_upgrade$/m,
        '            after_upgrade\n            systemctl try-restart kubelet',
      ),
    },
    noticed: 'the process was not restarted',
  },
  {
    name: 'an upgrade restarts the kubelet, as an RPM',
    host: 'dnf-on-debian-12',
    scenario: 'upgrade-from-minor',
    broken: {
      kubelet: inScript('posttrans', /^ {4}after_upgrade$/m, '    after_upgrade\n    systemctl try-restart kubelet'),
    },
    noticed: 'the process was not restarted',
  },
  {
    name: 'the env file is not a conffile',
    host: 'debian-12',
    scenario: 'upgrade-from-minor',
    broken: { kubelet: having('/etc/default/kubelet', { role: 'plain' }) },
    noticed: '/etc/default/kubelet',
  },
  {
    name: 'the env file is replaced, as an RPM',
    host: 'zypper-on-debian-12',
    scenario: 'upgrade-from-patch',
    broken: { kubelet: having('/etc/sysconfig/kubelet', { role: 'plain' }) },
    noticed: '/etc/sysconfig/kubelet',
  },
  {
    name: 'a hook overwrites the env file',
    host: 'debian-11',
    scenario: 'upgrade-from-patch',
    broken: { kubelet: firstInScript('postinst', "echo 'KUBELET_EXTRA_ARGS=' >/etc/default/kubelet") },
    noticed: 'files of the node are unchanged, and no extra file is left',
  },
  {
    name: 'no hook reloads systemd after an upgrade',
    host: 'debian-12',
    scenario: 'upgrade-from-official',
    broken: {
      kubelet: inScript('postinst', 'systemctl --system daemon-reload', 'true'),
      kubeadm: inScript('postinst', 'systemctl --system daemon-reload', 'true'),
    },
    noticed: 'kubelet.service needs daemon-reload: expected no, found yes',
  },
  {
    name: 'an upgrade enables a disabled unit',
    host: 'debian-13',
    scenario: 'upgrade-disabled',
    broken: { kubelet: firstInScript('postinst', 'systemctl enable kubelet.service >/dev/null 2>&1 || :') },
    noticed: /check unit kubelet.service\n.*expected disabled, found enabled/,
  },
  {
    name: "an upgrade removes an administrator's drop-ins",
    host: 'debian-12',
    scenario: 'upgrade-drop-ins',
    broken: { kubeadm: firstInScript('postinst', 'rm -rf /etc/systemd/system/kubelet.service.d') },
    noticed: 'expected contains "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf overrides',
  },
  {
    name: 'a hook cannot run a second time',
    host: 'debian-12',
    scenario: 'upgrade-killed-in-hook',
    broken: {
      kubelet: inScript('postinst', /^set -e$/m, 'set -e\nmkdir /run/kubelet-configured'),
      kubeadm: inScript('postinst', /^set -e$/m, 'set -e\nmkdir /run/kubeadm-configured'),
    },
    noticed: 'the repair that is documented for interruptions',
  },
];

export const REMOVAL_FAULTS: readonly Fault[] = [
  {
    name: 'a file of a hook is left after a purge',
    host: 'debian-12',
    scenario: 'remove-at-once',
    broken: { kubelet: firstInScript('postinst', 'date >/etc/kubelet-was-here') },
    noticed: '/etc/kubelet-was-here',
  },
  {
    name: "the generator's files stay after a removal",
    host: 'dnf-on-debian-12',
    scenario: 'remove-at-once',
    broken: {
      kubelet: inScript('postun', /^ {4}forget_generator$/m, '    :'),
      'cri-tools': inScript('postun', /^ {4}forget_record$/m, '    :'),
    },
    noticed: '/var/lib/kubelet-confgen',
  },
  {
    name: "a purge takes the node's own files along",
    host: 'debian-12',
    scenario: 'remove-parts',
    broken: {
      kubelet: inScript('postrm', /^ {8}forget_generator$/m, '        rm -rf /etc/kubernetes /var/lib/kubelet'),
    },
    noticed: '/etc/kubernetes',
  },
];
