import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fetchPayload, type OnFiles } from '../../../src/payload/fetch.ts';
import { openStore } from '../../../src/payload/store/content-store.ts';
import type { ReleaseEvent } from '../../../src/release/events.ts';
import { formatLock, type Lock, parseLock, releaseFromLock } from '../../../src/release/lock.ts';
import { type ResolveOptions, resolveRelease } from '../../../src/release/resolve.ts';
import { parseVersionRequest } from '../../../src/release/version-request.ts';
import { makeElf, makeTgz } from '../../support/binaries.ts';
import { objectsIn, openedSource, QUICK, RELEASE, servedRelease } from '../../support/release-fixture.ts';
import { pathsOf } from '../../support/release-server.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const PATHS = pathsOf(RELEASE, 'amd64');
const PINS = { cniPlugins: RELEASE.cniPlugins, criTools: RELEASE.criTools };

interface Run extends Partial<ResolveOptions> {
  readonly version?: string;
  readonly store?: string;
  readonly lock?: Lock;
}

/** Resolves and fetches from a server, like kubeparcel fetch. */
async function fetchFrom(url: string, run: Run = {}) {
  const events: ReleaseEvent[] = [];
  const onEvent = (event: ReleaseEvent) => events.push(event);
  const directory = run.store ?? temporaryDirectory();
  const store = await openStore(directory);
  const source = await openedSource(url);
  const release =
    run.lock ??
    (await resolveRelease(parseVersionRequest(run.version ?? RELEASE.version), {
      pins: PINS,
      architectures: ['amd64'],
      onEvent,
      ...run,
      source,
    }));
  const reported: string[] = [];
  const onFiles: OnFiles = ({ component }, files) => reported.push(`${component} ${files.length}`);
  const fetched = await fetchPayload({ release, source, store, onEvent, onFiles, signal: run.signal });
  return { ...fetched, directory, store, events, kinds: events.map(({ kind }) => kind), reported: reported.sort() };
}

