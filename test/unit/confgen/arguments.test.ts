import { expect, test } from 'vitest';
import { type Flag, flagHelp, parseArguments, sanitize } from '../../../src/confgen/text/arguments.ts';

const FLAGS: readonly Flag[] = [
  { name: 'kind', value: 'KIND', choices: ['init', 'join'], help: 'kind' },
  { name: 'hash', aliases: ['ca-hash'], value: 'HASH', help: 'hash of the CA' },
  { name: 'quiet', help: 'less output' },
  { name: 'help', help: 'more output' },
];

test('parses flags in both forms, aliases, positional arguments and --', () => {
  const argv = ['a', '--kind', 'init', '--ca-hash=x=y', '--quiet', '-', '--kind=join', '--', '--quiet'];
  expect(parseArguments(argv, FLAGS)).toEqual({
    words: ['a', '-', '--quiet'],
    values: { kind: 'join', hash: 'x=y', quiet: '' },
    error: undefined,
  });
  expect(parseArguments(['-h'], FLAGS).values.help).toBe('');
});

test.each([
  [['--nonsense'], 'unknown flag --nonsense'],
  [['--kind'], '--kind needs a value: init, join'],
  [['--hash', '--quiet'], '--hash needs a value: HASH'],
  [['--hash='], '--hash needs a value: HASH'],
  [['--kind', 'other'], 'invalid --kind other; expected init, join'],
  [['--quiet=yes'], '--quiet does not take a value'],
  [['--constructor'], 'unknown flag --constructor'],
])('reports for %j: %s', (argv, error) => {
  expect(parseArguments(argv, FLAGS).error).toBe(error);
});

test('help has one line for each flag, and sanitize removes control characters and limits the length', () => {
  expect(flagHelp(FLAGS)).toContain('  --kind init|join  kind\n');
  expect(sanitize('\u001b[31m\n')).toBe('?[31m?');
  expect(sanitize('x'.repeat(1000))).toHaveLength(80);
  expect(sanitize('')).toBe("''");
});
