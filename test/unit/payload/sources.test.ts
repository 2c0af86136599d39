import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { copySync, outputFileSync } from 'fs-extra/esm';
import { describe, expect, test } from 'vitest';
import { fetchPayload } from '../../../src/payload/fetch.ts';
import { writeBundle } from '../../../src/payload/sources/bundle.ts';
import { openSource } from '../../../src/payload/sources/open-source.ts';
import { openSampleSource } from '../../../src/payload/sources/sample-source.ts';
import { artifactUrl, loadUrlLayout, parseUrlLayout, withBases } from '../../../src/payload/sources/url-layout.ts';
import { openStore } from '../../../src/payload/store/content-store.ts';
import { type ResolveOptions, resolveRelease } from '../../../src/release/resolve.ts';
import { parseVersionRequest } from '../../../src/release/version-request.ts';
import { makeElf } from '../../support/binaries.ts';
import { objectsIn, openedSource, PACKAGING, RELEASE, servedRelease } from '../../support/release-fixture.ts';
import { pathsOf } from '../../support/release-server.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const PINS = { cniPlugins: RELEASE.cniPlugins, criTools: RELEASE.criTools };

async function fetchFrom(argument: string, version = '1.36.4', options: Partial<ResolveOptions> = {}) {
  const source = await openedSource(argument);
  const release = await resolveRelease(parseVersionRequest(version), {
    pins: PINS,
    architectures: ['amd64'],
    ...options,
    source,
  });
  const directory = temporaryDirectory();
  const store = await openStore(directory);
  return { ...(await fetchPayload({ release, source, store })), store, directory, source };
}

function write(directory: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, bytes] of Object.entries(files)) {
    outputFileSync(join(directory, path), bytes);
  }
}

