import { join } from 'node:path';
import pLimit from 'p-limit';
import type { OpenPackedStore } from '../compress/block-store.ts';
import { isPackedCodec } from '../compress/splice-archive.ts';
import type { WriteOptions } from '../layout/packager.ts';
import { validateLayout } from '../layout/validate.ts';
import type { ObjectReader } from '../model/content.ts';
import { type Layout, payloadSize } from '../model/layout.ts';
import { writeAtomically } from '../support/write-atomically.ts';
import { type BuiltBefore, fileIdentity, packageKey } from './build-cache.ts';
import { updateChecksums } from './checksums.ts';
import type { BuiltPackage, OnPipelineEvent } from './events.ts';
import { PACKAGERS } from './formats.ts';
import type { BuildTask } from './plan.ts';
import { makeSpool } from './spool.ts';

export interface PackageJob {
  readonly task: BuildTask;
  readonly layout: Layout;
}

/** How a package comes to be: its bytes, in chunks. `options.onBytes` hears how much of the payload is taken in. */
export type Pack = (job: PackageJob, options: WriteOptions) => AsyncIterable<Uint8Array>;

export interface RunOptions {
  /** By default kubeparcel's own writers. */
  readonly pack?: Pack;
  readonly objects: ObjectReader;
  /** With it, kubeparcel's own writers compress what is big once for all packages. */
  readonly packed?: OpenPackedStore;
  /** Packages that need not be written again; all are when it is not given. */
  readonly before?: BuiltBefore;
  /** Directory that the packages appear in; made when it is not there. */
  readonly out: string;
  /** Packages at a time. */
  readonly jobs: number;
  readonly onEvent?: OnPipelineEvent;
  readonly signal?: AbortSignal;
}

/** Packages that wait for the store of compressed blocks, beside those that are written. */
const WAITING = 14;

/**
 * Writes the packages, several at a time, the largest payload first so that no long one is left over for the end, and
 * brings SHA256SUMS beside them up to date. After the first failure no other package is begun; those that are whole
 * stay.
 *
 * @returns in the order of `packages`
 */
export async function writePackages(packages: readonly PackageJob[], options: RunOptions): Promise<BuiltPackage[]> {
  for (const { layout } of packages) validateLayout(layout);
  const spool = await makeSpool(options.out);
  const [limit, manyMore] = [pLimit(options.jobs), pLimit(options.jobs + WAITING)];
  // Where the store compresses, on threads of its own, a package mostly waits for it, and several keep it busy.
  const limitOf = ({ compression: { codec } }: BuildTask) =>
    options.pack === undefined && options.packed !== undefined && isPackedCodec(codec) ? manyMore : limit;
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  const running = new Map(
    inTurns(packages).map((job) => [
      job.task,
      limitOf(job.task)(() => writePackage(job, spool.directory, { ...options, signal })),
    ]),
  );
  try {
    await Promise.all(running.values());
    const built: BuiltPackage[] = [];
    for (const { task } of packages) {
      const result = await running.get(task);
      if (result !== undefined) built.push(result);
    }
    await updateChecksums(options.out, built, spool.directory);
    return built;
  } catch (error) {
    stop.abort(error);
    const whole = (await Promise.allSettled(running.values())).flatMap((one) =>
      one.status === 'fulfilled' ? [one.value] : [],
    );
    // Where even this cannot be written, the first error says why.
    if (whole.length > 0) await updateChecksums(options.out, whole, spool.directory).catch(() => {});
    throw error;
  } finally {
    await spool.remove();
  }
}

/**
 * One of each package before a second one for another distribution, which waits for the same compressed payload; among
 * those the largest payload first.
 */
function inTurns(packages: readonly PackageJob[]): PackageJob[] {
  const seen = new Map<string, number>();
  const turns = packages.map((job) => {
    const { package: name, architecture, target } = job.task;
    const key = `${name} ${architecture} ${target.format}`;
    const turn = seen.get(key) ?? 0;
    seen.set(key, turn + 1);
    return { job, turn, size: payloadSize(job.layout) };
  });
  return turns.sort((a, b) => a.turn - b.turn || b.size - a.size).map(({ job }) => job);
}

async function writePackage(
  job: PackageJob,
  spoolDirectory: string,
  { pack, objects, packed, before, out, onEvent, signal }: RunOptions & { signal: AbortSignal },
): Promise<BuiltPackage> {
  const { task, layout } = job;
  signal.throwIfAborted();
  const path = join(out, task.file);
  const key = packageKey(layout, task.compression);
  const unchanged = await before?.find(path, key);
  if (unchanged !== undefined) {
    onEvent?.({ kind: 'unchanged', task, ...unchanged });
    return { task, ...unchanged };
  }
  onEvent?.({ kind: 'packing', task, total: payloadSize(layout) });
  let bytes = 0;
  const options = {
    compression: task.compression,
    objects,
    spoolDirectory,
    signal,
    onBytes: (count: number) => {
      bytes += count;
      onEvent?.({ kind: 'packing-progress', task, bytes });
    },
  };
  const { splice, write } = PACKAGERS[layout.format];
  const parts = pack === undefined && packed !== undefined ? await splice(layout, { ...options, packed }) : undefined;
  signal.throwIfAborted();
  let left: string | undefined;
  const onWritten = async (temporary: string) => {
    left = await fileIdentity(temporary);
  };
  const place = { temporaryDirectory: spoolDirectory, onWritten };
  const written =
    packed !== undefined && parts !== undefined
      ? await packed.write(path, parts, place)
      : await writeAtomically(path, pack === undefined ? write(layout, options) : pack(job, options), place);
  await before?.remember(written, key, left);
  const built = { task, ...written };
  onEvent?.({ kind: 'packed', ...built });
  return built;
}
