import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { debPackager } from '../../../src/deb/write.ts';
import { parseCompression } from '../../../src/model/compression.ts';
import type { Entry, FileEntry, Layout } from '../../../src/model/layout.ts';
import { KubeparcelError } from '../../../src/support/errors.ts';
import { relations, sampleLayout } from '../../support/sample-layout.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { noObjects, readBytes, writeBytes } from './packages.ts';

const layout = sampleLayout('deb');

/** The sample with its binary as a stored object. */
function withStored(bytes: Uint8Array, size = bytes.length): Layout {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return {
    ...layout,
    entries: layout.entries.map((entry) =>
      entry.path === '/usr/bin/kubelet'
        ? { ...(entry as FileEntry), content: { kind: 'stored', sha256, size } as const }
        : entry,
    ),
  };
}

function object(bytes: Uint8Array, cut = 1000) {
  return {
    async *open() {
      for (let offset = 0; offset < bytes.length; offset += cut) {
        yield bytes.subarray(offset, offset + cut);
      }
    },
  };
}

test('file names are without the epoch', () => {
  const identity = {
    name: 'kubelet',
    version: { epoch: 1, upstream: '1.37.0~rc.1', revision: '2' },
    architecture: 'arm64',
  };
  expect(debPackager.fileName(identity)).toBe('kubelet_1.37.0~rc.1-2_arm64.deb');
});

test('the control file has the fields in the order of dpkg-gencontrol', async () => {
  const directory = temporaryDirectory();
  const full: Layout = {
    ...layout,
    version: { epoch: 2, upstream: '1.36.4', revision: '1' },
    source: 'kubernetes',
    multiArch: 'foreign',
    relations: relations({
      depends: [
        { anyOf: [{ name: 'cri', constraint: { operator: '>=', version: '1:2' } }, { name: 'docker' }] },
        { anyOf: [{ name: 'mount' }] },
      ],
      preDepends: [{ anyOf: [{ name: 'init' }] }],
      breaks: [{ anyOf: [{ name: 'old', constraint: { operator: '<<', version: '3~' } }] }],
      provides: [{ anyOf: [{ name: 'node', constraint: { operator: '=', version: '1' } }] }],
    }),
  };
  const { metadata } = await readBytes(await writeBytes(full, directory), directory);
  expect(metadata).toEqual([
    ['Package', 'kubelet'],
    ['Source', 'kubernetes'],
    ['Version', '2:1.36.4-1'],
    ['Architecture', 'amd64'],
    ['Maintainer', 'Release Team <release@example.org>'],
    // The root, four directories and the link count 1 each, the two small files too.
    ['Installed-Size', '8'],
    ['Pre-Depends', 'init'],
    ['Depends', 'cri (>= 1:2) | docker, mount'],
    ['Breaks', 'old (<< 3~)'],
    ['Provides', 'node (= 1)'],
    ['Section', 'admin'],
    ['Priority', 'optional'],
    ['Multi-Arch', 'foreign'],
    ['Homepage', 'https://kubernetes.io'],
    ['Description', 'Kubernetes node agent\nRuns pods.\n.\nOn every node.'],
  ]);
});

test('md5sums are of all files but conffiles', async () => {
  const directory = temporaryDirectory();
  const { digests } = await readBytes(await writeBytes(layout, directory), directory);
  expect(digests).toEqual([
    { of: '/usr/bin/kubelet', algorithm: 'md5', value: createHash('md5').update('#!/bin/sh\nexit 0\n').digest('hex') },
  ]);
});

test('the same bytes however the objects come', async () => {
  const directory = temporaryDirectory();
  const bytes = Buffer.alloc(3_000_000, 'some content that goes on, ');
  const made: string[] = [];
  for (const cut of [1 << 20, 4096, 3_000_000]) {
    const written = await writeBytes(withStored(bytes), directory, 'zstd:1', object(bytes, cut));
    made.push(createHash('sha256').update(written).digest('hex'));
  }
  expect(new Set(made).size).toBe(1);
});

test('progress counts the bytes of the files', async () => {
  const bytes = Buffer.alloc(100_000);
  let counted = 0;
  const chunks = debPackager.write(withStored(bytes), {
    compression: parseCompression('gzip:1'),
    objects: object(bytes),
    spoolDirectory: temporaryDirectory(),
    onBytes: (count) => {
      counted += count;
    },
  });
  for await (const _ of chunks) {
    // Only to have it written.
  }
  expect(counted).toBe(100_000 + 'KUBELET_EXTRA_ARGS=\n'.length);
});

