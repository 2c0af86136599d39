import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rootFlag } from '../../../src/confgen/commands/main.ts';
import { nodeHost } from '../../../src/confgen/host/node-host.ts';
import { hostFixture, snapshot } from '../../support/host-fixture.ts';
import { hostOperations } from '../../support/host-operations.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

async function results(): Promise<{ of: (name: string) => unknown; tree: string[]; outside: string[] }> {
  const directory = temporaryDirectory();
  const { root, close } = await hostFixture(directory);
  const found = new Map(JSON.parse(hostOperations(nodeHost(root))) as [string, unknown][]);
  const tree = snapshot(root);
  await close();
  return {
    of: (name) => {
      if (!found.has(name)) throw new Error(`no operation ${name}`);
      return found.get(name);
    },
    tree,
    outside: snapshot(join(directory, 'outside')),
  };
}

const text = (value: string) => ({ kind: 'text', text: value });
const absent = { kind: 'absent' };
const unreadable = (reason: string) => ({ kind: 'unreadable', reason });

test('reads text, resolves links inside the root, and limits sizes', async () => {
  const { of } = await results();
  for (const path of ['/etc/plain', 'etc//./plain', '/etc/../etc/plain', '/../../etc/plain']) {
    expect(of(`read ${path}`), path).toEqual(text('plain\n'));
  }
  for (const name of ['relative', 'absolute', 'directory/plain']) {
    expect(of(`read /links/${name}`), name).toEqual(text('plain\n'));
  }
  for (const name of ['out', 'out-absolute', 'loop', 'dangling']) {
    expect(of(`read /links/${name}`), name).toEqual(absent);
    expect(of(`stat /links/${name}`), name).toEqual({ kind: 'symlink', mode: 0o777 });
  }
  expect(of('readLink /links/relative')).toBe('../etc/plain');
  expect(of('read /etc/bom')).toEqual(text('\uFEFFbom'));
  expect(of('read /etc/nul')).toEqual(text('a\0b'));
  expect(of('read /etc/astral')).toEqual(text('\u{10FFFF}\u{1F600}\u07FF\u0800\uD7FF\uE000'));
  for (const name of ['latin1', 'overlong', 'surrogate', 'cut']) {
    expect(of(`read /etc/${name}`), name).toEqual(unreadable('not UTF-8'));
  }
  expect(of('read /etc')).toEqual(unreadable('is a directory'));
  expect(of('read /pipe')).toEqual(unreadable('not a regular file'));
  expect(of('stat /pipe')).toMatchObject({ kind: 'other' });
  expect(of('stat /socket')).toMatchObject({ kind: 'socket' });
  for (const path of ['/no/such', '/etc/plain/below', '/etc/plain\0']) expect(of(`read ${path}`)).toEqual(absent);
  expect(of('read up to 9')).toEqual({ kind: 'too-large', limit: 9 });
  expect(of('read up to 10')).toEqual(text('0123456789'));
  expect(of('read a large file')).toEqual({ kind: 'too-large', limit: 1 << 20 });
  expect(of('list /')).toEqual(['etc', 'links', 'pipe', 'socket']);
  expect(of('list /etc/plain')).toBe('undefined');
  expect(of('hostName')).toBe('node-b');
});

test('writes complete files with their modes, nothing outside the root, and leaves no temporary files', async () => {
  const { of, tree, outside } = await results();
  expect(outside).toEqual(['/secret 644 "secret"']);
  expect(tree).toContain(`/new/a/b 640 ${JSON.stringify('né\0w\u{1F600}')}`);
  expect(tree).toContain('/new/a 755');
  expect(tree).toContain('/etc/plain 600 "other"');
  expect(tree).toContain('/etc/made 644 "made"');
  expect(tree).toContain('/links/out 644 "mine"');
  expect(tree.filter((line) => line.includes('inside'))).toHaveLength(1);
  expect(tree.filter((line) => line.includes('.tmp') || line.includes('half'))).toEqual([]);
  expect(tree.some((line) => line.startsWith('/etc/empty') || line.startsWith('/links/absolute'))).toBe(false);
  for (const name of ['over a directory', 'over the root', 'below a file', 'into a loop', 'a lone surrogate']) {
    expect(of(`write ${name}`), name).toMatch(/^throws cannot write .*: /);
  }
  expect(of('remove a missing file')).toBe('undefined');
  expect(of('remove a directory')).toMatch(/^throws cannot remove \/etc: /);
});

test('reads this machine: files without a size in stat, and the host name', () => {
  const host = nodeHost();
  expect(host.read('/proc/sys/kernel/ostype')).toEqual(text('Linux\n'));
  expect(host.stat('/')).toMatchObject({ kind: 'directory' });
  expect(host.hostName()).toBe(hostname());
});

test.each([
  [['plan'], '/'],
  [['--root', '/a', 'plan'], '/a'],
  [['plan', '--root=/a', '--root', '/b'], '/b'],
  [['plan', '--', '--root', '/a'], '/'],
  [['plan', '--root'], '/'],
])('--root in %j is %s', (argv, root) => {
  expect(rootFlag(argv)).toBe(root);
});
