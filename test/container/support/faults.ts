import type { HostId } from './machine.ts';
import { inFile, type Mutation } from './mutations.ts';

/** A package that is broken in one way, and the check that must notice it. */
export interface Fault {
  readonly name: string;
  readonly host: HostId;
  readonly scenario: string;
  readonly package: string;
  readonly broken: Mutation;
  /** A part of the title of the first step that fails, or of what it found. */
  readonly noticed: string;
}

const DROP_IN = '/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf';

export const FAULTS: readonly Fault[] = [
  {
    name: "the drop-in names the RPMs' env file in a DEB",
    host: 'debian-12',
    scenario: 'service-flags',
    package: 'kubeadm',
    broken: inFile(DROP_IN, '/etc/default/kubelet', '/etc/sysconfig/kubelet'),
    noticed: 'process kubelet',
  },
];
