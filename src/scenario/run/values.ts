import { rangeAt } from '../../catalog/ranges.ts';
import { packageArchitecture } from '../../model/architecture.ts';
import { KubeparcelError } from '../../support/errors.ts';
import type { PackageSet } from '../model/expectation.ts';
import type { ScenarioHost } from '../model/host.ts';
import type { Placeholder, PlaceholderName } from '../model/placeholders.ts';
import type { HostSet, HostSets } from '../sets/host-sets.ts';

/** Path of the control plane in a container. */
export const CONTROL_PLANE = '/srv/control-plane';

/**
 * The value of each placeholder on a host.
 *
 * @throws KubeparcelError of kind 'config' for a package that is not in the set
 */
export function valueOn(host: ScenarioHost, sets: HostSets): (placeholder: Placeholder) => string {
  const path = (place: 'units' | 'drop-ins' | 'environment' | 'libexec', version: string) =>
    rangeAt(host.distribution.paths[place], version)?.path ?? '';
  return (placeholder) => {
    const set = setOf(sets, (placeholder.set ?? 'current') as PackageSet);
    const { version } = set;
    // The loader refuses all other names.
    switch (placeholder.name as PlaceholderName) {
      case 'host':
        return host.id;
      case 'format':
        return host.distribution.format;
      case 'manager':
        return host.manager;
      case 'architecture':
        return host.architecture;
      case 'package-architecture':
        return packageArchitecture(host.distribution.format, host.architecture);
      case 'env-file':
        return `${path('environment', version)}/kubelet`;
      case 'units':
        return path('units', version);
      case 'libexec':
        return path('libexec', version);
      case 'drop-ins':
        return set.dropIns ?? path('drop-ins', version);
      case 'drop-in':
        return `${set.dropIns ?? path('drop-ins', version)}/kubelet.service.d/10-kubeadm.conf`;
      case 'version':
        return placeholder.package === undefined ? version : packageOf(set, placeholder.package).plainVersion;
      case 'minor':
        return version.split('.').slice(0, 2).join('.');
      case 'package-version':
        return packageOf(set, placeholder.package ?? 'kubelet').version;
      case 'file':
        return packageOf(set, placeholder.package ?? '').file;
      case 'packages':
        return set.directory;
      case 'control-plane':
        return CONTROL_PLANE;
    }
  };
}

/** @throws KubeparcelError of kind 'config' for a set that this host does not have */
export function setOf(sets: HostSets, name: PackageSet): HostSet {
  const set = sets.get(name);
  if (set === undefined) throw new KubeparcelError('config', `no package set ${name} on this host`);
  return set;
}

/** @throws KubeparcelError of kind 'config' for a package that is not in the set */
export function packageOf(set: HostSet, name: string): HostSet['packages'][number] {
  const found = set.packages.find((each) => each.name === name);
  if (found === undefined) {
    throw new KubeparcelError('config', `package ${name} is not in the set ${set.name}`, {
      where: set.source,
      hint: `the set contains ${set.packages.map((each) => each.name).join(', ') || 'no packages for this host'}`,
    });
  }
  return found;
}
