import { poolPath, type RepositoryIndex, type RepositoryState, viewDirectory } from './repository.ts';
import { packagesOf } from './view-packages.ts';

/** `index.json`: what there is, one line an item. */
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
