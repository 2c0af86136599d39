import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Entry, Layout } from '../../../src/model/layout.ts';
import { fileEntries, hasLargeFiles, listFiles } from '../../../src/rpm/file-list.ts';
import { readRpm } from '../../../src/rpm/read.ts';
import { decodeHeader, numberOf } from '../../../src/rpm/read-header.ts';
import { rpmlibDependencies, statedDependencies } from '../../../src/rpm/relations.ts';
import { signatureHeader } from '../../../src/rpm/signature-header.ts';
import { SIGNATURE_TAGS, TAGS } from '../../../src/rpm/tags.ts';
import { rpmPackager } from '../../../src/rpm/write.ts';
import { objectsOf, pack, sha256 } from '../../support/rpm.ts';
import { relations, sampleLayout } from '../../support/sample-layout.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const sample = sampleLayout('rpm');

describe('the RPM writer', () => {
  test('names the file like rpmbuild', () => {
    const version = { epoch: 7, upstream: '1.37.0~rc.1', revision: '2.el9' };
    expect(rpmPackager.fileName({ name: 'kubelet', version, architecture: 'ppc64le' })).toBe(
      'kubelet-1.37.0~rc.1-2.el9.ppc64le.rpm',
    );
  });

  const depends = (name: string, version?: string) => ({
    relations: relations({
      depends: [
        { anyOf: [version === undefined ? { name } : { name, constraint: { operator: '=' as const, version } }] },
      ],
    }),
  });
  const either = [{ anyOf: [{ name: 'a' }, { name: 'b' }] }];
  const base = { mode: 0o755, owner: 'root', group: 'root', mtime: 1 };
  const change = { version: '1', date: 1, author: 'A', changes: ['x'] };
  const rejected: [string, Partial<Layout>, RegExp][] = [
    ['a DEB layout', { format: 'deb' }, /layout is for deb/],
    ['Multi-Arch', { multiArch: 'same' }, /Multi-Arch/],
    ['Breaks', { relations: relations({ breaks: [{ anyOf: [{ name: 'a' }] }] }) }, /breaks/],
    ['a hyphen in the version', { version: { epoch: 0, upstream: '1.0-rc1', revision: '1' } }, /invalid RPM version/],
    ['no release', { version: { epoch: 0, upstream: '1.0', revision: '' } }, /invalid RPM release/],
    ["a DEB's architecture", { architecture: 'amd64' }, /"amd64"/],
    ['no source', { source: '' }, /source is empty/],
    ['a space in a name', depends('a b'), /"a b"/],
    ['a parenthesis that is not closed', depends('a(b'), /"a\(b"/],
    ['an invalid version', depends('a', '1 2'), /"1 2"/],
    ['a rich dependency with a version', depends('(a if b)', '1'), /rich dependency/],
    ["rpm's own features", depends('rpmlib(FileDigests)'), /added by the writer/],
    ['alternatives in provides', { relations: relations({ provides: either }) }, /alternatives/],
    ['alternatives in replaces', { relations: relations({ replaces: either }) }, /alternatives/],
    ['a script for no program', { scripts: { post: { interpreter: 'sh', body: '' } } }, /"sh"/],
    ['a NUL in a script', { scripts: { post: { interpreter: '/bin/sh', body: '\0' } } }, /NUL/],
    ['a NUL in the description', { description: 'a\0b' }, /NUL/],
    ['a line break in a change', { changelog: [{ ...change, changes: ['x\ny'] }] }, /line break/],
    [
      'a directory marked as configuration',
      { entries: [{ ...base, kind: 'directory', path: '/a', role: 'config' }] },
      /directory/,
    ],
    [
      'entries out of order',
      {
        entries: ['/b', '/a'].map((path): Entry => ({ ...base, kind: 'directory', path, role: 'plain' })),
      },
      /does not sort/,
    ],
  ];
  test.each(rejected)('rejects %s', async (_, change, message) => {
    const directory = temporaryDirectory();
    await expect(pack({ ...sample, ...change }, directory)).rejects.toMatchObject({
      kind: 'format',
      message: expect.stringMatching(message),
    });
    expect(readdirSync(directory)).toEqual([]);
  });

  const content = Buffer.from('stored content');
  const stored = (facts: { sha256?: string; size?: number }): Layout => ({
    ...sample,
    entries: sample.entries.map((entry) =>
      entry.kind === 'file' && entry.role === 'plain'
        ? { ...entry, content: { kind: 'stored', sha256: sha256(content), size: content.length, ...facts } }
        : entry,
    ),
  });
  test.each([
    ['differs from its digest', stored({}), Buffer.from('Stored content')],
    ['is shorter', stored({ size: 20 }), content],
    ['is longer', stored({ size: 2 }), content],
  ])('ends with an error when a stored content %s, and leaves nothing behind', async (_, layout, found) => {
    const directory = temporaryDirectory();
    const objects = { open: () => objectsOf(found).open(sha256(found)) };
    await expect(pack(layout, directory, { codec: 'gzip', level: 1 }, objects)).rejects.toMatchObject({
      kind: 'verification',
    });
    expect(readdirSync(directory)).toEqual([]);
  });

  test('leaves no spool file, not even while the package is being read', async () => {
    const directory = temporaryDirectory();
    const options = {
      compression: { codec: 'none', level: 0 } as const,
      objects: objectsOf(),
      spoolDirectory: directory,
    };
    for await (const _chunk of rpmPackager.write(sample, options)) {
      expect(readdirSync(directory)).toEqual([]);
      break;
    }
    expect(readdirSync(directory)).toEqual([]);
  });

  test('stops when it is aborted, and reports the bytes that it reads', async () => {
    const directory = temporaryDirectory();
    const taken: number[] = [];
    const options = {
      compression: { codec: 'gzip', level: 1 } as const,
      objects: objectsOf(content),
      spoolDirectory: directory,
      onBytes: (bytes: number) => taken.push(bytes),
    };
    for await (const _chunk of rpmPackager.write(stored({}), options)) {
      // Discard the output.
    }
    expect(taken.reduce((sum, bytes) => sum + bytes)).toBe(20 + content.length);
    const aborted = rpmPackager.write(sample, { ...options, signal: AbortSignal.abort(new Error('stop')) });
    await expect(aborted[Symbol.asyncIterator]().next()).rejects.toThrow('stop');
    expect(readdirSync(directory)).toEqual([]);
  });

  test('dates every change at noon UTC', async () => {
    const changelog = [0, 43_199, 86_399].map((hour) => ({ ...change, date: 1_760_054_400 - 86_400 + hour }));
    const { layout } = await readRpm(await pack({ ...sample, changelog }, temporaryDirectory()));
    expect(new Set(layout.changelog.map(({ date }) => new Date(date * 1000).toISOString()))).toEqual(
      new Set(['2025-10-09T12:00:00.000Z']),
    );
  });

  test('provides config() only if the package has configuration files', async () => {
    const entries = sample.entries.filter(({ role }) => role !== 'config');
    const { metadata } = await readRpm(await pack({ ...sample, entries }, temporaryDirectory()));
    expect(new Map(metadata).get('PROVIDENAME')).toBe('kubelet\nkubelet(x86-64)');
    expect(new Map(metadata).get('REQUIRENAME')).not.toContain('config');
  });
});

