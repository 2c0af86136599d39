import { execFileSync, spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readToml, type TomlValue } from '../../../../src/confgen/text/toml.ts';
import { noise } from '../../../support/noise.ts';

function plain(value: TomlValue): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  if (Array.isArray(value)) return value.map(plain);
  return value;
}

function read(text: string): unknown {
  const result = readToml(text);
  return result.kind === 'table' ? plain(result.table) : `line ${result.line}: ${result.reason}`;
}

const VALID: readonly (readonly [string, unknown])[] = [
  ['', {}],
  ['# only\n\n', {}],
  ['version = 2\n', { version: 2 }],
  ['\ufeffa = 1\r\nb = 2\r\n', { a: 1, b: 2 }],
  ['a = "x\\ty\\u00e9\\"" # comment', { a: 'x\tyé"' }],
  ["a = 'C:\\n'", { a: 'C:\\n' }],
  ['a = """\none\\\n   two\n"quoted" """', { a: 'onetwo\n"quoted" ' }],
  ["a = '''\nit's'''", { a: "it's" }],
  ['a = """x"""""', { a: 'x""' }],
  ['a = [1, 2,\n # c\n 3,\n]', { a: [1, 2, 3] }],
  ['a = { b = 1, c.d = "x" }', { a: { b: 1, c: { d: 'x' } } }],
  ['a.b."c.d" = true', { a: { b: { 'c.d': true } } }],
  ['[a."io.x".b]\nc = false\n[a]\nd = 1', { a: { 'io.x': { b: { c: false } }, d: 1 } }],
  ['[[a]]\nb = 1\n[[a]]\n[a.c]\nd = 2', { a: [{ b: 1 }, { c: { d: 2 } }] }],
  ['[f]\na.b = 1\n[f.a.c]\nd = 1', { f: { a: { b: 1, c: { d: 1 } } } }],
  ['a = 0x1F\nb = 1_000\nc = -5\nd = 0o7', { a: 31, b: 1000, c: -5, d: 7 }],
  ['t = 1979-05-27 07:32:00Z', { t: { written: '1979-05-27 07:32:00Z' } }],
  ['f = 1.5e3', { f: { written: '1.5e3' } }],
  ['__proto__ = 1\n[constructor]\nx = 2', JSON.parse('{"__proto__":1,"constructor":{"x":2}}')],
];

const INVALID: readonly (readonly [string, number])[] = [
  ['a', 1],
  ['a = ', 1],
  ['a = 1 b = 2', 1],
  ['\na = 1\na = 2', 3],
  ['[a]\n[a]', 2],
  ['a = {}\n[a.b]', 2],
  ['a = []\n[[a]]', 2],
  ['[a]\nb.c = 1\n[a.b]', 3],
  ['a = "x\ny"', 1],
  ['a = "\\x"', 1],
  ['a = "\\ud800"', 1],
  ['a = yes', 1],
  ['a = 01', 1],
  ['a = "\u0001"', 1],
  ['[a', 1],
  ['[[a]\n', 1],
  ['a = {b = 1\n}', 1],
  ['a = {b = 1,}', 1],
  ['"""a""" = 1', 1],
  [`a = ${'['.repeat(100_000)}`, 1],
];

describe('TOML', () => {
  it.each(VALID)('reads %j', (text, value) => {
    expect(read(text)).toEqual(value);
  });

  it.each(INVALID)('refuses %.60j on its line', (text, line) => {
    expect(readToml(text)).toMatchObject({ kind: 'invalid', line });
  });

  it('is bounded', () => {
    const started = Date.now();
    for (const text of ['a', '[a]\n', '[[a]]\n', '"', "'''", '[', '{', 'a={', '#', '\\', 'a.', '="""\\\n ']) {
      readToml(text.repeat(1_000_000 / text.length));
    }
    readToml(Array.from({ length: 60_000 }, (_, at) => `k${at} = ${at}`).join('\n'));
    expect(Date.now() - started).toBeLessThan(2_000);
  });

  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(noise(), soup()), (text) => {
        expect(['table', 'invalid']).toContain(readToml(text).kind);
      }),
      { numRuns: 2_000 },
    );
  });
});

const python = spawnSync('python3', ['-c', 'import tomllib'], { stdio: 'ignore' }).status === 0;

/** What Python's tomllib says of each text: its value as JSON, or null where it refuses. */
function oracle(texts: readonly string[]): readonly unknown[] {
  const program = `
import json, sys, tomllib
def shape(v):
    if isinstance(v, dict): return {k: shape(x) for k, x in v.items()}
    if isinstance(v, list): return [shape(x) for x in v]
    return v if isinstance(v, (str, bool)) or isinstance(v, int) and abs(v) < 2**53 else "written"
def one(t):
    try: return shape(tomllib.loads(t))
    except Exception: return None
print(json.dumps([one(t) for t in json.load(sys.stdin)]))`;
  const out = execFileSync('python3', ['-c', program], { input: JSON.stringify(texts), maxBuffer: 1 << 26 });
  return JSON.parse(out.toString()) as readonly unknown[];
}

function withoutWritten(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutWritten);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  if (entries.length === 1 && entries[0]?.[0] === 'written') return 'written';
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutWritten(item)]));
}

/** Pieces of TOML in any order: much of it is almost right. */
function soup(): fc.Arbitrary<string> {
  const pieces = [
    'a',
    'b',
    '"c"',
    "'d'",
    '.',
    ' = ',
    '\n',
    '\n',
    '[',
    ']',
    '[[',
    ']]',
    '{',
    '}',
    ',',
    ' ',
    '"""',
    "'''",
  ];
  const more = [
    '1',
    '-2',
    '0x1f',
    '1.5',
    'true',
    '\\',
    '\\n',
    '#',
    '1979-05-27',
    'T07:32:00Z',
    '\n[a.b]\n',
    '\na.b = 1\n',
  ];
  const lines = [
    '\n[[a]]\n',
    '\na = {b = 1}\n',
    '\n[a]\n',
    '\na = []\n',
    'b = "x"\n',
    '\nb.a = 1\n',
    '\n[b]\n',
    '\n[b.a]\n',
  ];
  return fc.array(fc.constantFrom(...pieces, ...more, ...lines), { maxLength: 14 }).map((parts) => parts.join(''));
}

describe.skipIf(!python)('TOML against tomllib (python3 >= 3.11)', () => {
  it('reads and refuses the same', () => {
    const samples = fc.sample(soup(), 4_000);
    const texts = [
      ...VALID.map(([text]) => text.replace('\ufeff', '')),
      ...INVALID.slice(0, -1).map(([text]) => text),
    ].concat(samples);
    const mine = texts.map((text) => {
      const result = readToml(text);
      return { text, value: result.kind === 'table' ? withoutWritten(plain(result.table)) : null };
    });
    const theirs = oracle(texts);
    expect(mine).toEqual(texts.map((text, at) => ({ text, value: theirs[at] })));
  });
});
