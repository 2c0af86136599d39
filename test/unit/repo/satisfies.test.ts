import { describe, expect, test } from 'vitest';
import { richHolds, satisfies } from '../../../src/repo/closure/satisfies.ts';

const holds = (expression: string) => richHolds(expression, ({ name }) => name.startsWith('yes'));

describe('rich dependencies', () => {
  test.each([
    ['(yes or no)', true],
    ['(no or no2)', false],
    ['(yes and no)', false],
    ['(yes and yes2 and yes3)', true],
    ['(no if no2)', true],
    ['(no if yes)', false],
    ['(no if yes else yes2)', false],
    ['(no if no2 else yes2)', true],
    ['(no unless yes)', true],
    ['(yes with yes2)', true],
    ['(yes without no)', true],
    ['((yes or no) and (no or yes()(64bit) >= 1.0))', true],
    ['(yes >= 1.0-1 or no < 2)', true],
  ])('%s: %s', (expression, expected) => expect(holds(expression)).toBe(expected));

  test.each(['(a', 'a', '(a or)', '(a or b and c)', '(a b)', '()', '(a) b', '(or a)', '(a >=)', '('.repeat(5000)])(
    '%s is refused',
    (expression) => expect(() => holds(expression)).toThrow('not a rich dependency'),
  );
});

describe('version ranges of RPM relations overlap as in rpmds.c', () => {
  const rpm = (required: string, has: string) => {
    const [, operator, version = ''] = /^(\S+) (\S+)$/.exec(required) ?? [];
    const [, own, provided = ''] = /^(\S+) (\S+)$/.exec(has) ?? [];
    const constraint = { operator: operator as '=', version };
    return satisfies('rpm', { name: 'x', constraint }, { name: 'x', version: provided, operator: own as '=' });
  };
  test.each([
    ['>= 1', '= 1-5', true],
    ['>> 1', '= 1-5', false],
    ['= 1-4', '= 1-5', false],
    ['= 1', '= 1-5', true],
    ['<< 2', '>= 1', true],
    ['<< 1', '>= 1', false],
    ['>= 3', '<< 2', false],
    ['= 1:1', '= 1', false],
  ])('required %s, provided %s: %s', (required, has, expected) => expect(rpm(required, has)).toBe(expected));
});