describe('a release from servers', () => {
  test('becomes a payload whose files are in the store under their SHA-256', async () => {
    const server = await servedRelease({ ...RELEASE, architectures: ['amd64', 's390x'] });
    const { payload, lock, directory } = await fetchFrom(server.url, { architectures: ['s390x', 'amd64'] });
    expect(payload).toMatchObject({ version: '1.36.4', date: Date.parse('2026-08-12T10:00:00Z') / 1000 });
    expect(payload.components.map((c) => `${c.component} ${c.architecture} ${c.version}`)).toEqual([
      'cni-plugins amd64 1.8.0',
      'cni-plugins s390x 1.8.0',
      'crictl amd64 1.36.0',
      'crictl s390x 1.36.0',
      'kubeadm amd64 1.36.4',
      'kubeadm s390x 1.36.4',
      'kubectl amd64 1.36.4',
      'kubectl s390x 1.36.4',
      'kubelet amd64 1.36.4',
      'kubelet s390x 1.36.4',
    ]);
    expect(payload.components[0]?.files.map(({ name, executable }) => [name, executable])).toEqual([
      ['LICENSE', false],
      ['bridge', true],
      ['loopback', true],
    ]);
    const digests = [...payload.components.flatMap((c) => c.files), ...lock.artifacts];
    expect(objectsIn(directory)).toEqual([...new Set(digests.map(({ sha256 }) => sha256))].sort());
    expect(lock.artifacts.map((a) => a.url)).toContain(`${server.url}${PATHS.kubelet}`);
    expect(readdirSync(join(directory, 'tmp'))).toEqual([]);
    expect(readdirSync(join(directory, 'partial'))).toEqual([]);
  });

  test.each([
    ['stable', '1.36.4'],
    ['1.36', '1.36.4'],
    ['v1.36.4', '1.36.4'],
  ])('%s resolves to %s', async (version, found) => {
    const server = await servedRelease();
    expect((await fetchFrom(server.url, { version, components: ['kubectl'] })).payload.version).toBe(found);
  });

  test('pins may depend on the version that was found', async () => {
    const server = await servedRelease();
    const pins = (version: string) => ({ cniPlugins: RELEASE.cniPlugins, criTools: version.replace('.4', '.0') });
    const { payload } = await fetchFrom(server.url, { version: 'stable', components: ['crictl'], pins });
    expect(payload.components[0]?.version).toBe('1.36.0');
  });

  test('a second run requests only digests and unpacks nothing', async () => {
    const server = await servedRelease();
    const first = await fetchFrom(server.url);
    server.requests.length = 0;
    const second = await fetchFrom(server.url, { store: first.directory });
    expect(second.payload).toEqual(first.payload);
    expect(second.lock).toEqual(first.lock);
    expect(second.kinds.filter((kind) => kind === 'cached')).toHaveLength(5);
    expect(second.kinds).not.toContain('download');
    expect(second.kinds).not.toContain('unpacked');
    expect(server.requests.filter(({ method, path }) => method === 'GET' && !path.endsWith('.sha256'))).toEqual([]);
  });

  test('files are reported when they are in the store, if anything had to be fetched', async () => {
    const server = await servedRelease();
    const some = await fetchFrom(server.url, { components: ['kubeadm', 'kubelet'] });
    expect(some.reported).toEqual(['kubeadm 1', 'kubelet 1']);
    const all = await fetchFrom(server.url, { store: some.directory });
    expect(all.reported).toEqual(['cni-plugins 3', 'crictl 1', 'kubeadm 1', 'kubectl 1', 'kubelet 1']);
    expect((await fetchFrom(server.url, { store: some.directory })).reported).toEqual([]);
  });

  test('a lock needs no server once the store is full', async () => {
    const server = await servedRelease();
    const { lock, directory, payload } = await fetchFrom(server.url);
    await server.close();
    expect((await fetchFrom(server.url, { store: directory, lock })).payload).toEqual(payload);
  });

  test('a download reports all its events', async () => {
    const server = await servedRelease({ ...RELEASE, kubeletBytes: 300_000 });
    const { events } = await fetchFrom(server.url, { components: ['kubelet'] });
    const size = server.files.get(PATHS.kubelet)?.length;
    const progress = events.filter((event) => event.kind === 'progress');
    expect(progress.length).toBeGreaterThan(2);
    expect(progress.at(-1)).toMatchObject({ bytes: size });
    expect(events.filter(({ kind }) => kind !== 'progress').map(({ kind }) => kind)).toEqual([
      'found',
      'resolved',
      'download',
      'verified',
      'unpacked',
    ]);
  });

  test('SHA-512 is used where no SHA-256 is published, and the lock still has SHA-256', async () => {
    const server = await servedRelease();
    const bytes = server.files.get(PATHS.kubectl) ?? Buffer.alloc(0);
    server.files.delete(`${PATHS.kubectl}.sha256`);
    server.publish(PATHS.kubectl, bytes, ['sha512']);
    const first = await fetchFrom(server.url, { components: ['kubectl'] });
    expect(first.lock.artifacts[0]).toMatchObject({ sha256: createHash('sha256').update(bytes).digest('hex') });
    expect((await fetchFrom(server.url, { store: first.directory, components: ['kubectl'] })).kinds).toContain(
      'cached',
    );
    expect(parseLock(formatLock(first.lock), '')).toEqual(first.lock);
  });
});

/** The error of a fetch and the store's directory. */
async function failure(url: string, run: Run = {}): Promise<{ error: unknown; directory: string }> {
  const directory = run.store ?? temporaryDirectory();
  const error: unknown = await fetchFrom(url, { ...run, store: directory }).then(
    () => new Error('the fetch succeeded'),
    (thrown: unknown) => thrown,
  );
  return { error, directory };
}

describe('a resumed download whose parts do not fit together', () => {
  const faults = [
    { kind: 'cut', after: 50_000 },
    { kind: 'range', gives: 'other-bytes' },
  ] as const;

  test('is downloaded again from the start', async () => {
    const server = await servedRelease({ ...RELEASE, kubeletBytes: 100_000 });
    server.misbehave(PATHS.kubelet, faults);
    const { events } = await fetchFrom(server.url, { components: ['kubelet'] });
    const retries = events.filter((event) => event.kind === 'retry').map(({ reason }) => reason);
    expect(retries.filter((reason) => reason.includes('do not fit together'))).toHaveLength(1);
  });

  test('fails after several tries', async () => {
    const server = await servedRelease({ ...RELEASE, kubeletBytes: 100_000 });
    server.misbehave(PATHS.kubelet, [...faults, ...faults, ...faults, ...faults]);
    const { error, directory } = await failure(server.url, { components: ['kubelet'] });
    expect(error).toMatchObject({ kind: 'verification' });
    expect(objectsIn(directory)).toEqual([]);
  });
});

