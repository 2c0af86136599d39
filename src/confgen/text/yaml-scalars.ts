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
  const scanner: Scanner = { text: text.replace(/^\ufeff/, '').replace(/\r\n/g, '\n'), at: 0 };
  try {
    return { kind: 'mapping', values: readDocument(scanner) };
  } catch (error) {
    const line = scanner.text.slice(0, scanner.at).split('\n').length;
    return { kind: 'unclear', line, reason: error instanceof Unclear ? error.message : 'nested too deeply' };
  }
}

class Unclear extends Error {}

interface Scanner {
  readonly text: string;
  at: number;
}

type Values = Map<string, YamlScalar>;

function readDocument(scanner: Scanner): Values {
  let values: Values | undefined;
  let started = false;
  while (scanner.at < scanner.text.length) {
    const line = currentLine(scanner);
    if (/^[ \t]*(#.*)?$/.test(line)) {
      nextLine(scanner);
    } else if (/^---[ \t]*(#.*)?$/.test(line)) {
      if (started || values !== undefined) throw new Unclear('more than one document');
      started = true;
      nextLine(scanner);
    } else if (/^(%|\.\.\.|---|\?|\t)/.test(line)) {
      throw new Unclear('directives, document markers and complex keys are not supported');
    } else if (values === undefined && /^ *\{/.test(line)) {
      values = readFlowDocument(scanner);
      while (/^[ \t]*(#.*)?$/.test(currentLine(scanner)) && scanner.at < scanner.text.length) nextLine(scanner);
      if (scanner.at < scanner.text.length) throw new Unclear('text after the mapping');
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
  const rest = currentLine(scanner);
  if (/^[ \t]*(#.*)?$/.test(rest) && !/^#/.test(rest)) {
    nextLine(scanner);
    values.set(key, skipBelow(scanner) ? { kind: 'other' } : { kind: 'null' });
    return;
  }
  if (!/^[ \t]/.test(rest)) throw new Unclear('missing blank after the colon of a key');
  const value = readInlineValue(scanner, 0);
  rejectContinuation(scanner);
  values.set(key, value);
}

function readKey(scanner: Scanner): { readonly key: string; readonly plain: boolean } {
  const quote = scanner.text.charAt(scanner.at);
  let key: string;
  const plain = quote !== '"' && quote !== "'";
  if (plain) {
    const line = currentLine(scanner);
    const colon = /:(?=[ \t]|$)/.exec(line);
    if (colon === null || /^[-&*!|>%@`[\]{},#]/.test(line)) throw new Unclear('expected a key with a value');
    key = line.slice(0, colon.index).trim();
    scanner.at += colon.index;
  } else {
    const start = scanner.at;
    key = readQuoted(scanner);
    if (scanner.text.slice(start, scanner.at).includes('\n')) throw new Unclear('multi-line key');
    while (scanner.text.charAt(scanner.at) === ' ') scanner.at += 1;
  }
  if (scanner.text.charAt(scanner.at) !== ':') throw new Unclear('expected a key with a value');
  scanner.at += 1;
  return { key, plain };
}

/**
 * The value after a colon. The scanner stops after its last line.
 *
 * @param indent number of blanks before the key
 */
function readInlineValue(scanner: Scanner, indent: number): YamlScalar {
  while (/[ \t]/.test(scanner.text.charAt(scanner.at))) scanner.at += 1;
  const start = scanner.at;
  const c = scanner.text.charAt(start);
  if (c === '"' || c === "'") {
    const text = readQuoted(scanner);
    const singleLine = !scanner.text.slice(start, scanner.at).includes('\n');
    endOfLine(scanner);
    return singleLine ? { kind: 'quoted', text } : { kind: 'other' };
  }
  if (c === '{' || c === '[') {
    skipFlow(scanner, undefined, 0);
    // Parsers differ in whether such a line may close a bracket.
    if (/\n[^ \n]/.test(scanner.text.slice(start, scanner.at)))
      throw new Unclear('lines inside brackets must be indented');
    endOfLine(scanner);
    return { kind: 'other' };
  }
  if (c === '|' || c === '>') {
    if (!/^[|>][-+0-9]{0,2}[ \t]*([ \t]#.*)?$/.test(currentLine(scanner)))
      throw new Unclear('unsupported block scalar header');
    nextLine(scanner);
    skipIndented(scanner, indent);
    return { kind: 'other' };
  }
  if (/[&*!%@`?]/.test(c)) throw new Unclear('anchors, aliases and tags are not supported');
  const text = currentLine(scanner)
    .replace(/(^|[ \t]+)#.*$/, '')
    .trim();
  if (/:([ \t]|$)/.test(text) || /^-([ \t]|$)/.test(text)) throw new Unclear('unsupported value');
  nextLine(scanner);
  if (text === '' || text === '~' || /^(null|Null|NULL)$/.test(text)) return { kind: 'null' };
  return { kind: 'plain', text };
}

/** Skips the lines of a key's nested value: indented lines, and sequence items at the column of the key. */
function skipBelow(scanner: Scanner): boolean {
  let any = false;
  while (scanner.at < scanner.text.length) {
    const line = currentLine(scanner);
    if (/^[ \t]*(#.*)?$/.test(line)) {
      nextLine(scanner);
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
  let at = scanner.at;
  while (scanner.text.charAt(at) === '\n') at += 1;
  if (!/^[ \t]/.test(scanner.text.charAt(at))) return;
  if (!/^[ \t]*(#.*)?$/.test(currentLine({ ...scanner, at }))) throw new Unclear('multi-line plain value');
}

/** Skips a line below a key, with quotes, brackets and blocks that start in it and span several lines. */
function skipLine(scanner: Scanner): void {
  const line = currentLine(scanner);
  if (/^[ ]*\t/.test(line)) throw new Unclear('indented with tabs');
  const lead = /^(?: *- )* */.exec(line)?.[0] ?? '';
  scanner.at += lead.length;
  if (/["']/.test(scanner.text.charAt(scanner.at))) {
    readQuoted(scanner);
    const rest = currentLine(scanner);
    const colon = /^[ \t]*:(?=[ \t]|$)/.exec(rest);
    if (colon === null) {
      endOfLine(scanner);
      return;
    }
    scanner.at += colon[0].length;
  } else if (/[^{[|>]/.test(scanner.text.charAt(scanner.at))) {
    const colon = /^[^#]*?:(?=[ \t]|$)/.exec(currentLine(scanner));
    if (colon !== null) scanner.at += colon[0].length;
    else {
      if (/[&*!%@`?]/.test(scanner.text.charAt(scanner.at)))
        throw new Unclear('anchors, aliases and tags are not supported');
      nextLine(scanner);
      return;
    }
  }
  readInlineValue(scanner, lead.length - (/^(?: *- )+ *$/.test(lead) ? 2 : 0));
}

/** Skips a block scalar: blank lines and lines indented deeper than its key. The first line sets the depth. */
function skipIndented(scanner: Scanner, indent: number): void {
  let depth: number | undefined;
  while (scanner.at < scanner.text.length) {
    const line = currentLine(scanner);
    const blanks = /^ */.exec(line)?.[0].length ?? 0;
    if (line.trim() !== '') {
      if (blanks <= indent) return;
      depth ??= blanks;
      if (blanks < depth) throw new Unclear('inconsistent indentation of a block scalar');
    }
    nextLine(scanner);
  }
}

function readFlowDocument(scanner: Scanner): Values {
  const values: Values = new Map();
  while (scanner.text.charAt(scanner.at) === ' ') scanner.at += 1;
  skipFlow(scanner, values, 0);
  endOfLine(scanner);
  return values;
}

/** Skips a mapping or a sequence in flow style. Adds the keys of the mapping to `values`. */
function skipFlow(scanner: Scanner, values: Values | undefined, depth: number): void {
  if (depth > MAX_DEPTH) throw new Unclear('nested too deeply');
  const mapping = scanner.text.charAt(scanner.at) === '{';
  const close = mapping ? '}' : ']';
  scanner.at += 1;
  for (;;) {
    skipFlowBlank(scanner);
    if (scanner.text.charAt(scanner.at) === close) break;
    if (mapping) readFlowPair(scanner, values, depth);
    else readFlowValue(scanner, depth);
    skipFlowBlank(scanner);
    const c = scanner.text.charAt(scanner.at);
    if (c === close) break;
    if (c !== ',') throw new Unclear('unclosed bracket');
    scanner.at += 1;
  }
  scanner.at += 1;
}

function readFlowPair(scanner: Scanner, values: Values | undefined, depth: number): void {
  const key = readFlowScalar(scanner);
  skipFlowBlank(scanner);
  if (scanner.text.charAt(scanner.at) !== ':') throw new Unclear('key without a value');
  scanner.at += 1;
  if (key.kind !== 'quoted' && !/[ \t\n]/.test(scanner.text.charAt(scanner.at))) {
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
  const c = scanner.text.charAt(scanner.at);
  if (c !== '{' && c !== '[') return readFlowScalar(scanner);
  skipFlow(scanner, undefined, depth + 1);
  return { kind: 'other' };
}

function readFlowScalar(scanner: Scanner): YamlScalar {
  const c = scanner.text.charAt(scanner.at);
  if (c === '"' || c === "'") {
    const start = scanner.at;
    const text = readQuoted(scanner);
    return scanner.text.slice(start, scanner.at).includes('\n') ? { kind: 'other' } : { kind: 'quoted', text };
  }
  // A colon is part of the text, as in unix:///run, unless a blank follows.
  const found = takeAt(scanner, /(?:[A-Za-z0-9_./~+-]|:(?=[A-Za-z0-9_./~+-])){1,4096}/y);
  if (found === '' || /^-+$/.test(found)) throw new Unclear('unsupported value');
  return /^(~|null|Null|NULL)$/.test(found) ? { kind: 'null' } : { kind: 'plain', text: found };
}

function skipFlowBlank(scanner: Scanner): void {
  takeAt(scanner, /[ \t\n]+/y);
  if (scanner.text.charAt(scanner.at) === '#') throw new Unclear('comment inside brackets');
}

function readQuoted(scanner: Scanner): string {
  const start = scanner.at;
  const quote = scanner.text.charAt(start);
  // Not a regular expression: repeated alternatives keep a backtracking state for each character.
  let end = start + 1;
  for (let c = scanner.text.charAt(end); c !== quote || (c === "'" && scanner.text.charAt(end + 1) === "'"); ) {
    if (c === '') throw new Unclear('unclosed quote');
    end += c === quote || (c === '\\' && quote === '"') ? 2 : 1;
    c = scanner.text.charAt(end);
  }
  scanner.at = end + 1;
  const whole = scanner.text.slice(start, scanner.at);
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

function endOfLine(scanner: Scanner): void {
  if (!/^[ \t]*$|^[ \t]+#/.test(currentLine(scanner))) throw new Unclear('text after a value');
  nextLine(scanner);
}

function currentLine(scanner: Scanner): string {
  const end = scanner.text.indexOf('\n', scanner.at);
  return scanner.text.slice(scanner.at, end === -1 ? scanner.text.length : end);
}

function nextLine(scanner: Scanner): void {
  const end = scanner.text.indexOf('\n', scanner.at);
  scanner.at = end === -1 ? scanner.text.length : end + 1;
}

function takeAt(scanner: Scanner, pattern: RegExp): string {
  pattern.lastIndex = scanner.at;
  const found = pattern.exec(scanner.text)?.[0] ?? '';
  scanner.at += found.length;
  return found;
}
