import { join } from 'node:path';
import pLimit from 'p-limit';
import { type BlockStore, isBlockCodec } from '../compress/block-store.ts';
import type { WriteOptions } from '../layout/packager.ts';
import { validateLayout } from '../layout/validate.ts';
import type { ObjectReader } from '../model/content.ts';
import { type Layout, payloadSize } from '../model/layout.ts';
import { type PlaceOptions, type WrittenFile, writeAtomically } from '../support/write-atomically.ts';
import { type BuildCache, fileIdentity, packageKey } from './build-cache.ts';
import { updateChecksums } from './checksums.ts';
import type { BuiltPackage, OnPipelineEvent } from './events.ts';
import { PACKAGERS } from './formats.ts';
import type { BuildTask } from './plan.ts';
import { makeSpool } from './spool.ts';

export interface PackageJob {
  readonly task: BuildTask;
  readonly layout: Layout;
}

/** Produces the bytes of a package and calls `options.onBytes` with the bytes of payload that it reads. */
export type Pack = (job: PackageJob, options: WriteOptions) => AsyncIterable<Uint8Array>;

export interface RunOptions {
  /** Default: kubeparcel's own writers. */
  readonly pack?: Pack | undefined;
  readonly objects: ObjectReader;
  /** Lets kubeparcel's own writers compress each large content once for all packages. */
  readonly blocks?: BlockStore | undefined;
  /** Skips packages that an earlier build wrote; default: write all. */
  readonly cache?: BuildCache | undefined;
  /** Output directory; created if necessary. */
  readonly out: string;
  /** Number of packages to write at a time. */
  readonly jobs: number;
  readonly onEvent?: OnPipelineEvent | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Additional concurrent packages if they mostly wait for the block store, which has its own threads. */
const JOBS_WAITING_FOR_STORE = 14;

/**
 * Writes packages in parallel, and updates SHA256SUMS in the output directory. After a failure it starts no further
 * package; finished packages remain.
 *
 * @returns packages in the order of `packages`
 */
export async function writePackages(packages: readonly PackageJob[], options: RunOptions): Promise<BuiltPackage[]> {
  for (const { layout } of packages) validateLayout(layout);
  const { out, jobs } = options;
  const spool = await makeSpool(out);
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  const [limit, storeLimit] = [pLimit(jobs), pLimit(jobs + JOBS_WAITING_FOR_STORE)];
  const running = new Map(
    schedule(packages).map((job) => [
      job,
      (usesStore(job, options) ? storeLimit : limit)(() => writePackage(job, spool.directory, { ...options, signal })),
    ]),
  );
  try {
    await Promise.all(running.values());
    const built = await Promise.all(packages.flatMap((job) => running.get(job) ?? []));
    await updateChecksums(out, built, spool.directory);
    return built;
  } catch (error) {
    stop.abort(error);
    const results = await Promise.allSettled(running.values());
    const finished = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    // Report the first error, not a second one.
    if (finished.length > 0) await updateChecksums(out, finished, spool.directory).catch(() => {});
    throw error;
  } finally {
    await spool.remove();
  }
}

/**
 * Orders jobs: the first distribution of each package, then the others, which wait for the same compressed payload. In
 * both groups the largest payload is first, so that no long job starts last.
 */
function schedule(packages: readonly PackageJob[]): PackageJob[] {
  const counts = new Map<string, number>();
  const jobs = packages.map((job) => {
    const { package: name, architecture, target } = job.task;
    const key = `${name} ${architecture} ${target.format}`;
    const round = counts.get(key) ?? 0;
    counts.set(key, round + 1);
    return { job, round, size: payloadSize(job.layout) };
  });
  return jobs.sort((a, b) => a.round - b.round || b.size - a.size).map(({ job }) => job);
}

function usesStore({ task }: PackageJob, { pack, blocks }: RunOptions): boolean {
  return pack === undefined && blocks !== undefined && isBlockCodec(task.compression.codec);
}

async function writePackage(
  job: PackageJob,
  spoolDirectory: string,
  options: RunOptions & { readonly signal: AbortSignal },
): Promise<BuiltPackage> {
  const { task, layout } = job;
  const { cache, out, onEvent, signal } = options;
  signal.throwIfAborted();
  const path = join(out, task.file);
  const key = packageKey(layout, task.compression);
  const unchanged = await cache?.find(path, key);
  if (unchanged !== undefined) {
    onEvent?.({ kind: 'unchanged', task, ...unchanged });
    return { task, ...unchanged };
  }
  onEvent?.({ kind: 'packing', task, total: payloadSize(layout) });
  let identity: string | undefined;
  const onWritten = async (temporary: string) => {
    identity = await fileIdentity(temporary);
  };
  const written = await writeFile(job, path, options, { temporaryDirectory: spoolDirectory, onWritten });
  await cache?.remember(written, key, identity);
  const built = { task, ...written };
  onEvent?.({ kind: 'packed', ...built });
  return built;
}

/** Writes the file by joining blocks of the store if possible, otherwise as a stream. */
async function writeFile(
  job: PackageJob,
  path: string,
  { pack, blocks, objects, onEvent, signal }: RunOptions & { readonly signal: AbortSignal },
  place: PlaceOptions & { readonly temporaryDirectory: string },
): Promise<WrittenFile> {
  const { task, layout } = job;
  let bytes = 0;
  const options: WriteOptions = {
    compression: task.compression,
    objects,
    spoolDirectory: place.temporaryDirectory,
    signal,
    onBytes: (count) => {
      bytes += count;
      onEvent?.({ kind: 'packing-progress', task, bytes });
    },
  };
  if (pack !== undefined) return await writeAtomically(path, pack(job, options), place);
  const { splice, write } = PACKAGERS[layout.format];
  const chunks = blocks && (await splice(layout, { ...options, blocks }));
  signal.throwIfAborted();
  return blocks !== undefined && chunks !== undefined
    ? await blocks.write(path, chunks, place)
    : await writeAtomically(path, write(layout, options), place);
}