describe('a stored content that is not what the layout says', () => {
  const bytes = Buffer.from('the right content');
  test.each([
    ['another of the same size', Buffer.from('the wrong content'), bytes.length],
    ['longer', Buffer.from('the right content!'), bytes.length],
    ['shorter', Buffer.from('the right conten'), bytes.length],
    ['of a size that the layout has wrong', bytes, bytes.length + 1],
  ])('%s', async (_, found, size) => {
    const directory = temporaryDirectory();
    await expect(writeBytes(withStored(bytes, size), directory, 'gzip:1', object(found))).rejects.toMatchObject({
      name: 'KubeparcelError',
      kind: 'verification',
    });
    expect(readdirSync(directory)).toEqual([]);
  });
});

test('an early end leaves nothing behind', async () => {
  const directory = temporaryDirectory();
  const options = { compression: parseCompression('none'), objects: noObjects, spoolDirectory: directory };
  for await (const _ of debPackager.write(layout, options)) {
    break;
  }
  expect(readdirSync(directory)).toEqual([]);
});

test('an aborted signal ends it', async () => {
  const controller = new AbortController();
  const bytes = Buffer.alloc(5_000_000);
  const chunks = debPackager.write(withStored(bytes), {
    compression: parseCompression('zstd:1'),
    objects: object(bytes),
    spoolDirectory: temporaryDirectory(),
    signal: controller.signal,
    onBytes: () => controller.abort(new Error('enough')),
  });
  await expect(
    (async () => {
      for await (const _ of chunks) {
        // Only to have it written.
      }
    })(),
  ).rejects.toThrow('enough');
});

describe('refuses a layout that no DEB can hold', () => {
  const root = layout.entries[0] as Entry;
  const file = layout.entries.find(({ kind }) => kind === 'file') as FileEntry;
  const cases: [string, Partial<Layout>, RegExp][] = [
    ['of the other format', { format: 'rpm' }, /layout for rpm/],
    ['a file without its directory', { entries: [root, file] }, /without the directory/],
    ['a ghost', { entries: [{ ...file, path: '/x', role: 'ghost' }] }, /ghost/],
    ['a directory as a conffile', { entries: [{ ...root, role: 'config' }] }, /conffile and no file/],
    ['supplements', { relations: relations({ supplements: [{ anyOf: [{ name: 'a' }] }] }) }, /Supplements/],
    ['a revision with a hyphen', { version: { epoch: 0, upstream: '1', revision: '1-1' } }, /revision/],
    ['a version that begins with a letter', { version: { epoch: 0, upstream: 'v1', revision: '1' } }, /version/],
    ['a line break in the summary', { summary: 'a\nEssential: yes' }, /summary/],
    ['a full stop for a paragraph', { description: 'a\n.\nb' }, /full stop/],
    ['a blank line', { description: 'a\n \nb' }, /blanks/],
    ['a carriage return', { description: 'a\r\nb' }, /control character/],
    [
      'a relation with an RPM capability',
      { relations: relations({ depends: [{ anyOf: [{ name: '/bin/sh' }] }] }) },
      /not the name/,
    ],
    [
      'a relation with a broken version',
      {
        relations: relations({ depends: [{ anyOf: [{ name: 'a', constraint: { operator: '=', version: 'x y' } }] }] }),
      },
      /no version/,
    ],
    ['a scriptlet', { scripts: { post: { interpreter: '/bin/sh', body: '' } } }, /no script named post/],
    ['a Lua script', { scripts: { postinst: { interpreter: '<lua>', body: '' } } }, /no program's path/],
    ['a file from the future', { date: 1 }, /newer than the package/],
    ['an owner with a long name', { entries: [{ ...root, owner: 'x'.repeat(32) }] }, /31 bytes/],
  ];
  test.each(cases)('%s', async (_, change, message) => {
    const directory = temporaryDirectory();
    const error = await writeBytes({ ...layout, ...change }, directory).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(KubeparcelError);
    expect(error).toMatchObject({ kind: 'format', message: expect.stringMatching(message) });
  });
});
