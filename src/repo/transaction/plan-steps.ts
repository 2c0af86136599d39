import { readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../../model/digest.ts';
import { isErrno } from '../../support/file-system.ts';
import {
  hasOwnLinks,
  linkPath,
  poolPath,
  type RepositoryPackage,
  type ViewState,
  viewDirectory,
  viewsOf,
} from '../model/repository.ts';
import type { ViewFile } from '../model/view-files.ts';
import type { Step } from './journal.ts';
import type { WorkDirectory } from './work-directory.ts';

/** The steps of a change, in the order of their execution. */
export interface Steps {
  readonly packages: Step[];
  /** Indices with a digest in their name. */
  readonly indices: Step[];
  /** Indices with a fixed name. */
  readonly fixed: Step[];
  readonly pointers: Step[];
  /** index.json and the state. */
  readonly last: Step[];
  readonly removals: Step[];
}

export function newSteps(): Steps {
  return { packages: [], indices: [], fixed: [], pointers: [], last: [], removals: [] };
}

/**
 * Links new packages into the pool and the views; removes packages that no channel has any more.
 *
 * @param work directory of the new packages
 */
export function packageSteps(
  before: readonly RepositoryPackage[],
  packages: readonly RepositoryPackage[],
  work: string,
  steps: Steps,
): void {
  const old = new Map(before.map((each) => [poolPath(each), each]));
  const current = new Map(packages.map((each) => [poolPath(each), each]));
  for (const [path, each] of current) {
    if (!old.has(path)) steps.packages.push({ do: 'link', from: `${work}/${each.sha256}`, to: path });
    const existing = new Set(linksOf(old.get(path)));
    for (const to of linksOf(each)) if (!existing.has(to)) steps.packages.push({ do: 'link', from: path, to });
  }
  for (const [path, each] of old) {
    const remaining = new Set(linksOf(current.get(path)));
    for (const link of linksOf(each)) if (!remaining.has(link)) steps.removals.push({ do: 'remove', path: link });
    if (!current.has(path)) steps.removals.push({ do: 'remove', path });
  }
}

/** Paths of a package in the directories of views. */
function linksOf(entry: RepositoryPackage | undefined): string[] {
  if (entry === undefined) return [];
  return viewsOf([entry])
    .filter(hasOwnLinks)
    .map((view) => `${viewDirectory(view)}/${linkPath(entry)}`);
}

interface ViewChange {
  readonly old: ViewState | undefined;
  readonly state: ViewState;
  readonly files: readonly ViewFile[];
}

/** by-hash files first, then Packages and Contents as hard links to them, then Release.gpg, Release and InRelease. */
export function aptSteps({ old, state, files }: ViewChange, work: WorkDirectory, steps: Steps): void {
  const at = viewDirectory(state);
  const byDigest = new Map<string, string>();
  for (const { path, bytes, role } of files) {
    const digest = sha256(bytes);
    const to = `${at}/${path}`;
    const same = byDigest.get(digest);
    if (role === 'named') {
      byDigest.set(digest, to);
      steps.indices.push({ do: 'link', from: work.write(bytes), to });
    } else if (same !== undefined) steps.fixed.push({ do: 'replace', from: same, to });
    else (role === 'fixed' ? steps.fixed : steps.pointers).push({ do: 'rename', from: work.write(bytes), to });
  }
  const current = new Set([...files.map(({ path }) => path), ...state.previous.flat()]);
  for (const path of new Set(old === undefined ? [] : pathsOf(old))) {
    if (!current.has(path)) steps.removals.push({ do: 'remove', path: `${at}/${path}` });
  }
}

/** Writes a new `.repodata-HEX` directory, then points the symbolic link `repodata` to it. */
export async function rpmMdSteps(
  directory: string,
  { state, files }: ViewChange,
  work: WorkDirectory,
  steps: Steps,
): Promise<void> {
  const at = viewDirectory(state);
  const old = await repodataDirectory(directory, at);
  const pointers = files.filter(({ role }) => role === 'pointer').map(({ bytes }) => sha256(bytes));
  const name = `.repodata-${sha256(pointers.join()).slice(0, 16)}`;
  if (name === old) return;
  const inside = (repodata: string, path: string) => `${at}/${path.replace(/^repodata/, repodata)}`;
  for (const { path, bytes } of files) {
    steps.indices.push({ do: 'link', from: work.write(bytes), to: inside(name, path) });
  }
  if (old !== undefined) {
    for (const path of state.previous.flat()) {
      steps.indices.push({ do: 'link', from: inside(old, path), to: inside(name, path) });
    }
    steps.removals.push({ do: 'remove', path: `${at}/${old}` });
  }
  steps.pointers.push({ do: 'point', at: name, to: `${at}/repodata` });
}

/** Removes a view, its pointers first. */
export async function removalSteps(directory: string, view: ViewState, steps: Steps): Promise<void> {
  const at = viewDirectory(view);
  if (view.format === 'rpm') {
    const repodata = await repodataDirectory(directory, at);
    steps.removals.push({ do: 'remove', path: `${at}/repodata` });
    if (repodata !== undefined) steps.removals.push({ do: 'remove', path: `${at}/${repodata}` });
    return;
  }
  const pointersFirst = [...view.files.map(({ path }) => path).reverse(), ...view.previous.flat()];
  for (const path of new Set(pointersFirst)) steps.removals.push({ do: 'remove', path: `${at}/${path}` });
}

function pathsOf({ files, previous }: ViewState): string[] {
  return [...files.map(({ path }) => path), ...previous.flat()];
}

/** The directory that `repodata` points to. */
async function repodataDirectory(directory: string, at: string): Promise<string | undefined> {
  try {
    const target = await readlink(join(directory, at, 'repodata'));
    return /^\.repodata-[0-9a-f]{16}$/.test(target) ? target : undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
