import { execFileSync, spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readToml } from '../../../../src/confgen/text/toml.ts';
import { noise } from '../../../support/noise.ts';

/** A document as JSON; dates and large integers become strings. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? `${item}` : item)));
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
  ['a = 9007199254740993', { a: '9007199254740993' }],
  ['t = 1979-05-27 07:32:00Z', { t: '1979-05-27T07:32:00.000Z' }],
  ['f = 1.5e3', { f: 1500 }],
  ['a = {b = 1,\n}', { a: { b: 1 } }],
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
  ['"""a""" = 1', 1],
  [`a = ${'['.repeat(100_000)}`, 1],
];

describe('readToml', () => {
  it.each(VALID)('parses %j', (text, value) => {
    const result = readToml(text);
    expect(result.kind === 'table' ? plain(result.table) : result).toEqual(value);
  });

  it.each(INVALID)('reports the line of the error in %.60j', (text, line) => {
    expect(readToml(text)).toMatchObject({ kind: 'invalid', line });
  });

  it('gives tables without inherited keys', () => {
    const result = readToml('a = 1');
    expect(result.kind === 'table' && Object.getPrototypeOf(result.table)).toBe(null);
  });

  it.each<readonly [string, string]>([
    ...['a', '[a]\n', '[[a]]\n', '"', "'''", '[', '{', 'a={', '#', '\\', 'a.', '="""\\\n ', '# ===\n', '\r\n'].map(
      (unit) => ['', unit] as const,
    ),
    ['a = [', '[],'],
    ['a = [', '{},'],
    ['a = ', '1'],
    ['a = 0x', 'f'],
    ['a = 00:00:00.', '1'],
    ['a = "', '\\n'],
    ['a = "', '\\u0041'],
    ['a = """', '\\\n'],
  ])('parses or rejects %j and 1 MB of %j within a second', (start, unit) => {
    const text = start + unit.repeat(1_000_000 / unit.length);
    const started = Date.now();
    const { kind } = readToml(text);
    expect(Date.now() - started).toBeLessThan(1_000);
    expect(['table', 'invalid']).toContain(kind);
  });

  it.each([
    ['keys', (at: number) => `k${at} = ${at}`],
    ['tables', (at: number) => `[t${at}]`],
    ['values', (at: number) => `${at === 0 ? 'a = [' : ''}1,`],
  ])('rejects a file with 6,000 %s', (_, line) => {
    expect(readToml(Array.from({ length: 6_000 }, (_each, at) => line(at)).join('\n'))).toEqual({
      kind: 'invalid',
      line: 1,
      reason: 'the file has too many keys and values',
    });
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.oneof(noise(), soup()), (text) => {
        expect(['table', 'invalid']).toContain(readToml(text).kind);
      }),
      { numRuns: 2_000 },
    );
  });
});

const python = spawnSync('python3', ['-c', 'import tomllib'], { stdio: 'ignore' }).status === 0;

/** The result of Python's tomllib for each text: its value as JSON, or null for an error. */
function oracle(texts: readonly string[]): readonly unknown[] {
  const program = `
import json, sys, tomllib
def shape(v):
    if isinstance(v, dict): return {k: shape(x) for k, x in v.items()}
    if isinstance(v, list): return [shape(x) for x in v]
    return v if isinstance(v, (str, bool)) or isinstance(v, int) and abs(v) < 2**53 else "other"
def one(t):
    try: return shape(tomllib.loads(t))
    except Exception: return None
print(json.dumps([one(t) for t in json.load(sys.stdin)]))`;
  const out = execFileSync('python3', ['-c', program], { input: JSON.stringify(texts), maxBuffer: 1 << 26 });
  return JSON.parse(out.toString()) as readonly unknown[];
}

/** Floats, dates and large integers become 'other', as in `oracle`. */
function comparable(value: unknown, text: string): unknown {
  if (Array.isArray(value)) return value.map((item) => comparable(item, text));
  if (value instanceof Date || typeof value === 'bigint') return 'other';
  if (typeof value === 'number') return Number.isInteger(value) && !/[0-9]e[0-9]/.test(text) ? value : 'other';
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, comparable(item, text)]));
}

/** TOML 1.1 allows line breaks, comments and a final comma in inline tables; tomllib reads TOML 1.0. */
const TOML_1_1 = /\{[^}]*[\n#]|,\s*\}/;

/** Fragments of TOML in any order: many results are almost valid. */
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

describe.skipIf(!python)('readToml and tomllib (python3 >= 3.11)', () => {
  it('accept the same texts and find the same values', () => {
    const texts = [...VALID, ...INVALID.slice(0, -1)].map(([text]) => text.replace('\ufeff', ''));
    texts.push(...fc.sample(soup(), 4_000));
    const results = oracle(texts).map((theirs, at) => {
      const text = texts[at] ?? '';
      const result = readToml(text);
      return { text, ours: result.kind === 'table' ? comparable(result.table, text) : null, theirs };
    });
    const comparison = results.filter(({ text, theirs }) => theirs !== null || !TOML_1_1.test(text));
    expect(comparison.length).toBeGreaterThan(3_000);
    expect(comparison.map(({ text, ours }) => ({ text, value: ours }))).toEqual(
      comparison.map(({ text, theirs }) => ({ text, value: theirs })),
    );
  });
});
