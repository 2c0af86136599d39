import pLimit from 'p-limit';
import { algorithmOf } from '../model/digest.ts';
import type { Payload, PayloadFile } from '../model/payload.ts';
import type { Lock } from '../release/lock.ts';
import { type Artifact, isSample, type LockedArtifact, type Release } from '../release/release.ts';
import type { Sink, Source, SourceContext } from '../release/source.ts';
import { KubeparcelError } from '../support/errors.ts';
import { storeFailure } from '../support/store-failure.ts';
import { type ExaminedArtifact, readArtifactRecord, writeArtifactRecord } from './artifact-index.ts';
import { assemblePayload } from './assemble.ts';
import type { Expectation } from './examine.ts';
import type { ContentStore } from './store/content-store.ts';
import type { StagedObject } from './store/object.ts';
import type { PartialObject } from './store/partial-object.ts';
import { streamRange } from './store/random-access.ts';

export interface FetchOptions extends SourceContext {
  readonly release: Release;
  readonly source: Source;
  readonly store: ContentStore;
  /** Concurrent artifacts; 4 by default. */
  readonly jobs?: number | undefined;
  /** Called when all files of an artifact are in the store; never called if the store has everything from the start. */
  readonly onFiles?: OnFiles | undefined;
}

export type OnFiles = (artifact: Artifact, files: readonly PayloadFile[]) => void;

export interface FetchedRelease {
  readonly payload: Payload;
  /** The release with the size and SHA-256 of every artifact, for kubeparcel.lock or a bundle. */
  readonly lock: Lock;
}

/** 4 GiB, far more than any artifact of a release. */
const MAX_ARTIFACT_BYTES = 2 ** 32;

/**
 * Fetches, unpacks and examines all artifacts of a release. Each artifact is checked against its published digest, or
 * against the size and SHA-256 in the lock; signatures are not checked. Artifacts that the store already has are neither
 * fetched nor unpacked again. An artifact and its files become objects only after all checks have passed.
 *
 * @throws KubeparcelError: 'verification' when the digest or size does not match, 'format' for a hostile archive or a
 * binary of the wrong kind, 'network' and 'io' from the source and the store
 */
export async function fetchPayload(options: FetchOptions): Promise<FetchedRelease> {
  const { release, signal, onEvent } = options;
  const limit = pLimit(options.jobs ?? 4);
  const stop = new AbortController();
  const context = { signal: signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]), onEvent };
  const { report, startReports } = reportFiles(options.onFiles);
  const transfers = release.artifacts.map((artifact) =>
    limit(async () => {
      context.signal.throwIfAborted();
      const examined = await obtain(artifact, options, context, startReports);
      report(artifact, examined.files);
      return { artifact, examined };
    }),
  );
  try {
    const fetched = await Promise.all(transfers);
    const artifacts = fetched.map(({ artifact, examined: { object } }): LockedArtifact => {
      return { ...artifact, size: object.size, sha256: object.sha256, sha512: undefined };
    });
    return { payload: assemblePayload(release, fetched), lock: { ...release, artifacts } };
  } catch (error) {
    // Wait, so that nothing continues in the background after this function has returned.
    stop.abort(error);
    await Promise.allSettled(transfers);
    throw error;
  }
}

/** Delays reports about artifacts that were already in the store until some artifact has to be fetched. */
function reportFiles(onFiles: OnFiles = () => {}): { readonly report: OnFiles; startReports(): void } {
  const pending: Parameters<OnFiles>[] = [];
  let fetching = false;
  return {
    report: (...files) => (fetching ? onFiles(...files) : void pending.push(files)),
    startReports() {
      fetching = true;
      for (const files of pending.splice(0)) onFiles(...files);
    },
  };
}

/** @param startReports called if the store lacks the artifact or some of its files */
async function obtain(
  artifact: Artifact,
  options: FetchOptions,
  context: SourceContext,
  startReports: () => void,
): Promise<ExaminedArtifact> {
  const { store, source } = options;
  const known = await readArtifactRecord(store, artifact);
  if (known !== undefined) {
    if (artifact.size !== undefined && artifact.size !== known.object.size) {
      throw wrongSize(artifact, known.object.size);
    }
    context.onEvent?.({ kind: 'cached', artifact });
    return known;
  }
  startReports();
  const archive = (await openStored(artifact, store)) ?? (await download(artifact, source, store, context));
  const staged: StagedObject[] = [archive];
  try {
    const files =
      artifact.packing === 'tgz'
        ? await unpack(artifact, archive, store, staged)
        : await examineSingle(artifact, archive);
    context.signal?.throwIfAborted();
    for (const object of staged) await object.commit();
    const examined = { object: { sha256: archive.sha256, size: archive.size }, files };
    await writeArtifactRecord(store, artifact, examined);
    context.onEvent?.({ kind: 'unpacked', artifact, files: files.length });
    return examined;
  } catch (error) {
    for (const object of staged) await object.discard();
    throw error;
  }
}

