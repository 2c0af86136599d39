import { sha256 } from '../../model/digest.ts';
import type { Signer } from '../../sign/signer.ts';
import { aptFiles } from '../formats/apt/view.ts';
import { rpmMdFiles } from '../formats/rpm-md/view.ts';
import { INDEX_FILE, indexText } from '../model/index-file.ts';
import { RECORD_SCHEMA } from '../model/record.ts';
import {
  isInView,
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
import { commit } from './journal.ts';
import { aptSteps, newSteps, packageSteps, removalSteps, rpmMdSteps } from './plan-steps.ts';
import { stateText } from './state.ts';
import { WorkDirectory } from './work-directory.ts';

/** Increase when the indices of the same packages change. */
const INDEX_SCHEMA = 1;
/** Number of earlier states whose indices are kept for clients with an older Release or repomd.xml. */
const KEPT_STATES = 3;

/** The desired content of a repository. */
export interface Change {
  readonly directory: string;
  readonly before: RepositoryState | undefined;
  readonly settings: RepositorySettings;
  readonly packages: readonly RepositoryPackage[];
  readonly signers: readonly Signer[];
  /** Date of the new indices, seconds since 1970-01-01 UTC. The date of a view never decreases. */
  readonly date: number;
  /** A directory below STATE_DIRECTORY that contains new packages, named by their SHA-256. */
  readonly work: string;
  /** Write all views again, with a new date and new signatures. */
  readonly all: boolean;
}

export interface ChangeResult {
  readonly written: readonly View[];
  readonly removed: readonly View[];
  /** Number of views that did not change. */
  readonly unchanged: number;
  /** Number of files that are copies because the file system has no hard links. */
  readonly copies: number;
}

/**
 * Applies a change: writes new files to the work directory, plans the steps that move them into place, and commits them.
 * Clients never see a pointer to a file that does not exist. The caller holds the lock.
 */
export async function commitChange(change: Change): Promise<ChangeResult> {
  const { directory, before, packages, work } = change;
  const oldViews = new Map((before?.views ?? []).map((view) => [viewDirectory(view), view]));
  const newViews = viewsOf(packages);
  const changed = newViews.filter(
    (view) => change.all || !isUnchanged(change, view, oldViews.get(viewDirectory(view))),
  );
  const records = await new RecordCache(directory).recordsOf(
    packages.filter((each) => changed.some((view) => isInView(each, view))),
  );
  const steps = newSteps();
  packageSteps(before?.packages ?? [], packages, work, steps);
  const workDirectory = await WorkDirectory.create(directory, work);
  const views = new Map(newViews.map((view) => [viewDirectory(view), oldViews.get(viewDirectory(view))]));
  for (const view of changed) {
    const at = viewDirectory(view);
    const old = oldViews.get(at);
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
      content: contentDigest(change, view),
      signedBy: change.signers.map(({ fingerprint }) => fingerprint),
      files: files.map(({ path, bytes }) => ({ path, size: bytes.length, sha256: sha256(bytes) })),
      previous: previousFiles(old, files),
    };
    views.set(at, state);
    if (view.format === 'deb') aptSteps({ old, state, files }, workDirectory, steps);
    else await rpmMdSteps(directory, { old, state, files }, workDirectory, steps);
  }
  const removed = [...oldViews].filter(([at]) => !views.has(at)).map(([, view]) => view);
  for (const view of removed) await removalSteps(directory, view, steps);
  const state: RepositoryState = {
    settings: change.settings,
    packages: packages
      .map((each) => ({ ...each, channels: sortedChannels(each.channels) }))
      .sort((a, b) => (poolPath(a) < poolPath(b) ? -1 : 1)),
    views: [...views.values()].flatMap((view) => view ?? []),
  };
  for (const [to, text] of [
    [INDEX_FILE, indexText(state)],
    [`${STATE_DIRECTORY}/state.json`, stateText(state)],
  ] as const) {
    steps.last.push({ do: 'rename', from: workDirectory.write(Buffer.from(text)), to });
  }
  await workDirectory.sync();
  const copies = await commit(directory, { work, steps: Object.values(steps).flat() });
  return { written: changed, removed, unchanged: newViews.length - changed.length, copies };
}

function contentDigest({ settings, packages }: Change, view: View): string {
  const entries = packagesOf(view, packages).map(({ file, sha256: digest }) => [file, digest]);
  return sha256(JSON.stringify([INDEX_SCHEMA, RECORD_SCHEMA, settings, viewDirectory(view), entries]));
}

function isUnchanged(change: Change, view: View, old: ViewState | undefined): boolean {
  const keys = change.signers.map(({ fingerprint }) => fingerprint);
  return old !== undefined && old.content === contentDigest(change, view) && old.signedBy.join() === keys.join();
}

/** Files of earlier states to keep, latest first, without those that the new state has. */
function previousFiles(old: ViewState | undefined, files: readonly ViewFile[]): string[][] {
  const current = new Set(files.map(({ path }) => path));
  const latest = (old?.files ?? []).map(({ path }) => path).filter(hasDigestName);
  return [latest, ...(old?.previous ?? [])]
    .slice(0, KEPT_STATES)
    .map((paths) => paths.filter((path) => !current.has(path)))
    .filter((paths) => paths.length > 0);
}

/** Whether clients with an older pointer still request the file: its name contains its digest. */
function hasDigestName(path: string): boolean {
  return /(^|\/)by-hash\/SHA256\/[0-9a-f]{64}$/.test(path) || /^repodata\/[0-9a-f]{64}-/.test(path);
}
