import { Scanner, Unclear } from './yaml-scanner.ts';

/** The value of a top-level key. */
export type YamlScalar =
  /** Unquoted; not necessarily a string: `true`, `5`. */
  | { readonly kind: 'plain'; readonly text: string }
  | { readonly kind: 'quoted'; readonly text: string }
  | { readonly kind: 'null' }
  /** A mapping, a sequence, a block scalar, an alias, a tag or a multi-line scalar. */
  | { readonly kind: 'other' };

export type YamlScalars =
  | { readonly kind: 'mapping'; readonly values: ReadonlyMap<string, YamlScalar> }
  /** Line numbers start at 1; the reason has no full stop. */
  | { readonly kind: 'unclear'; readonly line: number; readonly reason: string };

const MAX_DEPTH = 64;

/**
 * The top-level keys of a YAML or JSON document that is a mapping, in block or flow style.
 *
 * Reads common documents, such as those of kubeadm. Returns `unclear` for all others. Never throws.
 */
export function readYamlScalars(text: string): YamlScalars {
  const scanner = new Scanner(text.replace(/^\ufeff/, '').replace(/\r\n/g, '\n'));
  try {
    return { kind: 'mapping', values: readDocument(scanner) };
  } catch (error) {
    return {
      kind: 'unclear',
      line: scanner.since(0).split('\n').length,
      reason: error instanceof Unclear ? error.message : 'nested too deeply',
    };
  }
}

type Values = Map<string, YamlScalar>;