/** Opens an artifact that is already an object, for which the record or some of the files are missing. */
async function openStored({ sha256, size }: Artifact, store: ContentStore): Promise<StagedObject | undefined> {
  if (sha256 === undefined || !(await store.has(sha256, size))) return undefined;
  const { close, ...object } = await store.read(sha256);
  let open = true;
  const closeOnce = async () => {
    if (open) await close();
    open = false;
  };
  return { ...object, commit: closeOnce, discard: closeOnce };
}

async function examineSingle(artifact: Artifact, staged: StagedObject): Promise<readonly PayloadFile[]> {
  const { examineFile } = await import('./examine.ts');
  const role = artifact.component === 'cni-plugins' ? 'either' : 'program';
  const facts = await examineFile(staged.bytes, expectation(artifact, role, artifact.url));
  return [{ name: artifact.name, sha256: staged.sha256, size: staged.size, ...facts }];
}

/** @param staged gets the unpacked files */
async function unpack(
  artifact: Artifact,
  archive: StagedObject,
  store: ContentStore,
  staged: StagedObject[],
): Promise<readonly PayloadFile[]> {
  const { examineFile } = await import('./examine.ts');
  const { unpackArchive } = await import('./unpack.ts');
  const members = await unpackArchive(streamRange(archive.bytes, 0, archive.size), store, artifact.url);
  staged.push(...members.map((member) => member.staged));
  const files: PayloadFile[] = [];
  for (const { name, executable, staged: file } of members) {
    const where = `${artifact.url}: ${name}`;
    const facts = await examineFile(file.bytes, expectation(artifact, executable ? 'program' : 'data', where));
    files.push({ name, sha256: file.sha256, size: file.size, ...facts });
  }
  return files;
}

function expectation(artifact: Artifact, role: Expectation['role'], where: string): Expectation {
  return { architecture: artifact.architecture, role, scripts: isSample(artifact), where };
}

/** Maximum number of downloads of one artifact, if resumed transfers give wrong bytes. */
const MAX_ROUNDS = 3;

async function download(
  artifact: Artifact,
  source: Source,
  store: ContentStore,
  context: SourceContext,
): Promise<StagedObject> {
  for (let round = 1; ; round++) {
    const partial = await store.claim(artifact.url, artifact);
    context.onEvent?.({ kind: 'download', artifact, resumedFrom: partial.size });
    const { sink, isResumed } = checkedSink(artifact, partial, store, context);
    try {
      await source.transfer(artifact, sink, context);
    } catch (error) {
      const isWrong = error instanceof KubeparcelError && (error.kind === 'verification' || error.kind === 'format');
      await (isWrong ? partial.discard() : partial.release());
      throw error;
    }
    const { size } = partial;
    const actual = partial.digest(algorithmOf(artifact));
    const isRight = actual === (artifact.sha256 ?? artifact.sha512);
    if (isRight && (artifact.size ?? size) === size) {
      context.onEvent?.({ kind: 'verified', artifact, size });
      return partial.stage();
    }
    await partial.discard();
    if (!isResumed() || round === MAX_ROUNDS) throw isRight ? wrongSize(artifact, size) : wrongDigest(artifact, actual);
    const reason = 'the parts of a resumed download do not fit together';
    context.onEvent?.({ kind: 'retry', url: artifact.url, reason, delay: 0 });
  }
}

/** A sink that writes to a partial object, limits its size and reports progress. */
function checkedSink(
  artifact: Artifact,
  partial: PartialObject,
  store: ContentStore,
  { signal, onEvent }: SourceContext,
): { readonly sink: Sink; readonly isResumed: () => boolean } {
  let resumed = false;
  const report = () => onEvent?.({ kind: 'progress', artifact, bytes: partial.size, total: artifact.size });
  const sink: Sink = {
    get size() {
      return partial.size;
    },
    get validator() {
      return partial.validator;
    },
    async restart(validator) {
      resumed = false;
      await partial.restart(validator);
      report();
    },
    resume() {
      resumed = true;
    },
    async append(chunk) {
      signal?.throwIfAborted();
      const size = partial.size + chunk.length;
      if (size > (artifact.size ?? MAX_ARTIFACT_BYTES)) throw wrongSize(artifact, size);
      await partial.append(chunk).catch((error: unknown) => {
        throw storeFailure(store.directory, error);
      });
      report();
    },
  };
  return { sink, isResumed: () => resumed };
}

function wrongDigest(artifact: Artifact, actual: string): KubeparcelError {
  const expected = artifact.sha256 ?? artifact.sha512;
  return new KubeparcelError(
    'verification',
    `the download has ${algorithmOf(artifact)} ${actual}, expected ${expected}; it was discarded`,
    {
      where: artifact.url,
      hint: 'try again; if this repeats, the server, a proxy or the digest is wrong: do not use the file',
    },
  );
}

function wrongSize(artifact: Artifact, actual: number): KubeparcelError {
  const expected = artifact.size === undefined ? `at most ${MAX_ARTIFACT_BYTES}` : String(artifact.size);
  return new KubeparcelError(
    'verification',
    `the download has ${actual} bytes or more, expected ${expected}; it was discarded`,
    { where: artifact.url, hint: 'try again; if this repeats, do not use the file' },
  );
}
