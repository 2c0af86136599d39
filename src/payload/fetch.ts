import pLimit from 'p-limit';
import type { Payload, PayloadFile } from '../model/payload.ts';
import type { OnReleaseEvent } from '../release/events.ts';
import type { Lock } from '../release/lock.ts';
import { type Artifact, isSample, type LockedArtifact, type Release } from '../release/release.ts';
import type { Sink, Source, SourceContext } from '../release/source.ts';
import { KubeparcelError } from '../support/errors.ts';
import { storeFailure } from '../support/store-failure.ts';
import { type ExaminedArtifact, recallArtifact, rememberArtifact } from './artifact-index.ts';
import { assemblePayload } from './assemble.ts';
import type { Expectation } from './examine.ts';
import type { ContentStore } from './store/content-store.ts';
import type { StagedObject } from './store/object.ts';
import { streamRange } from './store/random-access.ts';

export interface FetchOptions extends SourceContext {
  readonly release: Release;
  readonly source: Source;
  readonly store: ContentStore;
  /** Artifacts at a time; 4 by default. */
  readonly jobs?: number | undefined;
  /** Called when all files of an artifact are in the store, while others are on their way; never when nothing is fetched. */
  readonly onFiles?: OnFiles | undefined;
}

export type OnFiles = (artifact: Artifact, files: readonly PayloadFile[]) => void;

export interface FetchedRelease {
  readonly payload: Payload;
  /** The release with the size and SHA-256 of every artifact: what goes into kubeparcel.lock or a bundle. */
  readonly lock: Lock;
}

/** 4 GiB: no artifact of a release comes near it. */
const MAX_ARTIFACT_BYTES = 2 ** 32;

/**
 * Brings all artifacts of a release into the store, verified, unpacked and examined. What is there already is neither
 * fetched nor unpacked again. An artifact and its files become objects only after all checks have passed.
 *
 * @throws KubeparcelError: 'verification' for bytes that are not what their digest or size says, 'format' for a hostile
 * archive or a binary of the wrong kind, 'network' and 'io' from the source and the store
 */
export async function fetchPayload(options: FetchOptions): Promise<FetchedRelease> {
  const { release, signal, onEvent } = options;
  const limit = pLimit(options.jobs ?? 4);
  const stop = new AbortController();
  const context = { signal: signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]), onEvent };
  const { tell, begin } = whileFetching(options.onFiles);
  const transfers = release.artifacts.map((artifact) =>
    limit(async () => {
      context.signal.throwIfAborted();
      const examined = await obtain(artifact, options, context, begin);
      tell(artifact, examined.files);
      return { artifact, examined };
    }),
  );
  try {
    const fetched = await Promise.all(transfers);
    return {
      payload: assemblePayload(release, fetched),
      lock: {
        ...release,
        artifacts: fetched.map(({ artifact, examined: { object } }): LockedArtifact => {
          return { ...artifact, size: object.size, digest: { algorithm: 'sha256', value: object.sha256 } };
        }),
      },
    };
  } catch (error) {
    // The others stop too, and are waited for, so that nothing goes on behind the caller's back.
    stop.abort(error);
    await Promise.allSettled(transfers);
    throw error;
  }
}

/** What was in the store already is told of as soon as anything else has to be fetched: only then is it early. */
function whileFetching(onFiles: OnFiles = () => {}): { readonly tell: OnFiles; begin(): void } {
  const held: Parameters<OnFiles>[] = [];
  let fetching = false;
  return {
    tell: (...files) => (fetching ? onFiles(...files) : void held.push(files)),
    begin() {
      fetching = true;
      for (const files of held.splice(0)) onFiles(...files);
    },
  };
}

/** @param begin called when the artifact is not in the store, whole and examined */
async function obtain(
  artifact: Artifact,
  options: FetchOptions,
  context: SourceContext,
  begin: () => void,
): Promise<ExaminedArtifact> {
  const { store, source } = options;
  const known = await recallArtifact(store, artifact);
  if (known !== undefined) {
    if (artifact.size !== undefined && artifact.size !== known.object.size) {
      throw wrongSize(artifact, known.object.size);
    }
    context.onEvent?.({ kind: 'cached', artifact });
    return known;
  }
  begin();
  const staged = (await openStored(artifact, store)) ?? (await download(artifact, source, store, context));
  const parts: StagedObject[] = [staged];
  try {
    const files =
      artifact.packing === 'tgz' ? await unpack(artifact, staged, store, parts) : await single(artifact, staged);
    context.signal?.throwIfAborted();
    for (const part of parts) {
      await part.commit();
    }
    const examined = { object: { sha256: staged.sha256, size: staged.size }, files };
    await rememberArtifact(store, artifact, examined);
    context.onEvent?.({ kind: 'unpacked', artifact, files: files.length });
    return examined;
  } catch (error) {
    for (const part of parts) {
      await part.discard();
    }
    throw error;
  }
}

