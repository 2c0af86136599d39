import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type TreeItem, writeTree } from '../../../src/layout/tree.ts';
import type { ObjectReader } from '../../../src/model/content.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const MTIME = 1_700_000_000;
const CONTENT = Buffer.from('the content of a stored object\n');
const SHA256 = createHash('sha256').update(CONTENT).digest('hex');

const stored = { kind: 'stored', sha256: SHA256, size: CONTENT.length } as const;
const memory = (text: string) => ({ kind: 'memory', bytes: Buffer.from(text) }) as const;
const file = (
  path: string,
  mode = 0o644,
  content: typeof stored | ReturnType<typeof memory> = memory('x'),
): TreeItem => ({
  kind: 'file',
  path,
  mode,
  mtime: MTIME,
  content,
});
const directoryItem = (path: string, mode = 0o755): TreeItem => ({ kind: 'directory', path, mode, mtime: MTIME - 1 });
const link = (path: string, target: string): TreeItem => ({ kind: 'symlink', path, target, mtime: MTIME - 2 });

function objects(bytes: Uint8Array = CONTENT): ObjectReader {
  return {
    async *open() {
      yield bytes.subarray(0, 10);
      yield bytes.subarray(10);
    },
  };
}

const modeOf = (path: string) => lstatSync(path).mode & 0o7777;

describe('a tree', () => {
  const before = process.umask();
  afterEach(() => {
    process.umask(before);
  });

  test.each(['000', '022', '077'])('has the modes and mtimes of its items, with umask %s', async (umask) => {
    const out = temporaryDirectory();
    const directory = join(out, 'tree');
    const items = [
      directoryItem('closed', 0o700),
      file('closed/secret', 0o600, stored),
      file('deep/er/open', 0o666),
      directoryItem('shared', 0o1777),
      file('shared/setuid', 0o4755),
      link('shared/link', '../closed/secret'),
      directoryItem('unwritable', 0o555),
      file('unwritable/none', 0o000),
    ];
    process.umask(umask);
    await writeTree(directory, items, objects());
    process.umask(before);
    for (const item of items) {
      const path = join(directory, item.path);
      if (item.kind === 'symlink') expect(readlinkSync(path)).toBe(item.target);
      else expect(modeOf(path).toString(8), item.path).toBe(item.mode.toString(8));
      expect(lstatSync(path).mtimeMs, item.path).toBe(item.mtime * 1000);
    }
    for (const parent of ['.', 'deep', 'deep/er']) expect(modeOf(join(directory, parent)), parent).toBe(0o755);
    expect(readFileSync(join(directory, 'closed/secret'))).toEqual(CONTENT);
    expect(readdirSync(out)).toEqual(['tree']);
  });

  test('appears only when it is complete', async () => {
    const out = temporaryDirectory();
    const seen: string[][] = [];
    const watched: ObjectReader = {
      async *open() {
        seen.push(readdirSync(out).filter((name) => !name.startsWith('.')));
        yield CONTENT;
      },
    };
    await writeTree(join(out, 'tree'), [file('a'), file('b', 0o644, stored), file('c')], watched);
    expect(seen).toEqual([[]]);
    expect(readdirSync(join(out, 'tree')).sort()).toEqual(['a', 'b', 'c']);
  });

  test('creates missing parent directories', async () => {
    const directory = join(temporaryDirectory(), 'a/b/tree');
    await writeTree(directory, [file('c')], objects());
    expect(readdirSync(directory)).toEqual(['c']);
  });
});

describe('leaves nothing behind if', () => {
  test('a stored content has a different byte, fewer or more', async () => {
    const flipped = Buffer.from(CONTENT);
    flipped[12] = (flipped[12] ?? 0) ^ 1;
    for (const bytes of [flipped, CONTENT.subarray(1), Buffer.concat([CONTENT, CONTENT]), Buffer.alloc(0)]) {
      const out = temporaryDirectory();
      await expect(writeTree(join(out, 'tree'), [file('a'), file('b', 0o644, stored)], objects(bytes))).rejects.toThrow(
        expect.objectContaining({ kind: 'verification', where: expect.stringContaining(SHA256) }),
      );
      expect(readdirSync(out)).toEqual([]);
    }
  });

  test('a content cannot be read to the end', async () => {
    const out = temporaryDirectory();
    const broken: ObjectReader = {
      async *open() {
        yield CONTENT.subarray(0, 5);
        throw new Error('the disk is gone');
      },
    };
    const items = [directoryItem('closed', 0o500), file('closed/a'), file('b', 0o644, stored)];
    await expect(writeTree(join(out, 'tree'), items, broken)).rejects.toThrow('the disk is gone');
    expect(readdirSync(out)).toEqual([]);
  });
});

