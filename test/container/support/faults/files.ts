import { having, inFile, moved, renamedRelation, withoutRelation } from '../mutations.ts';
import type { Fault } from './fault.ts';

const DROP_IN = '/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf';
const UNIT = '/usr/lib/systemd/system/kubelet.service';

export const DROP_IN_FAULTS: readonly Fault[] = [
  {
    name: "a DEB's drop-in names the RPMs' env file",
    host: 'debian-12',
    scenario: 'service-flags',
    broken: { kubeadm: inFile(DROP_IN, '/etc/default/kubelet', '/etc/sysconfig/kubelet') },
    noticed: /check process kubelet.service\n +last arguments of kubelet.service: expected/,
  },
  {
    name: "an RPM's drop-in names the DEBs' env file",
    host: 'dnf-on-debian-12',
    scenario: 'service-flags',
    broken: { kubeadm: inFile(DROP_IN, '/etc/sysconfig/kubelet', '/etc/default/kubelet') },
    noticed: /check process kubelet.service\n +last arguments of kubelet.service: expected/,
  },
  {
    name: 'KUBELET_EXTRA_ARGS is not last',
    host: 'debian-13',
    scenario: 'service-flags',
    broken: {
      kubeadm: inFile(
        DROP_IN,
        '$KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS',
        '$KUBELET_EXTRA_ARGS $KUBELET_KUBEADM_ARGS',
      ),
    },
    noticed: 'process kubelet',
  },
  {
    name: "the drop-in looks for kubeadm's flags at a wrong path",
    host: 'zypper-on-debian-12',
    scenario: 'service-flags',
    broken: { kubeadm: inFile(DROP_IN, '/var/lib/kubelet/kubeadm-flags.env', '/var/lib/kubelet/flags.env') },
    noticed: 'process kubelet',
  },
  {
    name: "the drop-in does not reset the unit's own ExecStart",
    host: 'debian-11',
    scenario: 'service-flags',
    broken: { kubeadm: inFile(DROP_IN, 'ExecStart=\n', '') },
    noticed: 'run systemctl restart kubelet',
  },
  {
    name: "kubeadm's drop-in sorts before the generator's",
    host: 'debian-12',
    scenario: 'install-all',
    broken: { kubeadm: moved(DROP_IN, DROP_IN.replace('10-', '00-')) },
    noticed: /check unit kubelet.*\n.*drop-ins/,
  },
  {
    name: 'the drop-in is readable by root only',
    host: 'dnf-on-debian-12',
    scenario: 'install-all',
    broken: { kubeadm: having(DROP_IN, { mode: 0o600 }) },
    noticed: 'mode of /usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf: expected 0644, found 0600',
  },
];

export const UNIT_FAULTS: readonly Fault[] = [
  {
    name: 'the unit does not restart the kubelet',
    host: 'debian-12',
    scenario: 'service-crash',
    broken: { kubelet: inFile(UNIT, 'Restart=always', 'Restart=no') },
    noticed: 'Restart=always',
  },
  {
    name: 'the unit gives up after five starts',
    host: 'dnf-on-debian-12',
    scenario: 'service-crash',
    broken: { kubelet: inFile(UNIT, 'StartLimitInterval=0\n', '') },
    noticed: 'StartLimitIntervalUSec=0',
  },
  {
    name: 'the kubelet is not executable',
    host: 'debian-12',
    scenario: 'install-all',
    broken: { kubelet: having('/usr/bin/kubelet', { mode: 0o644 }) },
    noticed: 'check kubelet --version',
  },
  {
    name: 'a CNI plugin is not executable',
    host: 'debian-12',
    scenario: 'install-all',
    broken: { 'kubernetes-cni': having('/opt/cni/bin/loopback', { mode: 0o644 }) },
    noticed: 'mode of /opt/cni/bin/loopback: expected 0755, found 0644',
  },
  {
    name: "the env file is at another distribution's path",
    host: 'dnf-on-debian-12',
    scenario: 'install-all',
    broken: { kubelet: moved('/etc/sysconfig/kubelet', '/etc/default/kubelet') },
    noticed: '/etc/sysconfig/kubelet: expected present, found absent',
  },
];

export const RELATION_FAULTS: readonly Fault[] = [
  {
    name: 'the kubelet does not depend on the CNI plugins',
    host: 'debian-12',
    scenario: 'install-alone',
    broken: { kubelet: withoutRelation('kubernetes-cni') },
    noticed: 'kubernetes-cni',
  },
  {
    name: 'a relation has a name that the distribution does not have',
    host: 'zypper-on-debian-12',
    scenario: 'install-relations',
    broken: { kubelet: renamedRelation('iptables', 'iptables-tools') },
    noticed: 'all relations are satisfied by the set and the host',
  },
  {
    name: 'the kubelet does not depend on iptables',
    host: 'debian-11',
    scenario: 'install-relations',
    broken: { kubelet: withoutRelation('iptables') },
    noticed: 'iptables',
  },
];