describe('files beyond 4 GiB', () => {
  const large = (size: number): Layout => ({
    ...sample,
    entries: sample.entries.map((entry) =>
      entry.path === '/usr/bin/kubelet' && entry.kind === 'file'
        ? { ...entry, content: { kind: 'stored', sha256: sha256(content(size)), size } }
        : entry,
    ),
  });
  const content = (size: number) => Buffer.from(`stands for ${size} bytes`);

  test.each([
    [2 ** 32 - 2, false],
    [2 ** 32 - 1, true],
    [2 ** 33 + 5, true],
  ])('of %i bytes are stated in 64 bits: %s', (size, isLarge) => {
    const layout = large(size);
    const files = listFiles(layout.entries);
    expect(hasLargeFiles(files)).toBe(isLarge);
    const tags = new Map(fileEntries(files));
    expect(tags.get(isLarge ? TAGS.LONGFILESIZES : TAGS.FILESIZES)).toMatchObject({ numbers: [20, size, 7] });
    expect(tags.has(isLarge ? TAGS.FILESIZES : TAGS.LONGFILESIZES)).toBe(false);
    expect(tags.get(TAGS.LONGSIZE)).toEqual({ type: 'int64', numbers: [size + 27] });
    const needs = rpmlibDependencies(layout, statedDependencies(layout), files, { codec: 'gzip', level: 9 });
    const need = needs.find(({ name }) => name === 'rpmlib(LargeFiles)');
    expect(need?.version).toBe(isLarge ? '4.12.0-1' : undefined);
  });

  test.each([
    [2 ** 32 - 2, 'SIGSIZE', 'ARCHIVESIZE'],
    [2 ** 32 - 1, 'LONGSIGSIZE', 'LONGARCHIVESIZE'],
  ] as const)('make a package of %i bytes state %s', (size, sizeTag, archiveTag) => {
    const bytes = signatureHeader({ sha1: 'a', sha256: 'b', md5: '0'.repeat(32), size, archiveSize: 5 }, []);
    expect(bytes.length % 8).toBe(0);
    const length = 16 + bytes.readUInt32BE(8) * 16 + bytes.readUInt32BE(12);
    const header = decodeHeader(bytes.subarray(0, length), 'signatures');
    expect(numberOf(header, SIGNATURE_TAGS[sizeTag])).toBe(size);
    expect(numberOf(header, SIGNATURE_TAGS[archiveTag])).toBe(5);
  });
});