describe('the servers in packaging/sources.yaml', () => {
  test.each([
    ['kubelet', '1.36.4', 'https://dl.k8s.io/release/v1.36.4/bin/linux/arm64/kubelet'],
    ['kubeadm', '1.37.0-rc.1', 'https://dl.k8s.io/release/v1.37.0-rc.1/bin/linux/arm64/kubeadm'],
    [
      'cni-plugins',
      '0.6.0',
      'https://github.com/containernetworking/plugins/releases/download/v0.6.0/cni-plugins-arm64-v0.6.0.tgz',
    ],
    [
      'cni-plugins',
      '0.8.0',
      'https://github.com/containernetworking/plugins/releases/download/v0.8.0/cni-plugins-linux-arm64-v0.8.0.tgz',
    ],
    [
      'crictl',
      '1.36.0',
      'https://github.com/kubernetes-sigs/cri-tools/releases/download/v1.36.0/crictl-v1.36.0-linux-arm64.tar.gz',
    ],
  ] as const)('%s %s', async (component, version, url) => {
    expect(artifactUrl(await loadUrlLayout(PACKAGING), component, version, 'arm64').url).toBe(url);
  });

  test('each base URL can be replaced', async () => {
    const layout = withBases(await loadUrlLayout(PACKAGING), { criTools: 'https://mirror.example/gh/' });
    expect(artifactUrl(layout, 'crictl', '1.36.0', 'amd64').url).toMatch(
      /^https:\/\/mirror\.example\/gh\/kubernetes-sigs\/cri-tools\//,
    );
    expect(artifactUrl(layout, 'cni-plugins', '1.8.0', 'amd64').url).toMatch(/^https:\/\/github\.com\//);
    for (const criTools of ['mirror', 'ftp://mirror', 'https://mirror/?x=']) {
      expect(() => withBases(layout, { criTools })).toThrow(expect.objectContaining({ kind: 'usage' }));
    }
  });

  const text = readFileSync(join(PACKAGING, 'sources.yaml'), 'utf8');
  test.each([
    ['an unknown key', text.replace('channels:', 'channel: x\nchannels:'), 'channel'],
    ['a missing component', text.replace(/ {2}crictl:\n( {4}.*\n)+/, ''), 'crictl'],
    ['a path without a version', text.replace('v{version}/bin', 'bin'), 'must contain {version} and {arch}'],
    ['paths out of order', text.replace('from: 0.8.0', 'from: 0.8'), 'a full version'],
    ['a base that is not a URL', text.replace('https://dl.k8s.io', 'dl.k8s.io'), 'servers.kubernetes'],
  ])('with %s are refused, with line and column', (_, damaged, message) => {
    expect(() => parseUrlLayout(damaged, 'sources.yaml')).toThrow(
      expect.objectContaining({
        kind: 'config',
        where: expect.stringMatching(/^sources\.yaml:\d+:\d+$/),
        message: expect.stringContaining(message),
      }),
    );
  });
});

describe('a copy of the servers', () => {
  async function directory(prefix = () => '') {
    const server = await servedRelease();
    const copy = temporaryDirectory();
    for (const [path, bytes] of server.files) write(copy, { [`${prefix()}${path}`]: bytes });
    return { server, copy };
  }

  test.each(['1.36.4', '1.36', 'stable'])('has %s, with the URLs of the servers', async (version) => {
    const { server, copy } = await directory();
    const { payload, lock } = await fetchFrom(copy, version);
    const served = await fetchFrom(server.url);
    expect(payload.components).toEqual(served.payload.components);
    expect(lock.artifacts.find(({ component }) => component === 'kubelet')?.url).toBe(
      `https://dl.k8s.io${pathsOf(RELEASE, 'amd64').kubelet}`,
    );
  });

  test('can have a directory for each host', async () => {
    const { copy } = await directory();
    mkdirSync(join(copy, 'dl.k8s.io'));
    mkdirSync(join(copy, 'github.com'));
    renameSync(join(copy, 'release'), join(copy, 'dl.k8s.io', 'release'));
    for (const name of ['containernetworking', 'kubernetes-sigs']) {
      renameSync(join(copy, name), join(copy, 'github.com', name));
    }
    expect((await fetchFrom(copy)).payload.components).toHaveLength(5);
  });

  test.each<[string, (copy: string) => void, string]>([
    [
      'a changed binary',
      (copy) => write(copy, { [pathsOf(RELEASE, 'amd64').kubelet]: makeElf('amd64') }),
      'the download has',
    ],
    ['no digest', (copy) => rmSync(join(copy, `${pathsOf(RELEASE, 'amd64').crictl}.sha256`)), 'no sha256 or sha512'],
  ])('with %s is refused', async (_, spoil, message) => {
    const { copy } = await directory();
    spoil(copy);
    await expect(fetchFrom(copy)).rejects.toMatchObject({
      kind: 'verification',
      message: expect.stringContaining(message),
    });
  });

  test('does not follow a URL out of the directory', async () => {
    const { copy } = await directory();
    const source = await openedSource(copy);
    const { lock } = await fetchFrom(copy);
    const [artifact] = lock.artifacts;
    for (const url of ['https://dl.k8s.io/../secret', 'https://dl.k8s.io//secret', 'https://other.example/kubelet']) {
      const release = { ...lock, artifacts: artifact === undefined ? [] : [{ ...artifact, url }] };
      const store = await openStore(temporaryDirectory());
      await expect(fetchPayload({ release, source, store })).rejects.toMatchObject({ kind: 'config', where: url });
    }
  });
});

describe('a directory of binaries', () => {
  const binaries: Record<string, string | Buffer> = {
    'amd64/cni/LICENSE': 'Apache-2.0\n',
  };
  for (const name of ['kubeadm', 'kubelet', 'kubectl', 'crictl', 'cni/bridge', 'cni/loopback']) {
    binaries[`amd64/${name}`] = makeElf('amd64', { tail: name });
  }
  const list = (files: Readonly<Record<string, string | Buffer>>) =>
    Object.entries(files)
      .map(([path, bytes]) => `${createHash('sha256').update(bytes).digest('hex')}  ./${path}\n`)
      .join('');
  function directory(more: Readonly<Record<string, string | Buffer>> = {}): string {
    const path = temporaryDirectory();
    write(path, { ...binaries, SHA256SUMS: list(binaries), ...more });
    return path;
  }

  test('is a release of the requested version', async () => {
    const { payload, lock } = await fetchFrom(directory(), '1.20.2');
    expect(payload).toMatchObject({ version: '1.20.2', date: undefined });
    expect(payload.components[0]?.files.map(({ name, executable }) => [name, executable])).toEqual([
      ['LICENSE', false],
      ['bridge', true],
      ['loopback', true],
    ]);
    expect(lock.artifacts.find(({ name }) => name === 'bridge')?.url).toBe('folder:amd64/cni/bridge');
  });

  test('can state versions and a date', async () => {
    const statement = 'kubernetes: "1.20.2"\ncriTools: "1.35.0"\ndate: "2021-01-13T13:20:00Z"\n';
    const { payload } = await fetchFrom(directory({ 'release.yaml': statement }), 'stable');
    expect(payload).toMatchObject({ version: '1.20.2', date: 1_610_544_000 });
    expect(payload.components.map(({ version }) => version)).toEqual(['1.8.0', '1.35.0', '1.20.2', '1.20.2', '1.20.2']);
    await expect(fetchFrom(directory({ 'release.yaml': statement }), '1.20.3')).rejects.toMatchObject({
      kind: 'usage',
      message: 'the directory has 1.20.2, not 1.20.3',
    });
    await expect(fetchFrom(directory({ 'release.yaml': 'kubernetes: 1.20\n' }))).rejects.toMatchObject({
      kind: 'config',
      where: expect.stringMatching(/release\.yaml:1:1$/),
    });
  });

  test.each<[string, () => string, string, string]>([
    [
      'a binary not in SHA256SUMS',
      () => directory({ 'amd64/cni/vlan': makeElf('amd64') }),
      'verification',
      'no digest of amd64/cni/vlan',
    ],
    [
      'a changed binary',
      () => directory({ 'amd64/kubelet': makeElf('amd64', { tail: 'evil' }) }),
      'verification',
      'the download has',
    ],
    [
      'a missing binary',
      () => {
        const path = directory();
        rmSync(join(path, 'amd64/kubelet'));
        return path;
      },
      'io',
      'no kubelet for amd64',
    ],
    [
      'no SHA256SUMS',
      () => {
        const path = directory();
        rmSync(join(path, 'SHA256SUMS'));
        return path;
      },
      'verification',
      'no SHA256SUMS',
    ],
    ['a damaged SHA256SUMS', () => directory({ SHA256SUMS: 'x' }), 'config', 'not a line of sha256sum'],
    [
      'a script',
      () => {
        const script = { 'amd64/kubelet': '#!/bin/sh\n' };
        return directory({ ...script, SHA256SUMS: list({ ...binaries, ...script }) });
      },
      'format',
      'a script',
    ],
    ['a directory among the plugins', () => directory({ 'amd64/cni/sub/x': 'x' }), 'io', 'not a regular file'],
  ])('with %s is refused', async (_, make, kind, message) => {
    await expect((async () => fetchFrom(make()))()).rejects.toMatchObject({
      kind,
      message: expect.stringContaining(message),
    });
  });

  test('without digests: the hint has the command to create them', async () => {
    const path = join(temporaryDirectory(), "it's");
    write(path, binaries);
    await expect(openSource(path, { packaging: PACKAGING })).rejects.toMatchObject({
      hint: expect.stringMatching(/\(cd '.*it'\\''s' && find \. .*sha256sum \{\} \+ > SHA256SUMS\)$/),
    });
  });

  test('without a version is refused for a channel', async () => {
    await expect(fetchFrom(directory(), 'stable')).rejects.toMatchObject({ kind: 'usage' });
  });
});

describe('a bundle', () => {
  async function bundle() {
    const server = await servedRelease();
    const fetched = await fetchFrom(server.url);
    const path = join(temporaryDirectory(), 'release.bundle');
    const written = await writeBundle(path, fetched.lock, fetched.store);
    await server.close();
    return { ...fetched, path, written };
  }

  test('gives the same payload and lock without a network', async () => {
    const { path, payload, lock } = await bundle();
    for (const version of ['1.36.4', '1.36', 'stable']) {
      const pins = { cniPlugins: '9.9.9', criTools: '9.9.9' };
      const unpacked = await fetchFrom(path, version, { pins });
      expect(unpacked.payload).toEqual(payload);
      expect(unpacked.lock).toEqual(lock);
    }
  });

  test('can be used with a lock', async () => {
    const { path, payload, lock } = await bundle();
    const source = await openedSource(path);
    const store = await openStore(temporaryDirectory());
    expect((await fetchPayload({ release: lock, source, store })).payload).toEqual(payload);
    const other = { ...lock, artifacts: lock.artifacts.map((one) => ({ ...one, url: `${one.url}x` })) };
    const empty = await openStore(temporaryDirectory());
    await expect(fetchPayload({ release: other, source, store: empty })).rejects.toMatchObject({
      kind: 'verification',
    });
  });

  test('is the same file for the same lock', async () => {
    const { lock, store, written } = await bundle();
    const again = await writeBundle(join(temporaryDirectory(), 'other'), lock, store);
    expect(again.sha256).toBe(written.sha256);
    expect(again.size % 512).toBe(0);
  });

  test('of another version, architecture or component is refused', async () => {
    const { path } = await bundle();
    await expect(fetchFrom(path, '1.36.5')).rejects.toMatchObject({ kind: 'usage' });
    await expect(fetchFrom(path, '1.36.4', { architectures: ['arm64'] })).rejects.toMatchObject({ kind: 'usage' });
  });

  test('with any byte flipped, or truncated, is refused or gives the same payload', async () => {
    const { path, payload } = await bundle();
    const whole = readFileSync(path);
    const damaged = join(temporaryDirectory(), 'damaged');
    const outcome = async (bytes: Buffer) => {
      writeFileSync(damaged, bytes);
      try {
        const fetched = await fetchFrom(damaged);
        return { payload: fetched.payload, objects: [] };
      } catch (error) {
        return { error };
      }
    };
    await fc.assert(
      fc.asyncProperty(
        fc.nat(whole.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        async (at, flip, cutting) => {
          const bytes = Buffer.from(whole);
          bytes[at] = (bytes[at] ?? 0) ^ flip;
          const { error, payload: read } = await outcome(cutting ? whole.subarray(0, at) : bytes);
          if (error === undefined) expect(read).toEqual(payload);
          else expect(error).toMatchObject({ name: 'KubeparcelError' });
        },
      ),
      { numRuns: 40 },
    );
  });

  test('is not written from a store that lacks an object', async () => {
    const { lock, store, directory } = await bundle();
    const [hex = ''] = objectsIn(directory).filter((one) => lock.artifacts.some(({ sha256 }) => sha256 === one));
    rmSync(join(directory, 'objects', hex.slice(0, 2), hex.slice(2)));
    await expect(writeBundle(join(temporaryDirectory(), 'b'), lock, store)).rejects.toMatchObject({ kind: 'io' });
  });
});

describe('the embedded sample', () => {
  const architectures = ['amd64', 'arm64', 'ppc64le', 's390x'] as const;

  test.each([
    ['stable', '1.37.0'],
    ['1.37', '1.37.0'],
    ['1.36', '1.36.0'],
    ['1.11', '1.11.0'],
    ['1.20.2', '1.20.2'],
    ['1.38.0-rc.1', '1.38.0-rc.1'],
  ])('has %s for every architecture', async (version, found) => {
    const { payload } = await fetchFrom('sample', version, { architectures });
    expect(payload).toMatchObject({ version: found, date: Date.parse('2026-09-01T00:00:00Z') / 1000 });
    expect(payload.components).toHaveLength(20);
    expect(payload.components.every(({ files }) => files.some(({ executable }) => executable))).toBe(true);
  });

  test('is always the same, also from its lock and through a bundle', async () => {
    const first = await fetchFrom('sample', '1.24.0', { architectures });
    const second = await fetchFrom('sample', '1.24.0', { architectures: [...architectures].reverse() });
    expect(second.lock).toEqual(first.lock);
    const path = join(temporaryDirectory(), 'sample.bundle');
    await writeBundle(path, first.lock, first.store);
    expect((await fetchFrom(path, '1.24.0', { architectures })).payload).toEqual(first.payload);
    const { source } = await fetchFrom('sample');
    const store = await openStore(temporaryDirectory());
    expect((await fetchPayload({ release: first.lock, source, store })).payload).toEqual(first.payload);
  });

  test('with a template changed is refused', async () => {
    const copy = temporaryDirectory();
    copySync(join(PACKAGING, 'sample'), copy);
    await openSampleSource(copy);
    writeFileSync(join(copy, 'kubelet.sh'), '#!/bin/sh\nreboot\n');
    await expect(openSampleSource(copy)).rejects.toMatchObject({ kind: 'verification' });
    rmSync(join(copy, 'kubelet.sh'));
    await expect(openSampleSource(copy)).rejects.toMatchObject({ kind: 'io' });
  });
});

describe('an invalid or valid --source', () => {
  test.each<[string, () => string, string, string]>([
    ['a missing path', () => join(temporaryDirectory(), 'x'), 'usage', 'no such source'],
    ['an empty directory', () => temporaryDirectory(), 'usage', 'does not look like a release'],
    ['another file', () => join(PACKAGING, 'sources.yaml'), 'usage', 'not a kubeparcel bundle'],
    ['a word', () => 'mirror', 'usage', 'no such source'],
    ['a URL with another scheme', () => 'ftp://mirror.example', 'usage', 'no such source'],
    ['an incomplete URL', () => 'https://', 'usage', 'invalid base URL'],
  ])('%s is refused', async (_, argument, kind, message) => {
    await expect((async () => openSource(argument(), { packaging: PACKAGING }))()).rejects.toMatchObject({
      kind,
      message: expect.stringContaining(message),
      hint: expect.anything(),
    });
  });

  test('servers and a mirror are opened without a request', async () => {
    expect((await openedSource('servers')).name).toBe('servers');
    expect((await openedSource('https://mirror.example/k8s')).name).toBe('https://mirror.example/k8s');
  });

  test('trusted digests replace ones that are not published', async () => {
    const server = await servedRelease({ ...RELEASE, version: '1.11.0' });
    const paths = pathsOf({ ...RELEASE, version: '1.11.0' }, 'amd64');
    const bytes = server.files.get(paths.kubectl) ?? Buffer.alloc(0);
    server.files.delete(`${paths.kubectl}.sha256`);
    const digests = new Map([[`${server.url}${paths.kubectl}`, createHash('sha256').update(bytes).digest('hex')]]);
    const source = await openSource(server.url, { packaging: PACKAGING, digests });
    const release = await resolveRelease(parseVersionRequest('1.11.0'), {
      source,
      pins: PINS,
      components: ['kubectl'],
      architectures: ['amd64'],
    });
    expect(
      (await fetchPayload({ release, source, store: await openStore(temporaryDirectory()) })).payload.components,
    ).toHaveLength(1);
    await source.close();
  });
});