/** The artifact itself is an object already, but what it holds is not known or not there any more. */
async function openStored(artifact: Artifact, store: ContentStore): Promise<StagedObject | undefined> {
  const { digest } = artifact;
  if (digest.algorithm !== 'sha256' || !(await store.has(digest.value, artifact.size))) {
    return undefined;
  }
  const { sha256, size, bytes, close } = await store.read(digest.value);
  let open = true;
  const letGo = async () => {
    if (open) await close();
    open = false;
  };
  return { sha256, size, bytes, commit: letGo, discard: letGo };
}

async function single(artifact: Artifact, staged: StagedObject): Promise<readonly PayloadFile[]> {
  const { examineFile } = await import('./examine.ts');
  const role = artifact.component === 'cni-plugins' ? 'either' : 'program';
  const facts = await examineFile(staged.bytes, expectation(artifact, role, artifact.url));
  return [{ name: artifact.name, sha256: staged.sha256, size: staged.size, ...facts }];
}

async function unpack(
  artifact: Artifact,
  archive: StagedObject,
  store: ContentStore,
  parts: StagedObject[],
): Promise<readonly PayloadFile[]> {
  const { examineFile } = await import('./examine.ts');
  const { unpackArchive } = await import('./unpack.ts');
  const members = await unpackArchive(streamRange(archive.bytes, 0, archive.size), store, artifact.url);
  parts.push(...members.map((member) => member.staged));
  const files: PayloadFile[] = [];
  for (const { name, executable, staged } of members) {
    const where = `${artifact.url}: ${name}`;
    const facts = await examineFile(staged.bytes, expectation(artifact, executable ? 'program' : 'data', where));
    files.push({ name, sha256: staged.sha256, size: staged.size, ...facts });
  }
  return files;
}

function expectation(artifact: Artifact, role: Expectation['role'], where: string): Expectation {
  return { architecture: artifact.architecture, role, scripts: isSample(artifact), where };
}

/** How often an artifact is begun anew when the parts of a resumed transfer do not fit together. */
const MAX_ROUNDS = 3;

/** Fetches and verifies. */
async function download(
  artifact: Artifact,
  source: Source,
  store: ContentStore,
  context: SourceContext,
): Promise<StagedObject> {
  const { digest, url } = artifact;
  for (let round = 1; ; round++) {
    const partial = await store.claim(url, digest);
    const resumedFrom = partial.size;
    context.onEvent?.({ kind: 'download', artifact, resumedFrom });
    let joined = false;
    const sink: Sink = {
      get size() {
        return partial.size;
      },
      get validator() {
        return partial.validator;
      },
      async restart(validator) {
        joined = false;
        await partial.restart(validator);
        report(artifact, 0, context.onEvent);
      },
      resume() {
        joined = true;
      },
      async append(chunk) {
        context.signal?.throwIfAborted();
        if (partial.size + chunk.length > (artifact.size ?? MAX_ARTIFACT_BYTES)) {
          throw wrongSize(artifact, partial.size + chunk.length);
        }
        await partial.append(chunk).catch((error: unknown) => {
          throw storeFailure(store.directory, error);
        });
        report(artifact, partial.size, context.onEvent);
      },
    };
    try {
      await source.transfer(artifact, sink, context);
    } catch (error) {
      const isWrong = error instanceof KubeparcelError && (error.kind === 'verification' || error.kind === 'format');
      await (isWrong ? partial.discard() : partial.release());
      throw error;
    }
    const actual = partial.digest();
    if (actual === digest.value && (artifact.size ?? partial.size) === partial.size) {
      context.onEvent?.({ kind: 'verified', artifact, size: partial.size });
      return partial.stage();
    }
    const { size } = partial;
    await partial.discard();
    if (!joined || round === MAX_ROUNDS) {
      throw actual === digest.value ? wrongSize(artifact, size) : wrongDigest(artifact, actual);
    }
    context.onEvent?.({ kind: 'retry', url, reason: 'the parts of a resumed download do not fit together', delay: 0 });
  }
}

function report(artifact: Artifact, bytes: number, onEvent: OnReleaseEvent | undefined): void {
  onEvent?.({ kind: 'progress', artifact, bytes, total: artifact.size });
}

function wrongDigest(artifact: Artifact, actual: string): KubeparcelError {
  const { algorithm, value } = artifact.digest;
  return new KubeparcelError('verification', `the bytes have ${algorithm} ${actual}, not ${value}; nothing is kept`, {
    where: artifact.url,
    hint: 'try again; if it stays, the server, a proxy or the digest is wrong: do not use these bytes',
  });
}

function wrongSize(artifact: Artifact, actual: number): KubeparcelError {
  const wanted = artifact.size === undefined ? `at most ${MAX_ARTIFACT_BYTES}` : String(artifact.size);
  return new KubeparcelError('verification', `${actual} bytes or more, where ${wanted} are stated; nothing is kept`, {
    where: artifact.url,
    hint: 'try again; if it stays, do not use these bytes',
  });
}