describe('a bad artifact is refused and does not become an object', () => {
  const html = '<!doctype html><html><body>Sign in</body></html>';
  const elf = makeElf('amd64', { tail: 'other' });
  test.each<[string, (server: Awaited<ReturnType<typeof servedRelease>>) => void, string, string]>([
    ['no digest', (s) => s.files.delete(`${PATHS.kubelet}.sha256`), 'verification', 'no sha256 or sha512 digest'],
    [
      'SHA-1 only',
      (s) => {
        s.files.delete(`${PATHS.kubelet}.sha256`);
        s.files.set(`${PATHS.kubelet}.sha1`, Buffer.from('ab'.repeat(20)));
      },
      'verification',
      'no sha256 or sha512 digest',
    ],
    [
      'a wrong digest',
      (s) => s.files.set(`${PATHS.kubelet}.sha256`, Buffer.from('ab'.repeat(32))),
      'verification',
      'the download has sha256',
    ],
    [
      'a malformed digest',
      (s) => s.files.set(`${PATHS.kubelet}.sha256`, Buffer.from('ab')),
      'verification',
      '2 hex digits',
    ],
    [
      'an empty digest',
      (s) => s.files.set(`${PATHS.kubelet}.sha256`, Buffer.alloc(0)),
      'verification',
      'not a digest file',
    ],
    [
      "another file's digest",
      (s) => s.files.set(`${PATHS.kubelet}.sha256`, Buffer.from(`${'ab'.repeat(32)}  kubectl`)),
      'verification',
      'not for kubelet',
    ],
    [
      'a web page instead of a digest',
      (s) => s.files.set(`${PATHS.kubelet}.sha256`, Buffer.from(html)),
      'verification',
      'web page',
    ],
    [
      'a digest file that is too long',
      (s) => s.files.set(`${PATHS.kubelet}.sha256`, Buffer.alloc(10_000, 'a')),
      'network',
      'one line of text',
    ],
    [
      'a web page instead of a binary',
      (s) => s.misbehave(PATHS.kubelet, [{ kind: 'page' }], 'ever'),
      'network',
      'web page',
    ],
    [
      'a web page declared as binary data',
      (s) => s.misbehave(PATHS.kubelet, [{ kind: 'bytes', body: html }], 'ever'),
      'verification',
      'the download has',
    ],
    [
      'other bytes',
      (s) => s.misbehave(PATHS.kubelet, [{ kind: 'bytes', body: elf }], 'ever'),
      'verification',
      'the download has',
    ],
    [
      'no bytes',
      (s) => s.misbehave(PATHS.kubelet, [{ kind: 'bytes', body: '' }], 'ever'),
      'verification',
      'the download has',
    ],
    [
      'fewer bytes announced than sent',
      (s) => s.misbehave(PATHS.kubelet, [{ kind: 'length', off: -10 }], 'ever'),
      'verification',
      'the download has',
    ],
    [
      'a short chunked body',
      (s) => s.misbehave(PATHS.kubelet, [{ kind: 'chunked', body: elf }], 'ever'),
      'verification',
      'the download has',
    ],
    ['a script', (s) => s.publish(PATHS.kubelet, Buffer.from('#!/bin/sh\n')), 'format', 'a script'],
    [
      'the wrong architecture',
      (s) => s.publish(PATHS.kubelet, makeElf('arm64')),
      'format',
      'a binary for arm64, expected amd64',
    ],
    ['text', (s) => s.publish(PATHS.kubelet, Buffer.from('kubelet')), 'format', 'no ELF header'],
    ['no such version', (s) => s.files.clear(), 'network', 'there is no release 1.36.4'],
    [
      'a missing component',
      (s) => {
        s.files.delete(PATHS.kubelet);
        s.files.delete(`${PATHS.kubelet}.sha256`);
        s.publish(PATHS.kubelet.replace('amd64', 'arm64'), elf);
      },
      'network',
      'there is no kubelet 1.36.4 for amd64',
    ],
    [
      'a server that compresses',
      (s) => s.misbehave(PATHS.kubelet, [{ kind: 'encoded' }], 'ever'),
      'network',
      'compresses',
    ],
  ])('%s', async (_, spoil, kind, message) => {
    const server = await servedRelease();
    spoil(server);
    const { error, directory } = await failure(server.url, { components: ['kubelet'] });
    expect(error).toMatchObject({ name: 'KubeparcelError', kind, message: expect.stringContaining(message) });
    expect(error).toHaveProperty('where', expect.stringContaining('kubelet'));
    expect(objectsIn(directory)).toEqual([]);
    expect(readdirSync(join(directory, 'tmp'))).toEqual([]);
    expect(readdirSync(join(directory, 'partial'))).toEqual([]);
  });

  test.each([
    [
      'a path outside',
      makeTgz([
        { path: 'bridge', body: makeElf('amd64') },
        { path: '../x', body: 'x' },
      ]),
      'outside',
    ],
    ['a plugin for another architecture', makeTgz([{ path: 'bridge', body: makeElf('arm64') }]), 'a binary for arm64'],
    ['a script', makeTgz([{ path: 'bridge', body: '#!/bin/sh\n' }]), 'a script'],
    ['no gzip', Buffer.from('no archive'), 'gzip'],
  ])('an archive with %s', async (_, archive, message) => {
    const server = await servedRelease();
    server.publish(PATHS.cni, archive);
    const { error, directory } = await failure(server.url, { components: ['cni-plugins'] });
    expect(error).toMatchObject({ kind: 'format', message: expect.stringContaining(message) });
    expect(objectsIn(directory)).toEqual([]);
  });

  test('an archive without its program', async () => {
    const server = await servedRelease();
    server.publish(PATHS.crictl, makeTgz([{ path: 'README.md', body: 'x', mode: 0o644 }]));
    const { error } = await failure(server.url, { components: ['crictl'] });
    expect(error).toMatchObject({ kind: 'format', message: 'crictl for amd64 has no crictl' });
  });
});

