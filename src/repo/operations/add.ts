import { constants } from 'node:fs';
import { access, copyFile, mkdir, open, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { parseDebVersion } from '../../deb/version.ts';
import { debPackager } from '../../deb/write.ts';
import { parseEvr } from '../../rpm/version.ts';
import { rpmPackager } from '../../rpm/write.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { compareMinors, kubernetesPackages, minorsOf } from '../model/minors.ts';
import type { PackageRecord } from '../model/record.ts';
import { type Channel, poolPath, type RepositoryPackage } from '../model/repository.ts';
import { digestPackage, readRecord } from '../records/read-record.ts';
import { RecordCache } from '../records/record-cache.ts';
import type { ChangeResult } from '../transaction/commit.ts';
import { type WriteOptions, writeRepository } from '../transaction/session.ts';
import { isPlainName } from '../transaction/state.ts';

export interface AddOptions extends WriteOptions {
  readonly channel: Channel;
  /** Kubernetes minors of the packages; derived from the added packages by default. */
  readonly minors?: readonly string[] | undefined;
}

export interface AddResult extends ChangeResult {
  readonly added: readonly RepositoryPackage[];
  /** Number of packages that the channel already had for these minors. */
  readonly known: number;
}

const CONCURRENCY = 4;

/**
 * Adds packages of any origin to a channel and creates the repository if it does not exist. Each package is copied, and its
 * digests are checked unless its record is in the cache.
 *
 * @param files paths of .deb and .rpm files
 * @throws KubeparcelError of kind 'format' or 'verification' for a damaged package, of kind 'usage' if the repository has
 *   a package of the same name and version with another digest; nothing is added then
 */
export async function addPackages(
  directory: string,
  files: readonly string[],
  options: AddOptions,
): Promise<AddResult> {
  const { channel, signal } = options;
  return writeRepository(directory, { ...options, create: true }, async ({ before, work, commit }) => {
    const records = await importPackages(directory, work, files, signal);
    const unique = [...new Map(records.map((record) => [record.sha256, record])).values()];
    const given = options.minors;
    const minors =
      given !== undefined
        ? new Map(unique.map(({ sha256 }) => [sha256, [...given]]))
        : minorsOf(unique, unique.length === 0 ? new Set() : await kubernetesPackages());
    const packages = new Map(before.packages.map((each) => [poolPath(each), each]));
    const added: RepositoryPackage[] = [];
    let known = 0;
    for (const record of unique) {
      const entry = entryOf(record);
      const path = poolPath(entry);
      const existing = packages.get(path);
      if (existing !== undefined && existing.sha256 !== entry.sha256) throw differentPackage(directory, path);
      const before = existing?.channels[channel] ?? [];
      const all = [...new Set([...before, ...(minors.get(record.sha256) ?? [])])].sort(compareMinors);
      const next = { ...(existing ?? entry), channels: { ...existing?.channels, [channel]: all } };
      packages.set(path, next);
      if (existing?.channels[channel] !== undefined && all.length === before.length) known += 1;
      else added.push(next);
    }
    const result = await commit({ packages: [...packages.values()] });
    return { ...result, added, known };
  });
}

/** Copies packages into the work directory, named by their digests, and reads those that are not in the cache. */
async function importPackages(
  directory: string,
  work: string,
  files: readonly string[],
  signal: AbortSignal | undefined,
): Promise<PackageRecord[]> {
  const cache = new RecordCache(directory);
  const limit = pLimit(CONCURRENCY);
  await mkdir(join(directory, work), { recursive: true });
  return Promise.all(
    files.map((file, number) =>
      limit(async () => {
        signal?.throwIfAborted();
        const copy = join(directory, work, `in-${number}`);
        await copyPackage(file, copy);
        const digests = await digestPackage(copy, signal);
        try {
          const record = cache.get(digests.sha256) ?? (await readRecord(copy, digests, { signal }));
          cache.put(record);
          await rename(copy, join(directory, work, digests.sha256));
          return record;
        } catch (error) {
          if (!(error instanceof KubeparcelError)) throw error;
          const { kind, message, hint, cause } = error;
          const where = error.where === undefined ? file : error.where.replaceAll(copy, file);
          throw new KubeparcelError(kind, message, { where, cause, hint });
        }
      }),
    ),
  );
}

/** Copies instead of linking, since the original may be overwritten later. Uses reflinks if possible. */
async function copyPackage(file: string, copy: string): Promise<void> {
  try {
    await access(file, constants.R_OK);
  } catch (cause) {
    throw new KubeparcelError('io', 'cannot read the package', { where: file, cause });
  }
  if (!(await stat(file)).isFile()) {
    throw new KubeparcelError('io', 'not a regular file', { where: file, hint: 'specify .deb and .rpm files' });
  }
  try {
    await copyFile(file, copy, constants.COPYFILE_FICLONE);
    const handle = await open(copy, 'r+');
    try {
      await handle.chmod(0o644);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? ` (${cause.code})` : '';
    throw new KubeparcelError('io', `cannot copy the package into the repository${code}`, {
      where: file,
      cause,
      hint: code === ' (ENOSPC)' ? 'free some space, or put the repository on another disk' : undefined,
    });
  }
}

function entryOf(record: PackageRecord): RepositoryPackage {
  const { format, name, version, architecture, size, sha256 } = record;
  const file = format === 'deb' ? debPackager.fileName(debIdentity(record)) : rpmPackager.fileName(rpmIdentity(record));
  const invalid = [name, architecture, file].find((each) => !isPlainName(each));
  if (invalid !== undefined) {
    throw new KubeparcelError('format', `invalid package name, architecture or file name ${JSON.stringify(invalid)}`);
  }
  return { format, name, version, architecture, file, size, sha256, channels: {} };
}

function debIdentity({ name, version, architecture }: PackageRecord) {
  return { name, version: parseDebVersion(version), architecture };
}

function rpmIdentity({ name, version, architecture }: PackageRecord) {
  const { epoch = 0, version: upstream, release = '' } = parseEvr(version);
  return { name, version: { epoch, upstream, revision: release }, architecture };
}

function differentPackage(directory: string, path: string): KubeparcelError {
  return new KubeparcelError('usage', 'the repository has a different package of this name and version', {
    where: join(directory, path),
    hint: 'build it with a higher revision, so that hosts with the other package upgrade to it',
  });
}
