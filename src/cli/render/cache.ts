import { CACHE_KINDS, type CachedFile, type CacheKind, sizeOf } from '../../payload/cache.ts';
import { humanSize, table } from './table.ts';

const TITLES: Readonly<Record<CacheKind, string>> = {
  objects: 'Artifacts and their files',
  index: 'What became of artifacts',
  blocks: 'Compressed blocks',
  facts: 'Digests of what is compressed',
  built: 'Records of packages written',
};

/** What `kubeparcel cache ls` says. */
export function renderCache(directory: string, files: readonly CachedFile[]): string {
  const rows = CACHE_KINDS.map((kind) => {
    const those = files.filter((file) => file.kind === kind);
    const used = those.reduce((latest, file) => Math.max(latest, file.used), 0);
    const day = used === 0 ? '' : new Date(used * 1000).toISOString().slice(0, 10);
    return [TITLES[kind], String(those.length), humanSize(sizeOf(those)), day];
  });
  return [
    table(['What', '>Files', '>Size', 'Last used'], rows),
    '',
    `In ${directory}, ${humanSize(sizeOf(files))}.`,
  ].join('\n');
}

/** What `kubeparcel cache prune` says. */
export function renderRemoved(gone: readonly CachedFile[]): string {
  return gone.length === 0 ? 'Nothing to remove.' : `Removed ${gone.length} files, ${humanSize(sizeOf(gone))}.`;
}

/** What `kubeparcel cache verify` says. */
export function renderVerified(files: readonly CachedFile[], damaged: readonly CachedFile[]): string {
  const read = `Read ${files.length} files, ${humanSize(sizeOf(files))}:`;
  if (damaged.length === 0) return `${read} all are as they were written.`;
  const names = damaged.map(({ path }) => `  ${path}`);
  return [`${read} ${damaged.length} were damaged and are removed; the next build makes them anew.`, ...names].join(
    '\n',
  );
}
