import { type Classified, classify, PHASES, type Phase } from '../storage/classify.ts';
import type { ListedFile } from '../storage/list-files.ts';

export interface Upload extends Classified {
  readonly path: string;
  readonly size: number;
  readonly link: string | undefined;
  /** Another hard link of the same file, which is uploaded earlier. */
  readonly twin: string | undefined;
}

export interface PublishPlan {
  /** In order; a phase is complete before the next one starts. */
  readonly phases: readonly { readonly phase: Phase; readonly uploads: readonly Upload[] }[];
  /** Number of files that the target already has. */
  readonly unchanged: number;
  /** Deleted last, pointers before the files that they name. */
  readonly deletions: readonly string[];
}

/**
 * Plans the uploads and deletions that make the target equal to the repository.
 *
 * Deletes only files in the repository's top-level directories and temporary files of an interrupted run next to them
 * (`.NAME.SUFFIX`), and only if an earlier run published to the target (it has the file `marker`). Other files of the
 * target are kept.
 *
 * @param local all files of the repository
 * @param remote all files of the target
 * @param marker path of a file that every published repository has
 */
export function planPublish(local: readonly ListedFile[], remote: readonly ListedFile[], marker: string): PublishPlan {
  const existing = new Map(remote.map((file) => [file.path, file]));
  const twins = firstNames(local);
  const uploads: Upload[] = local
    .filter((file) => !isSame(file, existing.get(file.path)))
    .map(({ path, size, id, link }) => {
      const first = id === undefined ? undefined : twins.get(id);
      const twin = first === path ? undefined : first;
      const classified = classify(path, link !== undefined);
      // The other hard links are uploaded after the first one.
      return { path, size, link, twin, ...classified, rank: classified.rank + (twin === undefined ? 0 : 0.5) };
    })
    .sort((a, b) => a.rank - b.rank || (a.path < b.path ? -1 : 1));
  return {
    phases: PHASES.map((phase) => ({ phase, uploads: uploads.filter((each) => each.phase === phase) })),
    unchanged: local.length - uploads.length,
    deletions: existing.has(marker) ? obsoleteFiles(local, remote) : [],
  };
}

/** For each file with several hard links, the path that is uploaded first; for packages, the path in the pool. */
function firstNames(local: readonly ListedFile[]): ReadonlyMap<string, string> {
  const position = (path: string) => {
    const { phase, rank } = classify(path);
    return PHASES.indexOf(phase) * 10 + rank + (path.startsWith('pool/') ? 0 : 0.1);
  };
  const first = new Map<string, string>();
  for (const { id, path } of local) {
    const known = id === undefined ? undefined : first.get(id);
    if (id !== undefined && (known === undefined || position(path) < position(known))) first.set(id, path);
  }
  return first;
}

function isSame(file: ListedFile, other: ListedFile | undefined): boolean {
  return other !== undefined && file.size === other.size && file.digest !== undefined && file.digest === other.digest;
}

function obsoleteFiles(local: readonly ListedFile[], remote: readonly ListedFile[]): string[] {
  const kept = new Set(local.map(({ path }) => path));
  const isTemporary = (path: string) =>
    [/^\.(.+)\.[0-9a-f]{12}\.tmp$/, /^\.(.+)\.[A-Za-z0-9]{6}$/].some((form) => kept.has(form.exec(path)?.[1] ?? ''));
  const directories = new Set(local.filter(({ path }) => path.includes('/')).map(({ path }) => topDirectory(path)));
  return remote
    .filter(
      ({ path }) => !kept.has(path) && (path.includes('/') ? directories.has(topDirectory(path)) : isTemporary(path)),
    )
    .sort((a, b) => deletionRank(a) - deletionRank(b) || (a.path < b.path ? -1 : 1))
    .map(({ path }) => path);
}

/** Pointers are deleted first, in reverse order of their upload, so that clients never see an incomplete view. */
function deletionRank({ path, link }: ListedFile): number {
  const { phase, rank } = classify(path, link !== undefined);
  return phase === 'pointers' ? -rank : 1;
}

function topDirectory(path: string): string {
  return path.slice(0, path.indexOf('/'));
}

/** Bytes to upload. */
export function planBytes({ phases }: PublishPlan): number {
  return phases.flatMap(({ uploads }) => uploads).reduce((sum, { size }) => sum + size, 0);
}
