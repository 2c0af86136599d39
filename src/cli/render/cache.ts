import { CACHE_KINDS, type CachedFile, type CacheKind, totalSize } from '../../payload/cache.ts';
import { plural } from '../../support/plural.ts';
import { humanSize, table } from './table.ts';

const TITLES: Readonly<Record<CacheKind, string>> = {
  objects: 'Artifacts and their files',
  index: 'Records of unpacked artifacts',
  blocks: 'Compressed blocks',
  facts: 'Records of compressed blocks',
  built: 'Records of built packages',
};

/** The output of `kubeparcel cache ls`. */
export function renderCache(directory: string, files: readonly CachedFile[]): string {
  const rows = CACHE_KINDS.map((kind) => {
    const ofKind = files.filter((file) => file.kind === kind);
    const used = ofKind.reduce((latest, file) => Math.max(latest, file.used), 0);
    const day = used === 0 ? '' : new Date(used * 1000).toISOString().slice(0, 10);
    return [TITLES[kind], String(ofKind.length), humanSize(totalSize(ofKind)), day];
  });
  return [
    table(['Kind', '>Files', '>Size', 'Last used'], rows),
    '',
    `${humanSize(totalSize(files))} in ${directory}`,
  ].join('\n');
}

/** The output of `kubeparcel cache prune`. */
export function renderRemoved(removed: readonly CachedFile[]): string {
  return removed.length === 0
    ? 'Nothing to remove.'
    : `Removed ${plural(removed.length, 'file')}, ${humanSize(totalSize(removed))}.`;
}

/** The output of `kubeparcel cache verify`. */
export function renderVerified(files: readonly CachedFile[], damaged: readonly CachedFile[]): string {
  const read = `Verified ${plural(files.length, 'file')}, ${humanSize(totalSize(files))}:`;
  if (damaged.length === 0) return `${read} none is damaged.`;
  const names = damaged.map(({ path }) => `  ${path}`);
  return [`${read} removed ${damaged.length} damaged; the next build creates them again.`, ...names].join('\n');
}
