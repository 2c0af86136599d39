import { type Classified, classify, PHASES, type Phase } from './classify.ts';

/** A file here or there. `digest`: of its content, in whatever form the target compares; undefined when not known. */
export interface ListedFile {
  /** Relative to the repository, `/`-separated. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly digest: string | undefined;
}

export interface Upload extends Classified {
  readonly path: string;
  readonly size: number;
}

export interface PublishPlan {
  /** In order; each phase is whole before the next one begins. */
  readonly phases: readonly { readonly phase: Phase; readonly uploads: readonly Upload[] }[];
  /** Files that are there already. */
  readonly unchanged: number;
  /** Paths that go at the very end; sorted. */
  readonly deletions: readonly string[];
}

/**
 * What is to be done so that the target is as the repository is.
 *
 * Deleted is only what lies in a folder of the repository's own at a target that was published to before (the file
 * `marker` is there): what else somebody keeps at the target stays.
 *
 * @param local all files of the repository
 * @param remote all files of the target
 * @param marker path of the file that every published repository has
 */
export function planPublish(local: readonly ListedFile[], remote: readonly ListedFile[], marker: string): PublishPlan {
  const there = new Map(remote.map((file) => [file.path, file]));
  const uploads: Upload[] = local
    .filter((file) => !isSame(file, there.get(file.path)))
    .map(({ path, size }) => ({ path, size, ...classify(path) }))
    .sort((a, b) => a.rank - b.rank || (a.path < b.path ? -1 : 1));
  return {
    phases: PHASES.map((phase) => ({ phase, uploads: uploads.filter((each) => each.phase === phase) })),
    unchanged: local.length - uploads.length,
    deletions: there.has(marker) ? leftOver(local, remote) : [],
  };
}

function isSame(file: ListedFile, other: ListedFile | undefined): boolean {
  return other !== undefined && file.size === other.size && file.digest !== undefined && file.digest === other.digest;
}

function leftOver(local: readonly ListedFile[], remote: readonly ListedFile[]): string[] {
  const kept = new Set(local.map(({ path }) => path));
  const folders = new Set(local.filter(({ path }) => path.includes('/')).map(({ path }) => topFolder(path)));
  return remote
    .map(({ path }) => path)
    .filter((path) => !kept.has(path) && path.includes('/') && folders.has(topFolder(path)))
    .sort();
}

function topFolder(path: string): string {
  return path.slice(0, path.indexOf('/'));
}

/** Bytes that a plan sends. */
export function planBytes({ phases }: PublishPlan): number {
  return phases.flatMap(({ uploads }) => uploads).reduce((sum, { size }) => sum + size, 0);
}
