import { execaSync } from 'execa';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareDebVersions } from '../../src/deb/version.ts';
import { compareEvr, compareRpmVersions } from '../../src/rpm/version.ts';
import { hasTool } from '../support/tools.ts';

/** Short words of few characters, so that many pairs share a start. */
const rpmWord = fc.string({
  unit: fc.constantFrom(...'0', '1', '2', '9', '00', '10', 'a', 'b', 'rc', 'B', '.', '_', '~', '^', '+'),
  minLength: 1,
  maxLength: 6,
});
const debText = fc.string({ unit: fc.constantFrom('0', '1', '9', 'a', 'z', 'rc', 'Z', '.', '+', '~'), maxLength: 4 });
const debEpoch = fc.constantFrom('', '', '0:', '1:');
const debRevision = fc.constantFrom('', '-0', '-1', '-1~debian11', '-1.1', '-00', '-a', '-~');

const rpmPair: fc.Arbitrary<[string, string]> = fc.oneof(
  fc.tuple(rpmWord, rpmWord),
  fc.tuple(rpmWord, rpmWord, rpmWord).map(([a, b, c]): [string, string] => [a + b, a + c]),
);
const debPair: fc.Arbitrary<[string, string]> = fc
  .tuple(debText, debText, debText, debEpoch, debEpoch, debRevision, debRevision)
  .map(([start, a, b, epochA, epochB, revisionA, revisionB]) => [
    `${epochA}1${start}${a}${revisionA}`,
    `${epochB}1${start}${b}${revisionB}`,
  ]);

describe.skipIf(!hasTool('rpm'))('RPM versions', () => {
  test('have the same order as in rpm', () => {
    const cases = fc.sample(rpmPair, { numRuns: 2000, seed: 20 });
    const calls = cases.map(([a, b]) => `print(rpm.vercmp("${a}", "${b}") .. " ")`).join(' ');
    const answers = execaSync('rpm', ['--eval', `%{lua: ${calls} }`])
      .stdout.trim()
      .split(/\s+/)
      .map(Number);
    expect(answers).toHaveLength(cases.length);
    const wrong = cases.filter(([a, b], at) => Math.sign(compareRpmVersions(a, b)) !== answers[at]);
    expect(wrong).toEqual([]);
    expect(new Set(answers)).toEqual(new Set([-1, 0, 1]));
  });

  test('the epoch is compared first; a missing release is ignored', () => {
    expect(compareEvr('1:1.0-1', '2.0-1')).toBeGreaterThan(0);
    expect(compareEvr('0:1.0-1', '1.0-1')).toBe(0);
    expect(compareEvr('1.0', '1.0-7')).toBe(0);
    expect(compareEvr('1.0-2', '1.0-10')).toBeLessThan(0);
    expect(compareEvr(':1.0', '1.0')).toBe(0);
  });
});

describe.skipIf(!hasTool('dpkg'))('Debian versions', () => {
  test('have the same order as in dpkg', () => {
    const cases = fc.sample(debPair, { numRuns: 400, seed: 20 });
    const script = cases
      .map(
        ([a, b]) =>
          `if dpkg --compare-versions '${a}' lt '${b}'; then echo -1; elif dpkg --compare-versions '${a}' eq '${b}'; then echo 0; else echo 1; fi`,
      )
      .join('\n');
    const answers = execaSync('sh', ['-s'], { input: script }).stdout.trim().split(/\s+/).map(Number);
    expect(answers).toHaveLength(cases.length);
    const wrong = cases.filter(([a, b], at) => Math.sign(compareDebVersions(a, b)) !== answers[at]);
    expect(wrong).toEqual([]);
    expect(new Set(answers)).toEqual(new Set([-1, 0, 1]));
  });
});
