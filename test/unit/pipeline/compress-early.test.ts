import { createHash } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import { loadCatalog } from '../../../src/catalog/catalog.ts';
import { targets } from '../../../src/catalog/targets.ts';
import { BlockStore } from '../../../src/compress/block-store.ts';
import { CompressionThreads } from '../../../src/compress/compression-threads.ts';
import { fetchPayload } from '../../../src/payload/fetch.ts';
import { openStore } from '../../../src/payload/store/content-store.ts';
import { compressEarly } from '../../../src/pipeline/compress-early.ts';
import { planBuild } from '../../../src/pipeline/plan.ts';
import type { Artifact, Release } from '../../../src/release/release.ts';
import type { Source } from '../../../src/release/source.ts';
import { makeElf } from '../../support/binaries.ts';
import { PACKAGING } from '../../support/release-fixture.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const catalog = await loadCatalog(PACKAGING);
const big = (name: string) => makeElf('amd64', { tail: Buffer.alloc(1 << 20, name) });
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

function artifact(component: Artifact['component'], name: string, bytes: Uint8Array): Artifact {
  const version = component === 'cni-plugins' ? '1.6.0' : '1.36.4';
  return {
    component,
    architecture: 'amd64',
    version,
    packing: 'plain',
    name,
    url: `test:${name}`,
    sha256: sha256(bytes),
    size: bytes.length,
  };
}

/** A release of these files, and the plan of its packages for two distributions that use different codecs. */
function releaseOf(files: readonly (readonly [component: Artifact['component'], name: string])[]) {
  const contents = new Map(files.map(([, name]) => [name, big(name)]));
  const artifacts = files.map(([component, name]) => artifact(component, name, contents.get(name) ?? Buffer.alloc(0)));
  const release: Release = { version: '1.36.4', date: 1_700_000_000, components: {}, artifacts };
  const packages = catalog.packages.filter(({ component }) => files.some(([one]) => one === component));
  const chosen = targets(catalog, { distributions: ['debian-11', 'el-9'] });
  const tasks = planBuild({ release, packages, architectures: ['amd64'], targets: chosen, revision: '1' });
  return { release, tasks, contents };
}

describe('compression during the fetch', () => {
  test('compresses a fetched binary while other artifacts are still being fetched', { timeout: 20_000 }, async () => {
    const { release, tasks, contents } = releaseOf([
      ['kubeadm', 'kubeadm'],
      ['kubelet', 'kubelet'],
    ]);
    const directory = temporaryDirectory();
    const store = await openStore(directory);
    const threads = new CompressionThreads();
    const blocks = await BlockStore.open(directory, threads, 2);
    const requested: string[] = [];
    let onCompressed = () => {};
    const firstCompressed = new Promise<void>((resolve) => {
      onCompressed = resolve;
    });
    const add = blocks.add.bind(blocks);
    vi.spyOn(blocks, 'add').mockImplementation(async (codec, content, level) => {
      requested.push(`${codec}:${level} ${content.key}`);
      await add(codec, content, level);
      if (codec === 'zstd') onCompressed();
    });
    const source: Source = {
      ...({} as Source),
      transfer: async ({ name }, sink) => {
        // The transfer ends only after the other artifact is compressed.
        if (name === 'kubelet') await firstCompressed;
        await sink.append(contents.get(name) ?? Buffer.alloc(0));
      },
    };
    const onFiles = compressEarly({ release, tasks }, blocks, store);
    await fetchPayload({ release, source, store, onFiles });
    const levels = tasks.map(({ compression: { codec, level } }) => `${codec}:${level}`);
    const expected = ['kubeadm', 'kubelet'].flatMap((name) =>
      [...new Set(levels)].map((level) => `${level} ${sha256(contents.get(name) ?? Buffer.alloc(0))}`),
    );
    expect(requested.sort()).toEqual(expected.sort());
    // The MD5 for the DEB is cached already.
    const bytes = contents.get('kubeadm') ?? Buffer.alloc(0);
    const md5 = await blocks.fact('md5', sha256(bytes), async () => 'read again');
    expect(md5).toBe(createHash('md5').update(bytes).digest('hex'));
    await threads.close();
  });

  test('skips files that are compressed together, such as the CNI plugins', async () => {
    const plugins = ['bridge', 'loopback', 'host-local', 'portmap', 'dhcp'];
    const { release, tasks, contents } = releaseOf(plugins.map((name) => ['cni-plugins', name] as const));
    const directory = temporaryDirectory();
    const threads = new CompressionThreads();
    const blocks = await BlockStore.open(directory, threads, 2);
    const add = vi.spyOn(blocks, 'add').mockRejectedValue(new Error('not expected'));
    const onFiles = compressEarly({ release, tasks }, blocks, await openStore(directory));
    for (const one of release.artifacts) {
      const size = contents.get(one.name)?.length ?? 0;
      onFiles(one, [{ name: one.name, sha256: one.sha256 ?? '', size, executable: true, libraries: [] }]);
    }
    expect(tasks.length).toBeGreaterThan(0);
    expect(add).not.toHaveBeenCalled();
    await threads.close();
  });
});