function readDocument(scanner: Scanner): Values {
  let values: Values | undefined;
  let started = false;
  while (!scanner.done) {
    const line = scanner.line();
    if (/^[ \t]*(#.*)?$/.test(line)) {
      scanner.nextLine();
    } else if (/^---[ \t]*(#.*)?$/.test(line)) {
      if (started || values !== undefined) throw new Unclear('more than one document');
      started = true;
      scanner.nextLine();
    } else if (/^(%|\.\.\.|---|\?|\t)/.test(line)) {
      throw new Unclear('directives, document markers and complex keys are not supported');
    } else if (values === undefined && /^ *\{/.test(line)) {
      values = readFlowDocument(scanner);
      while (/^[ \t]*(#.*)?$/.test(scanner.line()) && !scanner.done) scanner.nextLine();
      if (!scanner.done) throw new Unclear('text after the mapping');
    } else if (/^ /.test(line)) {
      throw new Unclear('unexpected indentation');
    } else {
      values = values ?? new Map();
      readEntry(scanner, values);
    }
  }
  return values ?? new Map();
}

/** A key at the start of a line, its value, and the lines below that belong to it. */
function readEntry(scanner: Scanner, values: Values): void {
  const { key, plain } = readKey(scanner);
  if (plain && !/^[A-Za-z_$./][\w$./-]*$/.test(key)) throw new Unclear('unsupported key');
  if (values.has(key)) throw new Unclear('duplicate key');
  values.set(key, { kind: 'other' });
  const rest = scanner.line();
  if (/^[ \t]*(#.*)?$/.test(rest) && !/^#/.test(rest)) {
    scanner.nextLine();
    values.set(key, skipBelow(scanner) ? { kind: 'other' } : { kind: 'null' });
    return;
  }
  if (!/^[ \t]/.test(rest)) throw new Unclear('missing blank after the colon of a key');
  const value = readInlineValue(scanner, 0);
  rejectContinuation(scanner);
  values.set(key, value);
}

function readKey(scanner: Scanner): { readonly key: string; readonly plain: boolean } {
  const quote = scanner.char();
  let key: string;
  const plain = quote !== '"' && quote !== "'";
  if (plain) {
    const line = scanner.line();
    const colon = /:(?=[ \t]|$)/.exec(line);
    if (colon === null || /^[-&*!|>%@`[\]{},#]/.test(line)) throw new Unclear('expected a key with a value');
    key = line.slice(0, colon.index).trim();
    scanner.at += colon.index;
  } else {
    const start = scanner.at;
    key = readQuoted(scanner);
    if (scanner.since(start).includes('\n')) throw new Unclear('multi-line key');
    while (scanner.char() === ' ') scanner.at += 1;
  }
  if (scanner.char() !== ':') throw new Unclear('expected a key with a value');
  scanner.at += 1;
  return { key, plain };
}

/**
 * The value after a colon. The scanner stops after its last line.
 *
 * @param indent number of blanks before the key
 */
function readInlineValue(scanner: Scanner, indent: number): YamlScalar {
  while (/[ \t]/.test(scanner.char())) scanner.at += 1;
  const start = scanner.at;
  const c = scanner.char();
  if (c === '"' || c === "'") {
    const text = readQuoted(scanner);
    const singleLine = !scanner.since(start).includes('\n');
    scanner.endLine();
    return singleLine ? { kind: 'quoted', text } : { kind: 'other' };
  }
  if (c === '{' || c === '[') {
    skipFlow(scanner, undefined, 0);
    // Parsers differ in whether such a line may close a bracket.
    if (/\n[^ \n]/.test(scanner.since(start))) throw new Unclear('lines inside brackets must be indented');
    scanner.endLine();
    return { kind: 'other' };
  }
  if (c === '|' || c === '>') {
    if (!/^[|>][-+0-9]{0,2}[ \t]*([ \t]#.*)?$/.test(scanner.line()))
      throw new Unclear('unsupported block scalar header');
    scanner.nextLine();
    skipIndented(scanner, indent);
    return { kind: 'other' };
  }
  if (/[&*!%@`?]/.test(c)) throw new Unclear('anchors, aliases and tags are not supported');
  const text = scanner
    .line()
    .replace(/(^|[ \t]+)#.*$/, '')
    .trim();
  if (/:([ \t]|$)/.test(text) || /^-([ \t]|$)/.test(text)) throw new Unclear('unsupported value');
  scanner.nextLine();
  if (text === '' || text === '~' || /^(null|Null|NULL)$/.test(text)) return { kind: 'null' };
  return { kind: 'plain', text };
}

/** Skips the lines of a key's nested value: indented lines, and sequence items at the column of the key. */
function skipBelow(scanner: Scanner): boolean {
  let any = false;
  while (!scanner.done) {
    const line = scanner.line();
    if (/^[ \t]*(#.*)?$/.test(line)) {
      scanner.nextLine();
    } else if (/^( +|-[ ]|-$)/.test(line)) {
      any = true;
      skipLine(scanner);
    } else {
      return any;
    }
  }
  return any;
}

/** Rejects indented lines after a value on the line of its key: they continue the value. */
function rejectContinuation(scanner: Scanner): void {
  while (scanner.char() === '\n') scanner.at += 1;
  if (/^[ \t]+[^ \t#]/.test(scanner.line())) throw new Unclear('multi-line plain value');
}

/** Skips a line below a key, with quotes, brackets and blocks that start in it and span several lines. */
function skipLine(scanner: Scanner): void {
  const line = scanner.line();
  if (/^[ ]*\t/.test(line)) throw new Unclear('indented with tabs');
  const lead = /^(?: *- )* */.exec(line)?.[0] ?? '';
  scanner.at += lead.length;
  if (/["']/.test(scanner.char())) {
    readQuoted(scanner);
    const rest = scanner.line();
    const colon = /^[ \t]*:(?=[ \t]|$)/.exec(rest);
    if (colon === null) {
      scanner.endLine();
      return;
    }
    scanner.at += colon[0].length;
  } else if (/[^{[|>]/.test(scanner.char())) {
    const colon = /^[^#]*?:(?=[ \t]|$)/.exec(scanner.line());
    if (colon !== null) scanner.at += colon[0].length;
    else {
      if (/[&*!%@`?]/.test(scanner.char())) throw new Unclear('anchors, aliases and tags are not supported');
      scanner.nextLine();
      return;
    }
  }
  readInlineValue(scanner, lead.length - (/^(?: *- )+ *$/.test(lead) ? 2 : 0));
}

/** Skips a block scalar: blank lines and lines indented deeper than its key. The first line sets the depth. */
function skipIndented(scanner: Scanner, indent: number): void {
  let depth: number | undefined;
  while (!scanner.done) {
    const line = scanner.line();
    const blanks = /^ */.exec(line)?.[0].length ?? 0;
    if (line.trim() !== '') {
      if (blanks <= indent) return;
      depth ??= blanks;
      if (blanks < depth) throw new Unclear('inconsistent indentation of a block scalar');
    }
    scanner.nextLine();
  }
}

function readFlowDocument(scanner: Scanner): Values {
  const values: Values = new Map();
  while (scanner.char() === ' ') scanner.at += 1;
  skipFlow(scanner, values, 0);
  scanner.endLine();
  return values;
}

/** Skips a mapping or a sequence in flow style. Adds the keys of the mapping to `values`. */
function skipFlow(scanner: Scanner, values: Values | undefined, depth: number): void {
  if (depth > MAX_DEPTH) throw new Unclear('nested too deeply');
  const mapping = scanner.char() === '{';
  const close = mapping ? '}' : ']';
  scanner.at += 1;
  for (;;) {
    skipFlowBlank(scanner);
    if (scanner.char() === close) break;
    if (mapping) readFlowPair(scanner, values, depth);
    else readFlowValue(scanner, depth);
    skipFlowBlank(scanner);
    const c = scanner.char();
    if (c === close) break;
    if (c !== ',') throw new Unclear('unclosed bracket');
    scanner.at += 1;
  }
  scanner.at += 1;
}

function readFlowPair(scanner: Scanner, values: Values | undefined, depth: number): void {
  const key = readFlowScalar(scanner);
  skipFlowBlank(scanner);
  if (scanner.char() !== ':') throw new Unclear('key without a value');
  scanner.at += 1;
  if (key.kind !== 'quoted' && !/[ \t\n]/.test(scanner.char())) {
    throw new Unclear('missing blank after the colon of a key');
  }
  skipFlowBlank(scanner);
  const value = readFlowValue(scanner, depth);
  if (values === undefined) return;
  if (key.kind !== 'quoted' && key.kind !== 'plain') throw new Unclear('unsupported key');
  if (values.has(key.text)) throw new Unclear('duplicate key');
  values.set(key.text, value);
}

function readFlowValue(scanner: Scanner, depth: number): YamlScalar {
  const c = scanner.char();
  if (c !== '{' && c !== '[') return readFlowScalar(scanner);
  skipFlow(scanner, undefined, depth + 1);
  return { kind: 'other' };
}

function readFlowScalar(scanner: Scanner): YamlScalar {
  const c = scanner.char();
  if (c === '"' || c === "'") {
    const start = scanner.at;
    const text = readQuoted(scanner);
    return scanner.since(start).includes('\n') ? { kind: 'other' } : { kind: 'quoted', text };
  }
  // A colon is part of the text, as in unix:///run, unless a blank follows.
  const found = scanner.take(/(?:[A-Za-z0-9_./~+-]|:(?=[A-Za-z0-9_./~+-])){1,4096}/y);
  if (found === '' || /^-+$/.test(found)) throw new Unclear('unsupported value');
  return /^(~|null|Null|NULL)$/.test(found) ? { kind: 'null' } : { kind: 'plain', text: found };
}

function skipFlowBlank(scanner: Scanner): void {
  scanner.take(/[ \t\n]+/y);
  if (scanner.char() === '#') throw new Unclear('comment inside brackets');
}

function readQuoted(scanner: Scanner): string {
  const start = scanner.at;
  const quote = scanner.char();
  // Not a regular expression: repeated alternatives keep a backtracking state for each character.
  let length = 1;
  for (let c = scanner.char(length); c !== quote || (c === "'" && scanner.char(length + 1) === "'"); ) {
    if (c === '') throw new Unclear('unclosed quote');
    length += c === quote || (c === '\\' && quote === '"') ? 2 : 1;
    c = scanner.char(length);
  }
  scanner.at += length + 1;
  const whole = scanner.since(start);
  // Parsers differ in whether such a line continues the text.
  if (/\n[^ \n]/.test(whole)) throw new Unclear('continuation of a quoted string must be indented');
  const inner = whole.slice(1, -1);
  if (quote === "'") return inner.replace(/''/g, "'");
  if (!inner.includes('\\') || inner.includes('\n')) return inner;
  try {
    return String(JSON.parse(whole.replace(/\t/g, '\\t')));
  } catch {
    throw new Unclear('escape that JSON does not have');
  }
}
