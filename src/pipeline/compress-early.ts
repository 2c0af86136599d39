import { createHash } from 'node:crypto';
import { MAX_INDEPENDENT_FILES, MIN_CACHED_SIZE } from '../archive/archive-source.ts';
import type { OpenBlockStore } from '../compress/block-store.ts';
import { type BlockCodec, compressContent, isBlockCodec } from '../compress/compress-archive.ts';
import { verifiedContent } from '../layout/tree.ts';
import type { ObjectReader } from '../model/content.ts';
import type { PayloadFile } from '../model/payload.ts';
import type { OnFiles } from '../payload/fetch.ts';
import type { Artifact, Release } from '../release/release.ts';
import type { BuildTask } from './plan.ts';

/**
 * Begins to compress what was fetched while the rest is still on its way: binaries that will be a content of their own in
 * the packages of the plan. The packages ask the store for the same later, and hear of what failed.
 *
 * @returns what fetchPayload tells of files
 */
export function compressEarly(
  { release, tasks }: { readonly release: Release; readonly tasks: readonly BuildTask[] },
  blocks: OpenBlockStore,
  objects: ObjectReader,
): OnFiles {
  return (artifact, files) => {
    const big = files.filter(({ size }) => size >= MIN_CACHED_SIZE);
    // Many in one package are compressed together, when all are there.
    if (big.length * artifactsLike(artifact, release) > MAX_INDEPENDENT_FILES) return;
    for (const { codec, level } of compressionsFor(artifact, tasks)) {
      for (const file of big) {
        const content = { key: file.sha256, size: file.size, open: () => summed(file, blocks, objects) };
        compressContent(blocks, codec, content, level).catch(() => {});
      }
    }
  };
}

function artifactsLike({ component, architecture }: Artifact, { artifacts }: Release): number {
  return artifacts.filter((other) => other.component === component && other.architecture === architecture).length;
}

/** Each once. */
function compressionsFor({ component, architecture }: Artifact, tasks: readonly BuildTask[]) {
  const found = new Map<string, { readonly codec: BlockCodec; readonly level: number }>();
  for (const { compression, ...task } of tasks) {
    const { codec, level } = compression;
    if (task.component !== component || task.architecture !== architecture || !isBlockCodec(codec)) continue;
    found.set(`${codec} ${level}`, { codec, level });
  }
  return found.values();
}

/** Verified, and with the MD5 that a DEB wants, so that it is read once. */
async function* summed({ sha256, size }: PayloadFile, blocks: OpenBlockStore, objects: ObjectReader) {
  const md5 = createHash('md5');
  for await (const chunk of verifiedContent({ kind: 'stored', sha256, size }, objects)) {
    md5.update(chunk);
    yield chunk;
  }
  await blocks.fact('md5', sha256, async () => md5.digest('hex'));
}
