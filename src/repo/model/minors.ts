import { versionOf } from '../../model/component.ts';
import { KubeparcelError } from '../../support/errors.ts';
import type { PackageRecord } from './record.ts';

/** Orders 1.9 before 1.10. */
export function compareMinors(a: string, b: string): number {
  const [left = [], right = []] = [a, b].map((minor) => minor.split('.').map(Number));
  return (left[0] ?? 0) - (right[0] ?? 0) || (left[1] ?? 0) - (right[1] ?? 0);
}

/** Names of the packages that have the version of Kubernetes. */
export async function kubernetesPackages(): Promise<ReadonlySet<string>> {
  // Imported on demand: loading the catalog takes longer than adding a few packages.
  const { loadCatalog } = await import('../../catalog/catalog.ts');
  const { packages } = await loadCatalog();
  const otherVersions = { criTools: 'own', cniPlugins: 'own' };
  return new Set(
    packages.filter(({ component }) => versionOf(component, '', otherVersions) === '').map(({ name }) => name),
  );
}

/**
 * Kubernetes minors of packages that are added together. A package with the version of Kubernetes belongs to that
 * version's minor. Any other package (cri-tools, kubernetes-cni) belongs to the minor of its own version if Kubernetes
 * packages of that minor are added too, else to all minors of the added Kubernetes packages.
 *
 * @param kubernetes names of the packages that have the version of Kubernetes
 * @returns minors by SHA-256
 * @throws KubeparcelError of kind 'usage' if the minor of a package is unknown
 */
export function minorsOf(
  records: readonly Pick<PackageRecord, 'name' | 'version' | 'sha256'>[],
  kubernetes: ReadonlySet<string>,
): Map<string, string[]> {
  const minorOf = (version: string) => /^(?:\d+:)?(\d+\.\d+)(?![\d])/.exec(version)?.[1];
  const added = new Set(
    records.filter(({ name }) => kubernetes.has(name)).flatMap(({ version }) => minorOf(version) ?? []),
  );
  return new Map(
    records.map(({ name, version, sha256 }) => {
      const minor = minorOf(version);
      if (minor !== undefined && (kubernetes.has(name) || added.has(minor))) return [sha256, [minor]];
      if (added.size > 0) return [sha256, [...added].sort(compareMinors)];
      throw new KubeparcelError('usage', `unknown Kubernetes minor of ${name} ${version}`, {
        hint: 'specify it (--minor 1.36,1.37), or add the package together with packages of Kubernetes',
      });
    }),
  );
}
