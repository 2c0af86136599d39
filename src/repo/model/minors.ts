import { versionOf } from '../../model/component.ts';
import { KubeparcelError } from '../../support/errors.ts';
import type { PackageRecord } from './record.ts';
import { compareMinors } from './view-packages.ts';

const OTHERS = { criTools: 'own', cniPlugins: 'own' };

/** Names of the packages whose version is Kubernetes' own. */
export async function kubernetesPackages(): Promise<ReadonlySet<string>> {
  // Only where a package does not say it: reading the data takes longer than adding some packages.
  const { loadCatalog } = await import('../../catalog/catalog.ts');
  const { packages } = await loadCatalog();
  return new Set(packages.filter(({ component }) => versionOf(component, '', OTHERS) === '').map(({ name }) => name));
}

/**
 * The minors that packages which are added together belong to. A package of Kubernetes' own version belongs to that
 * version's minor; any other (cri-tools, kubernetes-cni) to the minor of its own version where packages of that minor
 * come along, else to all minors that come along.
 *
 * @param kubernetes names of packages whose version is Kubernetes' own
 * @returns minors by SHA-256
 * @throws KubeparcelError of kind 'usage' when nothing says which minor a package belongs to
 */
export function minorsOf(
  records: readonly Pick<PackageRecord, 'name' | 'version' | 'sha256'>[],
  kubernetes: ReadonlySet<string>,
): Map<string, string[]> {
  const own = (version: string) => /^(?:\d+:)?(\d+\.\d+)(?![\d])/.exec(version)?.[1];
  const along = new Set(
    records.filter(({ name }) => kubernetes.has(name)).flatMap(({ version }) => own(version) ?? []),
  );
  return new Map(
    records.map(({ name, version, sha256 }) => {
      const minor = own(version);
      if (minor !== undefined && (kubernetes.has(name) || along.has(minor))) return [sha256, [minor]];
      if (along.size > 0) return [sha256, [...along].sort(compareMinors)];
      throw new KubeparcelError('usage', `nothing says which minors of Kubernetes ${name} ${version} goes with`, {
        hint: 'name them (--minor 1.36,1.37), or add it together with packages of Kubernetes',
      });
    }),
  );
}
