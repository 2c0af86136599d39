import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { PayloadFile } from '../model/payload.ts';
import { type Artifact, isSample } from '../release/release.ts';
import { isErrno } from '../support/file-system.ts';
import { storeFailure } from '../support/store-failure.ts';
import { writeAtomically } from '../support/write-atomically.ts';
import type { ContentStore } from './store/content-store.ts';
import type { StoredObject } from './store/object.ts';

/** What an artifact turned out to be, remembered so that a second run neither fetches nor unpacks it. */
export interface ExaminedArtifact {
  readonly object: StoredObject;
  /** Sorted by name. */
  readonly files: readonly PayloadFile[];
}

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const size = z.int().min(0);
const recordSchema = z.strictObject({
  /** Of the text of `body`. */
  digest: sha256,
  body: z.string(),
});
const bodySchema = z.strictObject({
  object: z.strictObject({ sha256, size }),
  files: z.array(
    z.strictObject({
      name: z.string(),
      sha256,
      size,
      executable: z.boolean(),
      libraries: z.array(z.strictObject({ soname: z.string(), symbolVersions: z.array(z.string()) })),
    }),
  ),
});

/** What is remembered of an artifact, if every object it speaks of is still there; a damaged record is forgotten. */
export async function recallArtifact(store: ContentStore, artifact: Artifact): Promise<ExaminedArtifact | undefined> {
  const path = recordPath(store, artifact);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return undefined;
    throw storeFailure(store.directory, cause);
  }
  const examined = parseRecord(text);
  if (examined === undefined) {
    await rm(path, { force: true });
    return undefined;
  }
  // What is not packed is its own only file.
  const sizes = new Map([examined.object, ...examined.files].map(({ sha256, size }) => [sha256, size]));
  for (const [sha256, size] of sizes) {
    if (!(await store.has(sha256, size))) {
      return undefined;
    }
  }
  return examined;
}

export async function rememberArtifact(
  store: ContentStore,
  artifact: Artifact,
  examined: ExaminedArtifact,
): Promise<void> {
  const body = JSON.stringify(examined);
  const record = JSON.stringify({ digest: hash(body), body });
  try {
    await writeAtomically(recordPath(store, artifact), [Buffer.from(record)]);
  } catch (cause) {
    throw storeFailure(store.directory, cause);
  }
}

/** Everything that the examination depends on is part of the name. */
function recordPath(store: ContentStore, artifact: Artifact): string {
  const { digest, component, architecture, packing, name } = artifact;
  const key = [1, digest.algorithm, digest.value, component, architecture, packing, name, isSample(artifact)];
  return join(store.directory, 'index', `${hash(JSON.stringify(key))}.json`);
}

/** Whether a record is as it was written. */
export function isSoundRecord(text: string): boolean {
  return parseRecord(text) !== undefined;
}

function parseRecord(text: string): ExaminedArtifact | undefined {
  try {
    const { digest, body } = recordSchema.parse(JSON.parse(text));
    return hash(body) === digest ? bodySchema.parse(JSON.parse(body)) : undefined;
  } catch {
    return undefined;
  }
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
