import { type Classified, classify, PHASES, type Phase } from '../storage/classify.ts';
import type { ListedFile } from '../storage/files.ts';

export interface Upload extends Classified {
  readonly path: string;
  readonly size: number;
  readonly link: string | undefined;
  /** Another name of the same file, that is there when this one's turn comes. */
  readonly twin: string | undefined;
}

export interface PublishPlan {
  /** In order; each phase is whole before the next one begins. */
  readonly phases: readonly { readonly phase: Phase; readonly uploads: readonly Upload[] }[];
  /** Files that are there already. */
  readonly unchanged: number;
  /** Paths that go at the very end: what clients ask for first before what it leads to. */
  readonly deletions: readonly string[];
}

/**
 * What is to be done so that the target is as the repository is.
 *
 * Deleted is only what lies in a directory of the repository's own, and what an interrupted run left of the files beside
 * them (`.NAME.SOMETHING`), at a target that was published to before (the file `marker` is there): what else somebody
 * keeps there stays.
 *
 * @param local all files of the repository
 * @param remote all files of the target
 * @param marker path of the file that every published repository has
 */
export function planPublish(local: readonly ListedFile[], remote: readonly ListedFile[], marker: string): PublishPlan {
  const there = new Map(remote.map((file) => [file.path, file]));
  const twins = firstNames(local);
  const uploads: Upload[] = local
    .filter((file) => !isSame(file, there.get(file.path)))
    .map(({ path, size, id, link }) => {
      const first = id === undefined ? undefined : twins.get(id);
      const twin = first === path ? undefined : first;
      const classified = classify(path, link !== undefined);
      // Other names come after the first one.
      return { path, size, link, twin, ...classified, rank: classified.rank + (twin === undefined ? 0 : 0.5) };
    })
    .sort((a, b) => a.rank - b.rank || (a.path < b.path ? -1 : 1));
  return {
    phases: PHASES.map((phase) => ({ phase, uploads: uploads.filter((each) => each.phase === phase) })),
    unchanged: local.length - uploads.length,
    deletions: there.has(marker) ? leftOver(local, remote) : [],
  };
}

/** Where the first name of a package is. */
const POOL = 'pool/';

/** Of each file with several names the one that is published first. */
function firstNames(local: readonly ListedFile[]): ReadonlyMap<string, string> {
  const place = (path: string) => {
    const { phase, rank } = classify(path);
    return PHASES.indexOf(phase) * 10 + rank + (path.startsWith(POOL) ? 0 : 0.1);
  };
  const first = new Map<string, string>();
  for (const { id, path } of local) {
    const known = id === undefined ? undefined : first.get(id);
    if (id !== undefined && (known === undefined || place(path) < place(known))) first.set(id, path);
  }
  return first;
}

function isSame(file: ListedFile, other: ListedFile | undefined): boolean {
  return other !== undefined && file.size === other.size && file.digest !== undefined && file.digest === other.digest;
}

function leftOver(local: readonly ListedFile[], remote: readonly ListedFile[]): string[] {
  const kept = new Set(local.map(({ path }) => path));
  const unfinished = (path: string) =>
    [/^\.(.+)\.[0-9a-f]{12}\.tmp$/, /^\.(.+)\.[A-Za-z0-9]{6}$/].some((form) => kept.has(form.exec(path)?.[1] ?? ''));
  const directories = new Set(local.filter(({ path }) => path.includes('/')).map(({ path }) => topDirectory(path)));
  return remote
    .filter(
      ({ path }) => !kept.has(path) && (path.includes('/') ? directories.has(topDirectory(path)) : unfinished(path)),
    )
    .sort((a, b) => turn(a) - turn(b) || (a.path < b.path ? -1 : 1))
    .map(({ path }) => path);
}

/** A view that is taken away is gone with its pointer, the last that came: nobody finds a half of it. */
function turn({ path, link }: ListedFile): number {
  const { phase, rank } = classify(path, link !== undefined);
  return phase === 'pointers' ? -rank : 1;
}

function topDirectory(path: string): string {
  return path.slice(0, path.indexOf('/'));
}

/** Bytes that a plan sends. */
export function planBytes({ phases }: PublishPlan): number {
  return phases.flatMap(({ uploads }) => uploads).reduce((sum, { size }) => sum + size, 0);
}
