import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { KubeparcelError } from './errors.ts';
import { readParsed } from './parsed-yaml.ts';
import { issueMessage } from './schema-issue.ts';

/** `merge` supports `<<: *name`. */
const OPTIONS = { prettyErrors: false, uniqueKeys: true, merge: true } as const;
/** A small file with many aliases could expand to a very large value. */
const ALIASES = { maxAliasCount: 100 };

/** Parses YAML without a schema, for files that are part of kubeparcel. */
export function parseOwnYaml(text: string): unknown {
  return parseDocument(text, OPTIONS).toJS(ALIASES);
}

/**
 * Parses YAML and validates it against a schema.
 *
 * @param where name of the file, for errors
 * @throws KubeparcelError of kind 'config' with file, line and column of the first problem; the message also lists
 *   the others
 */
export function parseValidatedYaml<Schema extends z.ZodType>(
  text: string,
  schema: Schema,
  where: string,
): z.output<Schema> {
  const parsed = readParsed(text);
  if (parsed !== undefined) {
    const result = schema.safeParse(parsed);
    if (result.success) return result.data;
  }
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { ...OPTIONS, lineCounter });
  const position = (offset: number) => {
    const { line, col } = lineCounter.linePos(offset);
    return `${where}:${line}:${col}`;
  };
  const [fault] = document.errors;
  if (fault !== undefined) {
    throw new KubeparcelError('config', `invalid YAML: ${fault.message}`, { where: position(fault.pos[0]) });
  }
  let value: unknown;
  try {
    value = document.toJS(ALIASES);
  } catch (cause) {
    throw new KubeparcelError('config', 'too many aliases in the file', { where, cause });
  }
  const result = schema.safeParse(value);
  if (result.success) {
    return result.data;
  }
  const [first, ...others] = result.error.issues
    .map((issue) => {
      const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : issue.path;
      return { offset: offsetOf(document, path), message: describe(issue.path, issueMessage(issue)) };
    })
    .sort((a, b) => a.offset - b.offset)
    .map(({ offset, message }) => ({ at: position(offset), message }));
  throw new KubeparcelError('config', [first?.message, ...others.map((o) => `${o.at}: ${o.message}`)].join('\n  '), {
    where: first?.at ?? where,
  });
}

function describe(path: readonly PropertyKey[], message: string): string {
  return path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`;
}

/** The offset of the deepest existing part of a path. */
function offsetOf(document: ReturnType<typeof parseDocument>, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const parent: unknown = document.getIn(path.slice(0, length - 1), true);
    const key = path[length - 1];
    const items: unknown = isRecord(parent) ? parent.items : undefined;
    const list = Array.isArray(items) ? (items as unknown[]) : [];
    const item = typeof key === 'number' ? list[key] : list.find((pair) => keyOf(pair) === key);
    const node = isRecord(item) && isRecord(item.key) ? item.key : item;
    if (isRecord(node) && Array.isArray(node.range) && typeof node.range[0] === 'number') {
      return node.range[0];
    }
  }
  return 0;
}

function keyOf(pair: unknown): unknown {
  return isRecord(pair) && isRecord(pair.key) ? pair.key.value : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
