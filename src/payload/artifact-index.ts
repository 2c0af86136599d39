import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { algorithmOf, sha256 } from '../model/digest.ts';
import type { PayloadFile } from '../model/payload.ts';
import { type Artifact, isSample } from '../release/release.ts';
import { isErrno } from '../support/file-system.ts';
import { storeFailure } from '../support/store-failure.ts';
import { writeAtomically } from '../support/write-atomically.ts';
import type { ContentStore } from './store/content-store.ts';
import type { StoredObject } from './store/object.ts';

/** The result of fetching and unpacking an artifact. The store records it, so that later runs skip both. */
export interface ExaminedArtifact {
  readonly object: StoredObject;
  /** Sorted by name. */
  readonly files: readonly PayloadFile[];
}

const hexSha256 = z.string().regex(/^[0-9a-f]{64}$/);
const size = z.int().min(0);
const recordSchema = z.strictObject({
  /** SHA-256 of `body`. */
  digest: hexSha256,
  body: z.string(),
});
const bodySchema = z.strictObject({
  object: z.strictObject({ sha256: hexSha256, size }),
  files: z.array(
    z.strictObject({
      name: z.string(),
      sha256: hexSha256,
      size,
      executable: z.boolean(),
      libraries: z.array(z.strictObject({ soname: z.string(), symbolVersions: z.array(z.string()) })),
    }),
  ),
});

/** The record of an artifact, if the store has all of its objects. Removes a damaged record. */
export async function readArtifactRecord(
  store: ContentStore,
  artifact: Artifact,
): Promise<ExaminedArtifact | undefined> {
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
  // The same object can occur twice: an artifact that is not an archive is also its only file.
  const sizes = new Map([examined.object, ...examined.files].map(({ sha256, size }) => [sha256, size]));
  for (const [sha256, size] of sizes) {
    if (!(await store.has(sha256, size))) return undefined;
  }
  return examined;
}

export async function writeArtifactRecord(
  store: ContentStore,
  artifact: Artifact,
  examined: ExaminedArtifact,
): Promise<void> {
  const body = JSON.stringify(examined);
  const record = JSON.stringify({ digest: sha256(body), body });
  try {
    await writeAtomically(recordPath(store, artifact), [Buffer.from(record)]);
  } catch (cause) {
    throw storeFailure(store.directory, cause);
  }
}

/** The file name depends on everything that affects the result. */
function recordPath(store: ContentStore, artifact: Artifact): string {
  const { component, architecture, packing, name } = artifact;
  const digest = artifact.sha256 ?? artifact.sha512;
  const key = [1, algorithmOf(artifact), digest, component, architecture, packing, name, isSample(artifact)];
  return join(store.directory, 'index', `${sha256(JSON.stringify(key))}.json`);
}

/** Whether a record's text is intact. */
export function isIntactRecord(text: string): boolean {
  return parseRecord(text) !== undefined;
}

function parseRecord(text: string): ExaminedArtifact | undefined {
  try {
    const { digest, body } = recordSchema.parse(JSON.parse(text));
    return sha256(body) === digest ? bodySchema.parse(JSON.parse(body)) : undefined;
  } catch {
    return undefined;
  }
}
