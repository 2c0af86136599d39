import { describe, expect, test } from 'vitest';
import { renderFailure } from '../../../src/cli/render/failure.ts';
import { renderAdded, renderRemoved, renderVerified } from '../../../src/cli/render/repo.ts';
import type { RepositoryPackage } from '../../../src/repo/model/repository.ts';
import { KubeparcelError } from '../../../src/support/errors.ts';
import { plural } from '../../../src/support/plural.ts';

describe('a failure', () => {
  test('is shown with place and hint, aligned', () => {
    const error = new KubeparcelError('config', 'unknown key "a"', { where: 'k.yaml:1:1', hint: 'remove it' });
    expect(renderFailure(error)).toEqual({
      text: 'kubeparcel: unknown key "a"\n  where: k.yaml:1:1\n  hint:  remove it',
      exitStatus: 3,
    });
  });

  test('of the file system is shown with its path and a hint', () => {
    const error = Object.assign(new Error('x'), { code: 'ENOSPC', syscall: 'write', path: '/a' });
    expect(renderFailure(error)).toEqual({
      text: 'kubeparcel: no space left on the device (write)\n  where: /a\n  hint:  free some space or choose a directory on another disk',
      exitStatus: 7,
    });
  });

  test('of kubeparcel itself asks for a report and includes the stack', () => {
    const { text, exitStatus } = renderFailure(new TypeError('x is undefined'));
    expect(exitStatus).toBe(1);
    expect(text).toMatch(
      /^kubeparcel: this is a bug in kubeparcel; please report it with the following\nTypeError: x is undefined\n {4}at /,
    );
  });
});

test.each([
  [0, '0 indices'],
  [1, '1 index'],
  [2, '2 indices'],
])('the plural of %i', (count, text) => {
  expect(plural(count, 'index', 'indices')).toBe(text);
});

describe('a repository', () => {
  const kubelet: RepositoryPackage = {
    format: 'deb',
    name: 'kubelet',
    version: '1.36.4-1',
    architecture: 'amd64',
    file: 'kubelet_1.36.4-1_amd64.deb',
    size: 1,
    sha256: '00',
    channels: { testing: ['1.36'], stable: ['1.36'] },
  };
  const change = { written: [], removed: [], unchanged: 2, copies: 0 };
  const rows = (text: string) => text.split('\n').map((line) => line.split(/ {2,}/).at(-1));

  test('shows the minors of added packages', () => {
    const text = renderAdded('site', { ...change, added: [kubelet], known: 0 }, { channel: 'stable' });
    expect(rows(text).slice(0, 2)).toEqual(['Minors', '1.36']);
  });

  test('shows only the channels from which packages were removed', () => {
    const result = { ...change, taken: [kubelet] };
    expect(rows(renderRemoved(result, undefined, false)).slice(0, 2)).toEqual(['Channels', 'testing stable']);
    expect(rows(renderRemoved(result, 'testing', false)).slice(0, 2)).toEqual(['Channels', 'testing']);
  });

  test('that other keys signed is not called unsigned', () => {
    const report = { findings: [], packages: 1, views: 2, files: 3, keys: [], ownKeys: false };
    expect(renderVerified('site', report)).toContain('Not signed by the given keys.');
    expect(renderVerified('site', { ...report, ownKeys: true })).toContain('Not signed.');
  });
});
