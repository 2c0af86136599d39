import { parse, TomlError } from 'smol-toml';

/** A table without a prototype, so that keys such as `constructor` are only found when the document has them. */
export type TomlTable = Readonly<Record<string, unknown>>;

export type TomlResult =
  | { readonly kind: 'table'; readonly table: TomlTable }
  /** Line numbers start at 1; the reason has no full stop. */
  | { readonly kind: 'invalid'; readonly line: number; readonly reason: string };

const MAX_DEPTH = 32;
/**
 * Characters next to keys, tables and values; a default configuration has about 700. In QuickJS, a table of 5,000 keys
 * takes 0.3 s, and the time grows with the square of their number.
 */
const STRUCTURE = /[=,.[{]+/g;
const MAX_STRUCTURE = 5_000;

/** Parses TOML 1.1, a superset of 1.0. Limits the depth and the number of values. Never throws. */
export function readToml(text: string): TomlResult {
  if (isTooComplex(text)) return { kind: 'invalid', line: 1, reason: 'the file has too many keys and values' };
  try {
    return { kind: 'table', table: parse(text, { maxDepth: MAX_DEPTH, integersAsBigInt: 'asNeeded' }) };
  } catch (error) {
    if (!(error instanceof TomlError)) return { kind: 'invalid', line: 1, reason: 'the file cannot be parsed' };
    const [message = ''] = error.message.split('\n');
    return { kind: 'invalid', line: error.line, reason: message.replace('Invalid TOML document: ', '') };
  }
}

function isTooComplex(text: string): boolean {
  STRUCTURE.lastIndex = 0;
  for (let count = 0; count <= MAX_STRUCTURE; count += 1) if (!STRUCTURE.test(text)) return false;
  return true;
}

/** The table at a path of keys; undefined when there is none. */
export function tableAt(table: TomlTable | undefined, ...keys: readonly string[]): TomlTable | undefined {
  return keys.reduce<TomlTable | undefined>((at, key) => {
    const value = at?.[key];
    return isTable(value) ? value : undefined;
  }, table);
}

/** The strings of an array; empty for any other value. */
export function stringsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

/** Dates and arrays have a prototype. */
function isTable(value: unknown): value is TomlTable {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === null;
}
