import type { Format } from '../../model/format.ts';
import {
  type Channel,
  packagesOf,
  poolPath,
  type RepositoryPackage,
  type RepositoryState,
  viewDirectory,
} from './repository.ts';

export const INDEX_FILE = 'index.json';

/** A view as `index.json` lists it. */
interface IndexedView {
  readonly channel: Channel;
  readonly minor: string | null;
  readonly format: Format;
  /** The view's directory. The key keeps its old name because published repositories have it. */
  readonly folder: string;
  /** Number of packages. */
  readonly packages: number;
  readonly date: number;
}

/** `index.json` */
export interface RepositoryIndex {
  readonly schema: 1;
  readonly origin: string;
  /** Upper-case fingerprints of the signing keys. */
  readonly keys: readonly string[];
  readonly views: readonly IndexedView[];
  /** `path`: in the pool. */
  readonly packages: readonly (RepositoryPackage & { readonly path: string })[];
}

/** Content of `index.json`, one line per view and package. */
export function indexText(state: RepositoryState): string {
  const index: RepositoryIndex = {
    schema: 1,
    origin: state.settings.origin,
    keys: [...new Set(state.views.flatMap(({ signedBy }) => signedBy))].sort(),
    views: state.views.map((view) => ({
      channel: view.channel,
      minor: view.minor ?? null,
      format: view.format,
      folder: viewDirectory(view),
      packages: packagesOf(view, state.packages).length,
      date: view.date,
    })),
    packages: state.packages.map((each) => ({ path: poolPath(each), ...each })),
  };
  const list = (items: readonly unknown[]) => items.map((item) => `\n    ${JSON.stringify(item)}`).join(',');
  return `{
  "schema": 1,
  "origin": ${JSON.stringify(index.origin)},
  "keys": ${JSON.stringify(index.keys)},
  "views": [${list(index.views)}
  ],
  "packages": [${list(index.packages)}
  ]
}
`;
}
