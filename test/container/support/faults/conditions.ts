import { firstInScript, having, inScript, instead, withRelation } from '../mutations.ts';
import type { Fault } from './fault.ts';

const GENERATOR = '/usr/libexec/kubernetes/kubelet-confgen';

export const CONDITION_FAULTS: readonly Fault[] = [
  {
    name: 'a hook fails without systemd',
    host: 'debian-12',
    scenario: 'conditions-no-systemd',
    broken: { kubelet: inScript('postinst', /^set -e$/m, 'set -e\nsystemctl daemon-reload') },
    noticed: 'upgrade-all current',
  },
  {
    name: 'a hook prints errors without systemd, as an RPM',
    host: 'dnf-on-debian-12',
    scenario: 'conditions-no-systemd',
    broken: { kubelet: firstInScript('post', 'systemctl daemon-reload') },
    noticed: 'System has not been booted',
  },
  {
    name: 'a hook is written for bash',
    host: 'debian-13',
    scenario: 'install-files',
    broken: { kubelet: inScript('postinst', /^set -e$/m, 'set -e\n[[ -n $1 ]]') },
    noticed: 'install all (files)',
  },
  {
    name: 'a hook writes different contents at each installation',
    host: 'debian-12',
    scenario: 'install-files',
    broken: { kubelet: firstInScript('postinst', 'date +%N >/etc/kubernetes/installed') },
    noticed: '/etc/kubernetes/installed',
  },
  {
    name: 'a hook expects another package to be installed',
    host: 'debian-12',
    scenario: 'install-order',
    broken: { kubeadm: inScript('postinst', /^set -e$/m, 'set -e\ncommand -v kubelet >/dev/null') },
    noticed: 'the drop-in first',
  },
  {
    name: 'a hook depends on the sort order of the locale',
    host: 'debian-12',
    scenario: 'conditions-locale',
    broken: {
      kubelet: inScript('postinst', /^set -e$/m, 'set -e\n[ "$(printf \'a\\nB\\n\' | sort | head -n 1)" = B ]'),
    },
    noticed: 'install all',
  },
  {
    name: 'a program is readable by root only',
    host: 'zypper-on-debian-12',
    scenario: 'conditions-umask',
    broken: { kubectl: having('/usr/bin/kubectl', { mode: 0o700 }) },
    noticed: 'all installed files are readable',
  },
  {
    name: 'a hook resolves a host name',
    host: 'debian-12',
    scenario: 'conditions-no-network',
    broken: { kubelet: firstInScript('postinst', 'getent hosts pkgs.k8s.io || :') },
    noticed: 'the number of attempts is unchanged',
  },
  {
    name: 'the generator needs to write below /usr',
    host: 'debian-12',
    scenario: 'conditions-read-only-usr',
    broken: { kubelet: instead(GENERATOR, '#!/bin/sh\ntouch /usr/libexec/kubernetes/cache\n') },
    noticed: "touch: cannot touch '/usr/libexec/kubernetes/cache': Read-only file system",
  },
  {
    name: 'a hook expects files of the generator',
    host: 'debian-12',
    scenario: 'conditions-full-disk',
    broken: {
      kubelet: inScript(
        'postinst',
        /^ {8}generate apply$/m,
        '        generate apply\n        test -e /etc/kubernetes/kubelet.conf.d/00-kubelet-confgen.conf',
      ),
    },
    noticed: 'an installation continues',
  },
  {
    name: 'kubeadm depends on exactly its own version of the kubelet',
    host: 'debian-12',
    scenario: 'conditions-hold',
    broken: {
      kubeadm: withRelation('depends', {
        anyOf: [{ name: 'kubelet', constraint: { operator: '=', version: '1.37.0-1' } }],
      }),
    },
    noticed: 'kubeadm',
  },
  {
    name: 'a hook runs a program from /var/tmp',
    host: 'debian-12',
    scenario: 'conditions-hardened-mounts',
    broken: { kubelet: inScript('postinst', /^set -e$/m, 'set -e\ncp /bin/true /var/tmp/probe\n/var/tmp/probe') },
    noticed: 'upgrade-all current',
  },
];
