import { createHash } from 'node:crypto';
import { MAX_INDEPENDENT_FILES, MIN_CACHED_SIZE } from '../archive/archive-source.ts';
import { type BlockCodec, type BlockStore, isBlockCodec } from '../compress/block-store.ts';
import { verifiedContent } from '../layout/tree.ts';
import type { ObjectReader } from '../model/content.ts';
import type { PayloadFile } from '../model/payload.ts';
import type { OnFiles } from '../payload/fetch.ts';
import type { Artifact, Release } from '../release/release.ts';
import type { BuildTask } from './plan.ts';

/**
 * Compresses fetched binaries into the block store while other artifacts are still being fetched. Ignores failures: the
 * packages request the same blocks later and report them.
 *
 * @returns the listener for fetchPayload
 */
export function compressEarly(
  { release, tasks }: { readonly release: Release; readonly tasks: readonly BuildTask[] },
  blocks: BlockStore,
  objects: ObjectReader,
): OnFiles {
  return (artifact, files) => {
    const large = files.filter(({ size }) => size >= MIN_CACHED_SIZE);
    // A larger number of files is compressed together, after all are fetched.
    if (large.length * countSimilar(artifact, release) > MAX_INDEPENDENT_FILES) return;
    for (const { codec, level } of compressionsFor(artifact, tasks)) {
      for (const file of large) {
        const content = { key: file.sha256, size: file.size, open: () => withMd5(file, blocks, objects) };
        blocks.add(codec, content, level).catch(() => {});
      }
    }
  };
}

/** Number of artifacts of the same component and architecture, whose files are in the same package. */
function countSimilar({ component, architecture }: Artifact, { artifacts }: Release): number {
  return artifacts.filter((other) => other.component === component && other.architecture === architecture).length;
}

/** The different compressions of the packages that contain the artifact. */
function compressionsFor({ component, architecture }: Artifact, tasks: readonly BuildTask[]) {
  const found = new Map<string, { readonly codec: BlockCodec; readonly level: number }>();
  for (const { compression, ...task } of tasks) {
    const { codec, level } = compression;
    if (task.component !== component || task.architecture !== architecture || !isBlockCodec(codec)) continue;
    found.set(`${codec} ${level}`, { codec, level });
  }
  return found.values();
}

/** Reads a file, verifies it, and caches the MD5 that a DEB needs, so that the file is read once. */
async function* withMd5({ sha256, size }: PayloadFile, blocks: BlockStore, objects: ObjectReader) {
  const md5 = createHash('md5');
  for await (const chunk of verifiedContent({ kind: 'stored', sha256, size }, objects)) {
    md5.update(chunk);
    yield chunk;
  }
  await blocks.fact('md5', sha256, async () => md5.digest('hex'));
}
