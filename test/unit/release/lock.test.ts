import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ARCHITECTURES } from '../../../src/model/architecture.ts';
import { COMPONENTS } from '../../../src/model/component.ts';
import { formatLock, type Lock, parseLock, readLock, releaseFromLock } from '../../../src/release/lock.ts';
import { compareArtifacts, type LockedArtifact } from '../../../src/release/release.ts';
import { parseVersionRequest } from '../../../src/release/version-request.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const VERSIONS = { kubeadm: '1.36.4', kubelet: '1.36.4', kubectl: '1.36.4', 'cni-plugins': '1.8.0', crictl: '1.36.0' };

const LOCK: Lock = {
  version: '1.36.4',
  date: Date.parse('2026-08-12T10:00:00Z') / 1000,
  components: VERSIONS,
  artifacts: COMPONENTS.flatMap((component) =>
    (['amd64', 's390x'] as const).map(
      (architecture): LockedArtifact => ({
        component,
        architecture,
        version: VERSIONS[component],
        packing: component === 'cni-plugins' || component === 'crictl' ? 'tgz' : 'plain',
        name: component,
        url: `https://dl.example/${architecture}/${component}`,
        sha256: createHash('sha256')
          .update(component + architecture)
          .digest('hex'),
        size: 1234,
      }),
    ),
  ).sort(compareArtifacts),
};

const TEXT = formatLock(LOCK);

/** The text with the right digest in its last line. */
function withDigest(text: string): string {
  const body = text.replace(/digest: .*\n$/, '');
  return `${body}digest: "${createHash('sha256').update(body).digest('hex')}"\n`;
}

describe('a lock', () => {
  test('reads back as it was written, and its text does not depend on the order of artifacts', () => {
    expect(parseLock(TEXT, 'kubeparcel.lock')).toEqual(LOCK);
    expect(formatLock({ ...LOCK, artifacts: [...LOCK.artifacts].reverse() })).toBe(TEXT);
    const { date: _, ...undated } = LOCK;
    expect(parseLock(formatLock({ ...undated, date: undefined }), '').date).toBeUndefined();
  });

  test('lists one field per line', () => {
    expect(TEXT).toContain('kubernetes: 1.36.4\ndate: 2026-08-12T10:00:00Z\n');
    expect(TEXT).toContain(
      '  - component: kubelet\n    architecture: s390x\n    packing: plain\n    name: kubelet\n' +
        '    url: https://dl.example/s390x/kubelet\n    size: 1234\n    sha256: ',
    );
  });

  test('any lock reads back as the same lock', () => {
    const version = fc.tuple(fc.nat(40), fc.nat(99)).map(([minor, patch]) => `1.${minor}.${patch}`);
    const artifact = fc.record({
      component: fc.constantFrom(...COMPONENTS),
      architecture: fc.constantFrom(...ARCHITECTURES),
      packing: fc.constantFrom('plain' as const, 'tgz' as const),
      name: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,30}$/),
      url: fc.webUrl({ withQueryParameters: true }).map((url) => new URL(url).href),
      sha256: fc.stringMatching(/^[0-9a-f]{64}$/),
      size: fc.nat(),
    });
    fc.assert(
      fc.property(
        version,
        fc.option(fc.nat(4e9)),
        fc.array(artifact, { minLength: 1, maxLength: 5 }),
        (of, date, artifacts) => {
          const components = Object.fromEntries(artifacts.map(({ component }) => [component, of]));
          const lock: Lock = {
            version: of,
            date: date ?? undefined,
            components,
            artifacts: artifacts.map((one) => ({ ...one, version: of })).sort(compareArtifacts),
          };
          expect(parseLock(formatLock(lock), '')).toEqual(lock);
        },
      ),
    );
  });

  test('any flipped bit is detected', () => {
    const bytes = Buffer.from(TEXT);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(7), (at, bit) => {
        const damaged = Buffer.from(bytes);
        damaged[at] = (damaged[at] ?? 0) ^ (1 << bit);
        expect(() => parseLock(damaged.toString('latin1'), 'kubeparcel.lock')).toThrow(
          expect.objectContaining({ name: 'KubeparcelError' }),
        );
      }),
      { numRuns: 150 },
    );
  });

  test.each([
    ['truncated', TEXT.slice(0, -200)],
    ['it has lines after its end', `${TEXT}lock: 1\n`],
    ['it has a comment after its end', `${TEXT}# fine\n`],
    ['it has other line endings', TEXT.replaceAll('\n', '\r\n')],
    ['an artifact was removed', TEXT.replace(/ {2}- component: crictl\n( {4}.*\n)+/, '')],
  ])('is refused when %s', (_, text) => {
    expect(() => parseLock(text, 'kubeparcel.lock')).toThrow(expect.objectContaining({ name: 'KubeparcelError' }));
  });

  test.each([
    ['an unknown format', /lock: 1/, 'lock: 2', /:3:\d+$/, 'only lock format 1'],
    ['an unknown key', /kubernetes:/, 'flavour: x\nkubernetes:', /:4:1$/, 'flavour'],
    ['an unknown architecture', /architecture: s390x/, 'architecture: mips', /:\d+:\d+$/, 'architecture'],
    ['a short digest', /sha256: "?[0-9a-f]{4}/, 'sha256: ab', /:\d+:\d+$/, '64 lower-case hex digits'],
    ['a name with a path', /name: crictl/, 'name: ../crictl', /:\d+:\d+$/, 'a file name'],
    ['a negative size', /size: 1234/, 'size: -1', /:\d+:\d+$/, 'size'],
  ])('with %s is refused, with the line', (_, from, to, where, what) => {
    expect(() => parseLock(withDigest(TEXT.replace(from, to)), 'kubeparcel.lock')).toThrow(
      expect.objectContaining({
        kind: 'config',
        where: expect.stringMatching(where),
        message: expect.stringContaining(what),
      }),
    );
  });

  test('a missing, an oversized and a binary file fail with a message', async () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'kubeparcel.lock');
    await expect(readLock(path)).rejects.toMatchObject({ kind: 'io', where: path });
    writeFileSync(path, Buffer.alloc(5 << 20));
    await expect(readLock(path)).rejects.toMatchObject({ kind: 'config' });
    writeFileSync(path, Buffer.from([0xff, 0xfe]));
    await expect(readLock(path)).rejects.toMatchObject({ kind: 'verification' });
    writeFileSync(path, TEXT);
    expect(await readLock(path)).toEqual(LOCK);
  });
});

describe('building from a lock', () => {
  const from = (selection: Omit<Parameters<typeof releaseFromLock>[1], 'where'>) =>
    releaseFromLock(LOCK, { ...selection, where: 'kubeparcel.lock' });

  test('takes everything, or the requested part', () => {
    expect(from({})).toEqual(LOCK);
    const part = from({ request: parseVersionRequest('1.36'), components: ['kubelet'], architectures: ['s390x'] });
    expect(part.components).toEqual({ kubelet: '1.36.4' });
    expect(part.artifacts.map(({ url }) => url)).toEqual(['https://dl.example/s390x/kubelet']);
  });

  test.each([
    [{ request: parseVersionRequest('1.36.5') }, 'the lock is for 1.36.4, not 1.36.5'],
    [{ request: parseVersionRequest('1.37') }, 'not 1.37'],
    [{ architectures: ['arm64'] as const }, 'no kubeadm for arm64'],
  ])('refuses what the lock does not have (%#)', (selection, message) => {
    expect(() => from(selection)).toThrow(
      expect.objectContaining({ kind: 'verification', message: expect.stringContaining(message) }),
    );
  });
});
