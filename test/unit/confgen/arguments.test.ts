import { expect, test } from 'vitest';
import { type Flag, flagHelp, parseArguments, shown } from '../../../src/confgen/text/arguments.ts';

const FLAGS: readonly Flag[] = [
  { name: 'kind', value: 'KIND', choices: ['init', 'join'], help: 'which' },
  { name: 'hash', aliases: ['ca-hash'], value: 'HASH', help: 'of the CA' },
  { name: 'quiet', help: 'say less' },
  { name: 'help', help: 'say more' },
];

test('flags in both spellings, aliases, words, and the end of flags', () => {
  const argv = ['a', '--kind', 'init', '--ca-hash=x=y', '--quiet', '-', '--kind=join', '--', '--quiet'];
  expect(parseArguments(argv, FLAGS)).toEqual({
    words: ['a', '-', '--quiet'],
    values: { kind: 'join', hash: 'x=y', quiet: '' },
    fault: undefined,
  });
  expect(parseArguments(['-h'], FLAGS).values.help).toBe('');
});

test.each([
  [['--nonsense'], 'there is no flag --nonsense'],
  [['--kind'], '--kind needs a value (init, join)'],
  [['--hash', '--quiet'], '--hash needs a value (HASH)'],
  [['--hash='], '--hash needs a value (HASH)'],
  [['--kind', 'other'], '--kind is one of init, join, not other'],
  [['--quiet=yes'], '--quiet takes no value'],
  [['--constructor'], 'there is no flag --constructor'],
])('%j: %s', (argv, fault) => {
  expect(parseArguments(argv, FLAGS).fault).toBe(fault);
});

test('help has a line for each flag, and words from outside cannot steer a terminal', () => {
  expect(flagHelp(FLAGS)).toContain('  --kind init|join  which\n');
  expect(shown('\u001b[31m\n')).toBe('?[31m?');
  expect(shown('x'.repeat(1000))).toHaveLength(80);
});