describe('an existing target', () => {
  const occupied: [string, (path: string) => void][] = [
    ['a directory', (path) => mkdirSync(join(path, 'theirs'), { recursive: true })],
    ['an empty directory', (path) => mkdirSync(path)],
    ['a file', (path) => writeFileSync(path, 'theirs')],
    ['a link to a directory', (path) => symlinkSync('.', path)],
    ['a link to nothing', (path) => symlinkSync('nowhere', path)],
  ];

  test.each(occupied)('%s is an error and is kept', async (_, occupy) => {
    const out = temporaryDirectory();
    const directory = join(out, 'tree');
    occupy(directory);
    const facts = lstatSync(directory);
    await expect(writeTree(directory, [file('a')], objects())).rejects.toThrow(
      expect.objectContaining({ kind: 'io', where: directory, hint: expect.stringContaining('another directory') }),
    );
    expect(readdirSync(out)).toEqual(['tree']);
    expect(lstatSync(directory)).toMatchObject({ ino: facts.ino, mtimeMs: facts.mtimeMs });
  });

  test('a file in place of a parent directory is an error', async () => {
    const out = temporaryDirectory();
    writeFileSync(join(out, 'file'), 'theirs');
    await expect(writeTree(join(out, 'file/tree'), [file('a')], objects())).rejects.toThrow(
      expect.objectContaining({ kind: 'io', where: join(out, 'file/tree') }),
    );
  });
});

describe('a tree that would reach outside', () => {
  const hostile: [string, (outside: string) => TreeItem[]][] = [
    ['a file below a link', (outside) => [link('a', outside), file('a/b')]],
    ['a directory below a link', (outside) => [link('a', outside), directoryItem('a/b', 0o777)]],
    ['a file deep below a link', (outside) => [link('a', outside), file('a/b/c')]],
    ['a link below a link', (outside) => [link('a', outside), link('a/b', '/etc')]],
    ['a link that comes after what is below it', (outside) => [file('a/b'), link('a', outside)]],
    ['a directory in the place of a link', (outside) => [link('a', outside), directoryItem('a', 0o777)]],
    ['a file below a file', () => [file('a'), file('a/b')]],
    ['a path with ..', () => [file('../outside/b')]],
    ['an absolute path', (outside) => [file(join(outside, 'b'))]],
  ];

  test.each(hostile)('%s is rejected, and nothing is written', async (_, items) => {
    const out = temporaryDirectory();
    const outside = join(out, 'outside');
    mkdirSync(outside, { mode: 0o700 });
    await expect(writeTree(join(out, 'tree'), items(outside), objects())).rejects.toThrow(
      expect.objectContaining({ kind: 'format' }),
    );
    expect(readdirSync(outside)).toEqual([]);
    expect(modeOf(outside)).toBe(0o700);
    expect(readdirSync(out)).toEqual(['outside']);
  });

  test('links are written unchanged and their targets are not touched', async () => {
    const out = temporaryDirectory();
    const outside = join(out, 'outside');
    writeFileSync(outside, 'theirs', { mode: 0o600 });
    const facts = lstatSync(outside);
    await writeTree(join(out, 'tree'), [link('a', outside), link('b', '../outside')], objects());
    expect(readlinkSync(join(out, 'tree/a'))).toBe(outside);
    expect(lstatSync(join(out, 'tree/b')).mtimeMs).toBe((MTIME - 2) * 1000);
    expect(lstatSync(outside)).toMatchObject({ mode: facts.mode, mtimeMs: facts.mtimeMs });
  });
});
