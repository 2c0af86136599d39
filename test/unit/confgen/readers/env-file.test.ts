import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readEnvFile, readFlags, splitWords } from '../../../../src/confgen/text/env-file.ts';
import { noise } from '../../../support/noise.ts';

describe('environment files (systemd.exec(5))', () => {
  it.each<readonly [string, Record<string, string>]>([
    ['', {}],
    ['A=b', { A: 'b' }],
    ['A=b\nA=c\n', { A: 'c' }],
    ['  A = b c  \n', { A: 'b c' }],
    ['# A=b\n; B=c\nC=d', { C: 'd' }],
    ['A=b # c', { A: 'b # c' }],
    ['A="b c"', { A: 'b c' }],
    ['A=\'b "c" \\n\'', { A: 'b "c" \\n' }],
    ['A="b"\'c\' "d"', { A: 'bcd' }],
    ['A=b"c"', { A: 'b"c"' }],
    ['A="b\\"c\\$d\\n"', { A: 'b"c$d\\n' }],
    ['A=b\\ c\\\nd', { A: 'b cd' }],
    ['A="b \\\n c"', { A: 'b  c' }],
    ['A="b\nc"\nD=e', { A: 'b\nc', D: 'e' }],
    ['A="b\nC=d', { A: 'b\nC=d' }],
    ['A=\nB=c', { A: '', B: 'c' }],
    ['A=b\r\nC=d\r\n', { A: 'b', C: 'd' }],
    ['export A=b\n1A=c\nA-B=d\nno line\n=e', {}],
    ['__proto__=a', JSON.parse('{"__proto__":"a"}')],
  ])('are parsed: %j', (text, values) => {
    expect(Object.fromEntries(readEnvFile(text))).toEqual(values);
  });

  it('are split into words like a variable in ExecStart=', () => {
    expect(splitWords(' --a=b  "c d" \'e f\'g \\"h "" i\\ j ')).toEqual(['--a=b', 'c d', 'e fg', '"h', '', 'i j']);
    expect(splitWords('"open')).toEqual(['open']);
  });

  it('contain flags, parsed like the kubelet does', () => {
    const words = ['--a=b', '--c', 'd', '--e', '--f_g=', '-v=2', '-v', '3', '-v4', 'stray', '--', '--h=i=j'];
    expect(readFlags(words)).toEqual({
      flags: [
        { name: 'a', value: 'b' },
        { name: 'c', value: 'd' },
        { name: 'e', value: undefined },
        { name: 'f-g', value: '' },
        { name: 'v', value: '2' },
        { name: 'v', value: '3' },
        { name: 'v', value: '4' },
        { name: 'h', value: 'i=j' },
      ],
      strays: ['stray', '--'],
    });
  });

  it('preserve every value in shell quotes', () => {
    fc.assert(
      fc.property(noise(), (value) => {
        const quoted = `A="${value.replace(/["\\`$]/g, '\\$&')}"\nB=c\n`;
        expect(Object.fromEntries(readEnvFile(quoted))).toEqual({ A: value, B: 'c' });
      }),
      { numRuns: 1_000 },
    );
  });

  it('are parsed in linear time, without exceptions', () => {
    const started = Date.now();
    for (const text of [
      'A',
      'A\n',
      'A=',
      'A="',
      "A='b'\n",
      '\\',
      '"',
      '#',
      '#\n',
      '=',
      'A=\\\n',
      ' ',
      '-- ',
      '--a b ',
    ]) {
      const long = text.repeat(1_000_000 / text.length);
      readEnvFile(long);
      readFlags(splitWords(long));
    }
    expect(Date.now() - started).toBeLessThan(8_000);
    fc.assert(
      fc.property(noise(), (text) => {
        for (const [, value] of readEnvFile(text)) readFlags(splitWords(value));
      }),
    );
  });
});
