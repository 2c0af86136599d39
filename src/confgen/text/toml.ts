/** A value of a TOML document; dates, times and non-integral numbers are kept as they are written. */
export type TomlValue = string | boolean | number | TomlText | readonly TomlValue[] | TomlTable;
/** Keys are data: a Map has none of its own. */
export type TomlTable = ReadonlyMap<string, TomlValue>;
/** A float, date or time, as written: nothing here needs their value. */
export interface TomlText {
  readonly written: string;
}

export type TomlResult =
  | { readonly kind: 'table'; readonly table: TomlTable }
  /** The line, from 1, and a short sentence without a full stop. */
  | { readonly kind: 'invalid'; readonly line: number; readonly reason: string };

const MAX_DEPTH = 32;
const MAX_VALUES = 50_000;

/**
 * Reads TOML 1.0: tables, arrays of tables, dotted and quoted keys, the four kinds of strings, arrays, inline tables.
 *
 * Bounded in depth and in number of values; never throws.
 */
export function readToml(text: string): TomlResult {
  const cursor: Cursor = { text: text.replace(/\r\n/g, '\n').replace(/^\ufeff/, ''), at: 0, values: 0 };
  try {
    return { kind: 'table', table: readDocument(cursor) };
  } catch (fault) {
    const line = cursor.text.slice(0, cursor.at).split('\n').length;
    return { kind: 'invalid', line, reason: fault instanceof TomlFault ? fault.message : 'it is nested too deep' };
  }
}

/** The table below a path of keys; undefined where there is none. */
export function tableAt(table: TomlTable | undefined, ...keys: readonly string[]): TomlTable | undefined {
  let at: TomlTable | undefined = table;
  for (const key of keys) {
    const next: TomlValue | undefined = at?.get(key);
    at = next instanceof Map ? next : undefined;
  }
  return at;
}

