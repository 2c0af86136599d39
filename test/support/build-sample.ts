import { join } from 'node:path';
import { BlockStore } from '../../src/compress/block-store.ts';
import { CompressionThreads } from '../../src/compress/compression-threads.ts';
import type { Architecture } from '../../src/model/architecture.ts';
import type { Compression } from '../../src/model/compression.ts';
import type { ObjectReader } from '../../src/model/content.ts';
import type { Layout } from '../../src/model/layout.ts';
import { fetchPayload } from '../../src/payload/fetch.ts';
import { openStore } from '../../src/payload/store/content-store.ts';
import { BuildCache } from '../../src/pipeline/build-cache.ts';
import { composeLayouts, prepare, type Settings } from '../../src/pipeline/prepare.ts';
import { type PackageJob, writePackages } from '../../src/pipeline/run.ts';

export interface SampleOptions {
  /** Default: the stable release of the sample. */
  readonly version?: string;
  /** Default: amd64. */
  readonly architectures?: readonly Architecture[];
  readonly formats?: Settings['formats'];
  /** Default: one package for the family of each format. */
  readonly distributions?: Settings['distributions'];
  /** Default: the best compression that the target supports. */
  readonly compression?: Compression;
}

export interface ComposedSample {
  readonly jobs: readonly PackageJob[];
  readonly objects: ObjectReader;
}

export interface SamplePackage {
  readonly path: string;
  readonly layout: Layout;
  readonly job: PackageJob;
}

/** 2026-09-01, the date of the sample, independent of the environment. */
const NO_ENVIRONMENT = {};

/** Composes the layouts of the embedded sample with the steps of the pipeline; its payload is in a store below `directory`. */
export async function composeSample(directory: string, options: SampleOptions = {}): Promise<ComposedSample> {
  const prepared = await prepare(
    {
      version: 'stable',
      architectures: ['amd64'],
      packages: undefined,
      formats: undefined,
      distributions: undefined,
      revision: '1',
      components: {},
      source: 'sample',
      servers: {},
      digests: {},
      compression: undefined,
      fast: false,
      maintainer: 'Release Team <release@example.org>',
      restart: 'none',
      kernel: undefined,
      confgen: false,
      templates: undefined,
      packaging: undefined,
      lock: undefined,
      jobs: 2,
      ...options,
    },
    {},
  );
  try {
    const store = await openStore(join(directory, 'store'));
    const { payload } = await fetchPayload({ ...prepared, store });
    return { jobs: composeLayouts(prepared, payload, NO_ENVIRONMENT), objects: store };
  } finally {
    await prepared.source.close();
  }
}

/** Writes the packages of the embedded sample into `directory`/dist. */
export async function buildSample(directory: string, options: SampleOptions = {}): Promise<SamplePackage[]> {
  const { jobs, objects } = await composeSample(directory, options);
  return writeSample({ jobs, objects }, join(directory, 'dist'));
}

/** Writes composed layouts into `out`. */
export async function writeSample({ jobs, objects }: ComposedSample, out: string): Promise<SamplePackage[]> {
  const threads = new CompressionThreads();
  const blocks = await BlockStore.open(join(out, '..', 'store'), threads, 2);
  const cache = new BuildCache(join(out, '..', 'store'));
  const built = await writePackages(jobs, { objects, blocks, cache, out, jobs: 2 }).finally(() => threads.close());
  return jobs.map((job, index) => ({ job, layout: job.layout, path: built[index]?.path ?? '' }));
}
