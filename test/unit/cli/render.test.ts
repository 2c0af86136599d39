import { describe, expect, test } from 'vitest';
import { renderFailure } from '../../../src/cli/render/failure.ts';
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
