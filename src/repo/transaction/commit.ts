import { mkdir, open, readlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pLimit from 'p-limit';
import { sha256 } from '../../model/digest.ts';
import type { Signer } from '../../sign/signer.ts';
import { isErrno } from '../../support/file-system.ts';
import { aptFiles } from '../formats/apt/view.ts';
import { rpmMdFiles } from '../formats/rpm-md/view.ts';
import { INDEX_FILE, indexText } from '../model/index-file.ts';
import { RECORD_SCHEMA } from '../model/record.ts';
import {
  hasOwnLinks,
  linkPath,
  packagesOf,
  poolPath,
  type RepositoryPackage,
  type RepositorySettings,
  type RepositoryState,
  STATE_DIRECTORY,
  type View,
  type ViewState,
  viewDirectory,
  viewsOf,
} from '../model/repository.ts';
import { sortedChannels } from '../model/select.ts';
import type { ViewFile } from '../model/view-files.ts';
import { RecordCache } from '../records/record-cache.ts';
import { commit, type Step } from './journal.ts';
import { stateText } from './state.ts';

/** To be raised when indices come to be written otherwise from the same packages. */
const INDEX_SCHEMA = 1;
/** How many states back a client may be: it finds the indices that its pointer names. */
const KEPT_STATES = 3;
const FILES_AT_ONCE = 16;

/** What a repository is to be. */
export interface Change {
  readonly directory: string;
  readonly before: RepositoryState | undefined;
  readonly settings: RepositorySettings;
  readonly packages: readonly RepositoryPackage[];
  readonly signers: readonly Signer[];
  /** Of what is written, seconds since 1970-01-01 UTC; a view's never goes back. */
  readonly date: number;
  /** A directory below the repository's state, in which new packages wait under their digests. */
  readonly work: string;
  /** Write every view anew, with a new date and signature. */
  readonly all: boolean;
}

export interface ChangeResult {
  readonly written: readonly View[];
  readonly removed: readonly View[];
  /** Count of views that stay as they are. */
  readonly unchanged: number;
  /** Count of files that are copies, since the file system has no hard links. */
  readonly copies: number;
}

/**
 * Makes the repository what the change says: writes what is new into the work directory, then decides and carries out the
 * steps in the order in which no client ever finds a pointer to what is not there. Only for who holds the lock.
 */
export async function commitChange(change: Change): Promise<ChangeResult> {
  const { directory, before, packages, work } = change;
  const wanted = viewsOf(packages);
  const known = new Map((before?.views ?? []).map((view) => [viewDirectory(view), view]));
  const changed = wanted.filter((view) => change.all || !isSame(change, view, known.get(viewDirectory(view))));
  const steps = newSteps();
  packageSteps(change, steps);
  const views = new Map(wanted.map((view) => [viewDirectory(view), known.get(viewDirectory(view))]));
  const records = await new RecordCache(directory).recordsOf(
    packages.filter((each) => changed.some((view) => isIn(each, view))),
  );
  const write = await writer(directory, work);
  for (const view of changed) {
    const at = viewDirectory(view);
    const old = known.get(at);
    const date = Math.max(change.date, old?.date ?? 0);
    const listed = packagesOf(view, packages).flatMap((entry) => {
      const record = records.get(entry.sha256);
      return record === undefined ? [] : [{ entry, record }];
    });
    const request = { view, settings: change.settings, listed, signers: change.signers, date };
    const files = view.format === 'deb' ? await aptFiles(request) : await rpmMdFiles(request);
    const state: ViewState = {
      ...view,
      date,
      content: contentOf(change, view),
      signedBy: change.signers.map(({ fingerprint }) => fingerprint),
      files: files.map(({ path, bytes }) => ({ path, size: bytes.length, sha256: sha256(bytes) })),
      previous: previousOf(old, files),
    };
    views.set(at, state);
    if (view.format === 'deb') await aptSteps(at, files, old, state, write, steps);
    else await rpmMdSteps(directory, at, files, state, write, steps);
  }
  const removed = [...known].filter(([at]) => !views.has(at)).map(([, view]) => view);
  for (const view of removed) await removeView(directory, view, steps);
  const state: RepositoryState = {
    settings: change.settings,
    packages: packages
      .map((each) => ({ ...each, channels: sortedChannels(each.channels) }))
      .sort((a, b) => (poolPath(a) < poolPath(b) ? -1 : 1)),
    views: [...views.values()].flatMap((view) => (view === undefined ? [] : [view])),
  };
  await finalStep(INDEX_FILE, indexText(state), write, steps);
  await finalStep(`${STATE_DIRECTORY}/state.json`, stateText(state), write, steps);
  await write.finish();
  const copies = await commit(directory, { work, steps: Object.values(steps).flat() });
  return { written: changed, removed, unchanged: wanted.length - changed.length, copies };
}

/** In the order in which they are taken. */
interface Steps {
  readonly packages: Step[];
  readonly indices: Step[];
  readonly fixed: Step[];
  readonly pointers: Step[];
  readonly last: Step[];
  readonly removals: Step[];
}

function newSteps(): Steps {
  return { packages: [], indices: [], fixed: [], pointers: [], last: [], removals: [] };
}

function isIn({ format, channels }: RepositoryPackage, view: View): boolean {
  const minors = channels[view.channel];
  return format === view.format && minors !== undefined && (view.minor === undefined || minors.includes(view.minor));
}

function contentOf({ settings, packages }: Change, view: View): string {
  const entries = packagesOf(view, packages).map(({ file, sha256: digest }) => [file, digest]);
  return sha256(JSON.stringify([INDEX_SCHEMA, RECORD_SCHEMA, settings, viewDirectory(view), entries]));
}

function isSame(change: Change, view: View, old: ViewState | undefined): boolean {
  const keys = change.signers.map(({ fingerprint }) => fingerprint);
  return old !== undefined && old.content === contentOf(change, view) && old.signedBy.join() === keys.join();
}

/** Files of earlier states that are not of this one. */
function previousOf(old: ViewState | undefined, files: readonly ViewFile[]): string[][] {
  const now = new Set(files.map(({ path }) => path));
  const named = (old?.files ?? []).map(({ path }) => path).filter(isNamed);
  return [named, ...(old?.previous ?? [])]
    .slice(0, KEPT_STATES)
    .map((paths) => paths.filter((path) => !now.has(path)))
    .filter((paths) => paths.length > 0);
}

/** Files of old states that clients still ask for: their names change with their content. */
function isNamed(path: string): boolean {
  return /(^|\/)by-hash\/SHA256\/[0-9a-f]{64}$/.test(path) || /^repodata\/[0-9a-f]{64}-/.test(path);
}

/** New packages into the pool, and their second names into the views; what nobody has any more goes at the end. */
function packageSteps({ before, packages, work }: Change, steps: Steps): void {
  const old = new Map((before?.packages ?? []).map((each) => [poolPath(each), each]));
  const now = new Map(packages.map((each) => [poolPath(each), each]));
  for (const [path, each] of now) {
    if (!old.has(path)) steps.packages.push({ do: 'link', from: `${work}/${each.sha256}`, to: path });
    const had = new Set(linksOf(old.get(path)));
    for (const to of linksOf(each)) if (!had.has(to)) steps.packages.push({ do: 'link', from: path, to });
  }
  for (const [path, each] of old) {
    const kept = new Set(linksOf(now.get(path)));
    for (const link of linksOf(each)) if (!kept.has(link)) steps.removals.push({ do: 'remove', path: link });
    if (!now.has(path)) steps.removals.push({ do: 'remove', path });
  }
}

/** Where else than in the pool a package is. */
function linksOf(entry: RepositoryPackage | undefined): string[] {
  if (entry === undefined) return [];
  return viewsOf([entry])
    .filter(hasOwnLinks)
    .map((view) => `${viewDirectory(view)}/${linkPath(entry)}`);
}

async function aptSteps(
  at: string,
  files: readonly ViewFile[],
  old: ViewState | undefined,
  state: ViewState,
  write: Writer,
  steps: Steps,
): Promise<void> {
  const byDigest = new Map<string, string>();
  for (const { path, bytes, role } of files) {
    const digest = sha256(bytes);
    const to = `${at}/${path}`;
    if (role === 'named') {
      byDigest.set(digest, to);
      steps.indices.push({ do: 'link', from: await write(bytes), to });
      continue;
    }
    const same = byDigest.get(digest);
    if (same !== undefined) steps.fixed.push({ do: 'replace', from: same, to });
    else (role === 'fixed' ? steps.fixed : steps.pointers).push({ do: 'rename', from: await write(bytes), to });
  }
  const kept = new Set([...files.map(({ path }) => path), ...state.previous.flat()]);
  const known = [...(old?.files ?? []).map(({ path }) => path), ...(old?.previous ?? []).flat()];
  for (const path of new Set(known)) {
    if (!kept.has(path)) steps.removals.push({ do: 'remove', path: `${at}/${path}` });
  }
}

async function rpmMdSteps(
  directory: string,
  at: string,
  files: readonly ViewFile[],
  state: ViewState,
  write: Writer,
  steps: Steps,
): Promise<void> {
  const old = await pointedTo(directory, at);
  const pointers = files.filter(({ role }) => role === 'pointer').map(({ bytes }) => sha256(bytes));
  const name = `.repodata-${sha256(pointers.join()).slice(0, 16)}`;
  if (name === old) return;
  for (const { path, bytes } of files) {
    steps.indices.push({ do: 'link', from: await write(bytes), to: `${at}/${path.replace(/^repodata/, name)}` });
  }
  for (const path of state.previous.flat()) {
    const [from, to] = [old ?? '', name].map((each) => `${at}/${path.replace(/^repodata/, each)}`);
    if (old !== undefined) steps.indices.push({ do: 'link', from: from ?? '', to: to ?? '' });
  }
  steps.pointers.push({ do: 'point', at: name, to: `${at}/repodata` });
  if (old !== undefined) steps.removals.push({ do: 'remove', path: `${at}/${old}` });
}

/** The directory that `repodata` is at present. */
async function pointedTo(directory: string, at: string): Promise<string | undefined> {
  try {
    const target = await readlink(join(directory, at, 'repodata'));
    return /^\.repodata-[0-9a-f]{16}$/.test(target) ? target : undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** The pointer goes first, so that nobody is sent to what is being removed. */
async function removeView(directory: string, view: ViewState, steps: Steps): Promise<void> {
  const at = viewDirectory(view);
  if (view.format === 'rpm') {
    const generation = await pointedTo(directory, at);
    steps.removals.push({ do: 'remove', path: `${at}/repodata` });
    if (generation !== undefined) steps.removals.push({ do: 'remove', path: `${at}/${generation}` });
    return;
  }
  const paths = [...view.files.map(({ path }) => path).reverse(), ...view.previous.flat()];
  for (const path of new Set(paths)) steps.removals.push({ do: 'remove', path: `${at}/${path}` });
}

async function finalStep(path: string, text: string, write: Writer, steps: Steps): Promise<void> {
  steps.last.push({ do: 'rename', from: await write(Buffer.from(text)), to: path });
}

/** Writes new files into the work directory under numbers, and says where each is, relative to the repository. */
interface Writer {
  (bytes: Uint8Array): Promise<string>;
  /** When all is on disk. */
  finish(): Promise<void>;
}

async function writer(directory: string, work: string): Promise<Writer> {
  await mkdir(join(directory, work), { recursive: true });
  const limit = pLimit(FILES_AT_ONCE);
  const writing: Promise<void>[] = [];
  let count = 0;
  const write = async (bytes: Uint8Array) => {
    const path = `${work}/${count++}`;
    writing.push(limit(() => writeSynced(join(directory, path), bytes)));
    return path;
  };
  return Object.assign(write, {
    finish: async () => {
      await Promise.all(writing);
      await syncDirectories(join(directory, work));
    },
  });
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o644);
  try {
    await file.writeFile(bytes);
    await file.chmod(0o644);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncDirectories(path: string): Promise<void> {
  for (const directory of [path, dirname(path)]) {
    const handle = await open(directory, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}
