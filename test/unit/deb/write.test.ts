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

/** The sample layout with its binary as a stored object. */
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

test('file names do not contain the epoch', () => {
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
    // 1 each for the root, four directories, the link and the two small files.
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

test('md5sums lists all files except conffiles', async () => {
  const directory = temporaryDirectory();
  const { digests } = await readBytes(await writeBytes(layout, directory), directory);
  expect(digests).toEqual([
    { of: '/usr/bin/kubelet', algorithm: 'md5', value: createHash('md5').update('#!/bin/sh\nexit 0\n').digest('hex') },
  ]);
});

test('the bytes do not depend on how objects are chunked', async () => {
  const directory = temporaryDirectory();
  const bytes = Buffer.alloc(3_000_000, 'some content that goes on, ');
  const made: string[] = [];
  for (const cut of [1 << 20, 4096, 3_000_000]) {
    const written = await writeBytes(withStored(bytes), directory, 'zstd:1', object(bytes, cut));
    made.push(createHash('sha256').update(written).digest('hex'));
  }
  expect(new Set(made).size).toBe(1);
});

test('progress counts the bytes of all files', async () => {
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
    // Discard the output.
  }
  expect(counted).toBe(100_000 + 'KUBELET_EXTRA_ARGS=\n'.length);
});

describe('fails for a stored content that differs from the layout', () => {
  const bytes = Buffer.from('the right content');
  test.each([
    ['different bytes of the same size', Buffer.from('the wrong content'), bytes.length],
    ['longer', Buffer.from('the right content!'), bytes.length],
    ['shorter', Buffer.from('the right conten'), bytes.length],
    ['a wrong size in the layout', bytes, bytes.length + 1],
  ])('%s', async (_, found, size) => {
    const directory = temporaryDirectory();
    await expect(writeBytes(withStored(bytes, size), directory, 'gzip:1', object(found))).rejects.toMatchObject({
      name: 'KubeparcelError',
      kind: 'verification',
    });
    expect(readdirSync(directory)).toEqual([]);
  });
});

test('stopping early leaves no files behind', async () => {
  const directory = temporaryDirectory();
  const options = { compression: parseCompression('none'), objects: noObjects, spoolDirectory: directory };
  for await (const _ of debPackager.write(layout, options)) {
    break;
  }
  expect(readdirSync(directory)).toEqual([]);
});

test('an aborted signal stops writing', async () => {
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
        // Discard the output.
      }
    })(),
  ).rejects.toThrow('enough');
});

describe('rejects a layout that a DEB cannot represent', () => {
  const root = layout.entries[0] as Entry;
  const file = layout.entries.find(({ kind }) => kind === 'file') as FileEntry;
  const cases: [string, Partial<Layout>, RegExp][] = [
    ['a layout for RPM', { format: 'rpm' }, /layout is for rpm/],
    ['a file without its parent directory', { entries: [root, file] }, /parent directory of .* is not listed/],
    ['a ghost', { entries: [{ ...file, path: '/x', role: 'ghost' }] }, /ghost/],
    ['a directory as a conffile', { entries: [{ ...root, role: 'config' }] }, /conffile but not a regular file/],
    ['supplements', { relations: relations({ supplements: [{ anyOf: [{ name: 'a' }] }] }) }, /supplements/],
    ['a revision with a hyphen', { version: { epoch: 0, upstream: '1', revision: '1-1' } }, /revision/],
    ['a version that begins with a letter', { version: { epoch: 0, upstream: 'v1', revision: '1' } }, /version/],
    ['a line break in the summary', { summary: 'a\nEssential: yes' }, /summary/],
    ['a line with only a full stop', { description: 'a\n.\nb' }, /contains a line "."/],
    ['a line of whitespace', { description: 'a\n \nb' }, /line of whitespace/],
    ['a carriage return', { description: 'a\r\nb' }, /control character/],
    [
      'a relation with an RPM capability',
      { relations: relations({ depends: [{ anyOf: [{ name: '/bin/sh' }] }] }) },
      /depends: invalid package name/,
    ],
    [
      'a relation with an invalid version',
      {
        relations: relations({ depends: [{ anyOf: [{ name: 'a', constraint: { operator: '=', version: 'x y' } }] }] }),
      },
      /depends: invalid version/,
    ],
    [
      'a scriptlet',
      { scripts: { post: { interpreter: '/bin/sh', body: '' } } },
      /does not support a script named post/,
    ],
    ['a Lua script', { scripts: { postinst: { interpreter: '<lua>', body: '' } } }, /not an absolute path/],
    ['a file newer than the package', { date: 1 }, /newer than the package/],
    ['an owner with a long name', { entries: [{ ...root, owner: 'x'.repeat(32) }] }, /31 bytes/],
  ];
  test.each(cases)('%s', async (_, change, message) => {
    const directory = temporaryDirectory();
    const error = await writeBytes({ ...layout, ...change }, directory).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(KubeparcelError);
    expect(error).toMatchObject({ kind: 'format', message: expect.stringMatching(message) });
  });
});
