import type { Format } from '../../model/format.ts';
import { CHANNELS, type RepositoryPackage, type View, viewDirectory } from './repository.ts';

/** 1.9 before 1.10. */
export function compareMinors(a: string, b: string): number {
  const [left = [], right = []] = [a, b].map((minor) => minor.split('.').map(Number));
  return (left[0] ?? 0) - (right[0] ?? 0) || (left[1] ?? 0) - (right[1] ?? 0);
}

/** Every view that has a package, in the order of their directories. */
export function viewsOf(packages: readonly RepositoryPackage[]): View[] {
  const views = new Map<string, View>();
  for (const { format, channels } of packages) {
    for (const channel of CHANNELS) {
      const minors = channels[channel];
      if (minors === undefined) continue;
      for (const minor of [undefined, ...minors]) {
        const view = { channel, minor, format };
        views.set(viewDirectory(view), view);
      }
    }
  }
  return [...views].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, view]) => view);
}

/** A view's packages, by file name. */
export function packagesOf(view: View, packages: readonly RepositoryPackage[]): RepositoryPackage[] {
  return packages
    .filter(({ format, channels }) => {
      const minors = channels[view.channel];
      return (
        format === view.format && minors !== undefined && (view.minor === undefined || minors.includes(view.minor))
      );
    })
    .sort((a, b) => (a.file < b.file ? -1 : 1));
}

/** Whether a view has its packages in its own directory, as hard links; else they are the pool's. */
export function hasOwnLinks(view: { readonly format: Format; readonly minor: string | undefined }): boolean {
  return view.format === 'rpm' || view.minor !== undefined;
}

/** A package in a view's directory, relative to it. */
export function linkPath({ architecture, file }: Pick<RepositoryPackage, 'architecture' | 'file'>): string {
  return `${architecture}/${file}`;
}