describe('a lock', () => {
  test('refuses other bytes, another size and another URL', async () => {
    const server = await servedRelease();
    const { lock } = await fetchFrom(server.url);
    const only = releaseFromLock(lock, { components: ['kubelet'], where: 'kubeparcel.lock' });
    const [artifact] = only.artifacts;
    if (artifact === undefined) throw new Error('the lock has no kubelet');
    // The server publishes the new digest too; the lock has the old one.
    server.publish(PATHS.kubelet, Buffer.alloc(artifact.size, 'x'));
    const other = await failure(server.url, { lock: only });
    expect(other.error).toMatchObject({
      kind: 'verification',
      message: expect.stringContaining('the download has sha256'),
    });
    server.publish(PATHS.kubelet, Buffer.alloc(artifact.size + 1, 'x'));
    const longer = await failure(server.url, { lock: only });
    expect(longer.error).toMatchObject({
      kind: 'verification',
      message: expect.stringContaining(`expected ${artifact.size}`),
    });
    server.misbehave(PATHS.kubelet, [{ kind: 'chunked', body: Buffer.alloc(artifact.size + 1) }], 'ever');
    const over = await failure(server.url, { lock: only });
    expect(over.error).toMatchObject({
      kind: 'verification',
      message: expect.stringContaining(`expected ${artifact.size}`),
    });
    const elsewhere = { ...only, artifacts: [{ ...artifact, url: 'sample:kubelet/1.36.4/amd64/kubelet' }] };
    const otherUrl = await failure(server.url, { lock: elsewhere });
    expect(otherUrl.error).toMatchObject({ name: 'KubeparcelError' });
    for (const { directory } of [other, longer, over, otherUrl]) expect(objectsIn(directory)).toEqual([]);
  });
});

test('any flipped byte of a payload is detected', async () => {
  const server = await servedRelease();
  const wholes = new Map(Object.values(PATHS).map((path) => [path, server.files.get(path) ?? Buffer.alloc(0)]));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...wholes.keys()),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      async (path, at, flip) => {
        const damaged = Buffer.from(wholes.get(path) ?? '');
        damaged[at % damaged.length] = (damaged[at % damaged.length] ?? 0) ^ flip;
        server.files.set(path, damaged);
        const { error, directory } = await failure(server.url);
        server.files.set(path, wholes.get(path) ?? Buffer.alloc(0));
        expect(error).toMatchObject({ kind: 'verification', where: expect.stringContaining(path) });
        expect(objectsIn(directory).length).toBeLessThan(9);
      },
    ),
    { numRuns: 25 },
  );
});