/** The strings of an array; empty for anything else. */
export function stringsOf(value: TomlValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

class TomlFault extends Error {}

interface Cursor {
  readonly text: string;
  at: number;
  values: number;
}

type Table = Map<string, TomlValue>;

/** How a table came to be decides what may still be added to it. */
interface Marks {
  /** By `[header]`: not a second time. */
  readonly headers: Set<Table>;
  /** By dotted keys: only dotted keys of the same section may go on. */
  readonly dotted: Map<Table, Table>;
  /** Inline tables are closed. */
  readonly closed: Set<Table>;
  /** Arrays that `[[header]]` made, by identity. */
  readonly arrays: Map<TomlValue, Table[]>;
}

function readDocument(cursor: Cursor): Table {
  const root: Table = new Map();
  const marks: Marks = { headers: new Set(), dotted: new Map(), closed: new Set(), arrays: new Map() };
  let section = root;
  while (skipBlank(cursor, true)) {
    if (peek(cursor) === '[') {
      section = readHeader(cursor, root, marks);
    } else {
      readPair(cursor, section, marks, 0);
    }
    endLine(cursor);
  }
  return root;
}

function readHeader(cursor: Cursor, root: Table, marks: Marks): Table {
  const many = cursor.text.startsWith('[[', cursor.at);
  cursor.at += many ? 2 : 1;
  const keys = readKeys(cursor);
  expect(cursor, many ? ']]' : ']');
  let parent = root;
  for (const key of keys.slice(0, -1)) {
    const found = parent.get(key);
    const items = found === undefined ? undefined : marks.arrays.get(found);
    const next = items?.[items.length - 1] ?? found ?? addTable(parent, key);
    if (!(next instanceof Map) || marks.closed.has(next)) throw new TomlFault(`${keyText(keys)} goes through a value`);
    parent = next;
  }
  const key = keys[keys.length - 1] ?? '';
  const found = parent.get(key);
  if (many) {
    const items = found === undefined ? [] : marks.arrays.get(found);
    if (items === undefined) throw new TomlFault(`${keyText(keys)} is there already`);
    const table: Table = new Map();
    items.push(table);
    if (found === undefined) {
      parent.set(key, items);
      marks.arrays.set(items, items);
    }
    count(cursor);
    return table;
  }
  const table = found ?? addTable(parent, key);
  if (!(table instanceof Map) || marks.closed.has(table) || marks.headers.has(table) || marks.dotted.has(table)) {
    throw new TomlFault(`${keyText(keys)} is there already`);
  }
  marks.headers.add(table);
  count(cursor);
  return table;
}

function readPair(cursor: Cursor, section: Table, marks: Marks, depth: number): void {
  const keys = readKeys(cursor);
  skipBlank(cursor, false);
  expect(cursor, '=');
  skipBlank(cursor, false);
  let parent = section;
  for (const key of keys.slice(0, -1)) {
    let next = parent.get(key);
    if (next === undefined) {
      const made = addTable(parent, key);
      marks.dotted.set(made, section);
      next = made;
    }
    if (!(next instanceof Map) || marks.closed.has(next) || marks.dotted.get(next) !== section) {
      throw new TomlFault(`${keyText(keys)} goes through a value`);
    }
    parent = next;
  }
  const key = keys[keys.length - 1] ?? '';
  if (parent.has(key)) throw new TomlFault(`${keyText(keys)} is there already`);
  parent.set(key, readValue(cursor, marks, depth));
}

function addTable(parent: Table, key: string): Table {
  const table: Table = new Map();
  parent.set(key, table);
  return table;
}

function readKeys(cursor: Cursor): readonly string[] {
  const keys: string[] = [];
  do {
    skipBlank(cursor, false);
    const c = peek(cursor);
    if (c === '"' || c === "'") {
      if (cursor.text.startsWith(c.repeat(3), cursor.at)) throw new TomlFault('a key cannot span lines');
      keys.push(readString(cursor));
    } else {
      const key = take(cursor, /[A-Za-z0-9_-]*/y);
      if (key === '') throw new TomlFault('a key is missing');
      keys.push(key);
    }
    if (keys.length > MAX_DEPTH) throw new TomlFault('it is nested too deep');
    skipBlank(cursor, false);
  } while (accept(cursor, '.'));
  return keys;
}

function readValue(cursor: Cursor, marks: Marks, depth: number): TomlValue {
  if (depth > MAX_DEPTH) throw new TomlFault('it is nested too deep');
  count(cursor);
  const c = peek(cursor);
  if (c === '"' || c === "'") return readString(cursor);
  if (c === '[') return readArray(cursor, marks, depth);
  if (c === '{') return readInline(cursor, marks, depth);
  return readBare(cursor);
}

function readArray(cursor: Cursor, marks: Marks, depth: number): TomlValue {
  cursor.at += 1;
  const items: TomlValue[] = [];
  for (;;) {
    skipBlank(cursor, true);
    if (accept(cursor, ']')) return items;
    items.push(readValue(cursor, marks, depth + 1));
    skipBlank(cursor, true);
    if (accept(cursor, ',')) continue;
    expect(cursor, ']');
    return items;
  }
}

function readInline(cursor: Cursor, marks: Marks, depth: number): TomlValue {
  cursor.at += 1;
  const table: Table = new Map();
  skipBlank(cursor, false);
  if (!accept(cursor, '}')) {
    do {
      readPair(cursor, table, marks, depth + 1);
      skipBlank(cursor, false);
    } while (accept(cursor, ','));
    expect(cursor, '}');
  }
  closeAll(table, marks);
  return table;
}

/** What an inline table holds is closed with it, its dotted keys' tables too. */
function closeAll(table: Table, marks: Marks): void {
  marks.closed.add(table);
  for (const value of table.values()) {
    if (value instanceof Map && !marks.closed.has(value)) closeAll(value, marks);
  }
}

function readString(cursor: Cursor): string {
  const quote = peek(cursor);
  const long = cursor.text.startsWith(quote.repeat(3), cursor.at);
  cursor.at += long ? 3 : 1;
  if (long) accept(cursor, '\n');
  const out: string[] = [];
  for (;;) {
    out.push(take(cursor, quote === '"' ? BASIC_TEXT : LITERAL_TEXT));
    const c = peek(cursor);
    if (c === '') throw new TomlFault('a string is open at the end');
    if (c === '\n') {
      if (!long) throw new TomlFault('a string is open at the end of its line');
      out.push(c);
      cursor.at += 1;
    } else if (c !== quote && c !== '\\') {
      throw new TomlFault('a string has a control character');
    } else if (c === '\\') {
      out.push(readEscape(cursor, long));
    } else if (!long) {
      cursor.at += 1;
      break;
    } else {
      // Up to two quotes may stand before the three that end it.
      const run = take(cursor, quote === '"' ? /"{1,5}/y : /'{1,5}/y);
      out.push(run.length >= 3 ? run.slice(3) : run);
      if (run.length >= 3) break;
    }
  }
  return out.join('');
}

function readEscape(cursor: Cursor, long: boolean): string {
  cursor.at += 1;
  const c = peek(cursor);
  if (long && /[ \t\n]/.test(c)) {
    // A backslash at a line's end takes away all blanks up to the next character.
    const blank = take(cursor, /[ \t\n]*/y);
    if (!/^[ \t]*\n/.test(blank)) throw new TomlFault('a string has an unknown escape');
    return '';
  }
  cursor.at += 1;
  const simple = ESCAPES[c];
  if (simple !== undefined && c !== '') return simple;
  if (c === 'u' || c === 'U') {
    const digits = take(cursor, c === 'u' ? /[0-9A-Fa-f]{4}/y : /[0-9A-Fa-f]{8}/y);
    const code = Number.parseInt(digits, 16);
    if (digits !== '' && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)) return String.fromCodePoint(code);
  }
  throw new TomlFault('a string has an unknown escape');
}

const ESCAPES: Readonly<Record<string, string | undefined>> = {
  b: '\b',
  t: '\t',
  n: '\n',
  f: '\f',
  r: '\r',
  '"': '"',
  '\\': '\\',
};

const INTEGER = /^[+-]?(0|[1-9](_?[0-9])*)$/;
const BASED = /^0(x[0-9A-Fa-f](_?[0-9A-Fa-f])*|o[0-7](_?[0-7])*|b[01](_?[01])*)$/;
const FLOAT = /^[+-]?((0|[1-9](_?\d)*)(\.\d(_?\d)*)?([eE][+-]?\d(_?\d)*)?|inf|nan)$/;
const TIME = String.raw`([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?`;
const DATE = String.raw`\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])`;
const MOMENT = new RegExp(`^(${TIME}|${DATE}([Tt ]${TIME}([Zz]|[+-]([01]\\d|2[0-3]):[0-5]\\d)?)?)$`);

function readBare(cursor: Cursor): TomlValue {
  const written = take(cursor, /[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9][0-9:.Zz+-]*|[A-Za-z0-9_+.:-]{1,200}/y);
  if (written === 'true' || written === 'false') return written === 'true';
  if (INTEGER.test(written) || BASED.test(written)) {
    const value = Number(written.replace(/_/g, ''));
    return Math.abs(value) <= Number.MAX_SAFE_INTEGER ? value : { written };
  }
  if (FLOAT.test(written) || MOMENT.test(written)) return { written };
  throw new TomlFault(written === '' ? 'a value is missing' : 'a value is of no known kind');
}

function count(cursor: Cursor): void {
  cursor.values += 1;
  if (cursor.values > MAX_VALUES) throw new TomlFault('it has too many values');
}

function peek(cursor: Cursor): string {
  return cursor.text.charAt(cursor.at);
}

function take(cursor: Cursor, pattern: RegExp): string {
  pattern.lastIndex = cursor.at;
  const found = pattern.exec(cursor.text)?.[0] ?? '';
  cursor.at += found.length;
  return found;
}

function accept(cursor: Cursor, token: string): boolean {
  const found = cursor.text.startsWith(token, cursor.at);
  if (found) cursor.at += token.length;
  return found;
}

function expect(cursor: Cursor, token: string): void {
  if (!accept(cursor, token)) throw new TomlFault(`${token} is missing`);
}

function endLine(cursor: Cursor): void {
  skipBlank(cursor, false);
  take(cursor, COMMENT_TEXT);
  if (cursor.at < cursor.text.length) expect(cursor, '\n');
}

/** @returns whether anything is left */
function skipBlank(cursor: Cursor, lines: boolean): boolean {
  for (;;) {
    const from = cursor.at;
    take(cursor, lines ? /[ \t\n]+/y : /[ \t]+/y);
    if (lines) take(cursor, COMMENT_TEXT);
    if (cursor.at === from) return cursor.at < cursor.text.length;
  }
}

function keyText(keys: readonly string[]): string {
  return keys.map((key) => key.slice(0, 40)).join('.');
}

// TOML forbids control characters but tab. Written as escapes in strings because that is how they stay visible.
const CONTROL = String.raw`\u0000-\u0008\u000a-\u001f\u007f`;
const COMMENT_TEXT = new RegExp(`#[^${CONTROL}]*`, 'y');
const BASIC_TEXT = new RegExp(`[^"\\\\${CONTROL}]*`, 'y');
const LITERAL_TEXT = new RegExp(`[^'${CONTROL}]*`, 'y');