describe('in a damaged store', () => {
  test.each(['modified', 'truncated', 'removed'])('an object that was %s is fetched again', async (how) => {
    const server = await servedRelease();
    const first = await fetchFrom(server.url);
    for (const hex of objectsIn(first.directory)) {
      const path = join(first.directory, 'objects', hex.slice(0, 2), hex.slice(2));
      const bytes = readFileSync(path);
      rmSync(path);
      if (how === 'truncated') writeFileSync(path, bytes.subarray(1));
      if (how === 'modified') writeFileSync(path, bytes.fill(bytes.readUInt8(9) ^ 1, 9, 10));
    }
    const second = await fetchFrom(server.url, { store: first.directory });
    expect(second.payload).toEqual(first.payload);
    expect(objectsIn(first.directory)).toEqual(objectsIn(second.directory));
    for (const file of second.payload.components.flatMap((c) => c.files)) {
      expect(await second.store.has(file.sha256, file.size)).toBe(true);
    }
  });

  test('missing files of an archive are unpacked again without a download', async () => {
    const server = await servedRelease();
    const first = await fetchFrom(server.url, { components: ['cni-plugins'] });
    const hex = first.payload.components[0]?.files[1]?.sha256 ?? '';
    rmSync(join(first.directory, 'objects', hex.slice(0, 2), hex.slice(2)));
    const second = await fetchFrom(server.url, { components: ['cni-plugins'], store: first.directory });
    expect(second.payload).toEqual(first.payload);
    expect(second.kinds).toContain('unpacked');
    expect(second.kinds).not.toContain('download');
  });

  test('a damaged index is written again', async () => {
    const server = await servedRelease();
    const first = await fetchFrom(server.url);
    const index = join(first.directory, 'index');
    for (const name of readdirSync(index)) {
      const text = readFileSync(join(index, name), 'utf8');
      writeFileSync(join(index, name), text.replace('true', 'false'));
    }
    const second = await fetchFrom(server.url, { store: first.directory });
    expect(second.payload).toEqual(first.payload);
    expect(second.kinds).not.toContain('cached');
  });
});

test('concurrent fetches into one store succeed', async () => {
  const server = await servedRelease({ ...RELEASE, kubeletBytes: 500_000 });
  const store = temporaryDirectory();
  const runs = await Promise.all(Array.from({ length: 4 }, () => fetchFrom(server.url, { store })));
  for (const run of runs) expect(run.payload).toEqual(runs[0]?.payload);
  expect(readdirSync(join(store, 'partial'))).toEqual([]);
  expect(readdirSync(join(store, 'tmp'))).toEqual([]);
  for (const hex of objectsIn(store)) expect(await runs[0]?.store.has(hex)).toBe(true);
});

test('an abort stops the fetch with its reason, and the next run resumes', async () => {
  const server = await servedRelease({ ...RELEASE, kubeletBytes: 300_000 });
  const store = temporaryDirectory();
  const stop = new AbortController();
  const source = await openedSource(server.url, { ...QUICK, stall: 60_000 });
  const release = await resolveRelease(parseVersionRequest('1.36.4'), {
    source,
    pins: PINS,
    components: ['kubelet'],
    architectures: ['amd64'],
  });
  server.misbehave(PATHS.kubelet, [{ kind: 'stall', after: 200_000 }], 'ever');
  const fetching = fetchPayload({
    release,
    source,
    store: await openStore(store),
    signal: stop.signal,
    onEvent: (event) => {
      if (event.kind === 'progress' && event.bytes > 100_000) stop.abort(new Error('Ctrl-C'));
    },
  });
  await expect(fetching).rejects.toThrow('Ctrl-C');
  expect(objectsIn(store)).toEqual([]);
  const [waiting = ''] = readdirSync(join(store, 'partial'));
  expect(waiting).toMatch(/^[0-9a-f]{64}$/);
  expect(statSync(join(store, 'partial', waiting, 'data')).size).toBeGreaterThan(100_000);
  server.misbehave(PATHS.kubelet, []);
  server.requests.length = 0;
  const { events } = await fetchFrom(server.url, { store, components: ['kubelet'] });
  expect(events).toContainEqual(expect.objectContaining({ kind: 'download', resumedFrom: expect.any(Number) }));
  expect(server.requests.find(({ range }) => range !== undefined)?.range).toMatch(/^bytes=1\d{5}-|^bytes=200000-/);
});
