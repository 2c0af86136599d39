/** What a top-level key says. */
export type YamlScalar =
  /** Plain, and so perhaps no string: `true`, `5`. */
  | { readonly kind: 'plain'; readonly text: string }
  | { readonly kind: 'quoted'; readonly text: string }
  | { readonly kind: 'null' }
  /** A mapping, list, block scalar, alias, tag, or text over several lines. */
  | { readonly kind: 'other' };

export type YamlScalars =
  | { readonly kind: 'mapping'; readonly values: ReadonlyMap<string, YamlScalar> }
  /** The line, from 1, and a short sentence without a full stop. */
  | { readonly kind: 'unclear'; readonly line: number; readonly reason: string };

const MAX_DEPTH = 64;

/**
 * The top-level keys of a YAML or JSON document that is one mapping, in block or in flow style.
 *
 * It reads what people and kubeadm write; of anything whose meaning is not certain it says `unclear`. Never throws.
 */
export function readYamlScalars(text: string): YamlScalars {
  const scanner: Scanner = { text: text.replace(/^\ufeff/, '').replace(/\r\n/g, '\n'), at: 0 };
  try {
    return { kind: 'mapping', values: readDocument(scanner) };
  } catch (fault) {
    const line = scanner.text.slice(0, scanner.at).split('\n').length;
    return { kind: 'unclear', line, reason: fault instanceof Unclear ? fault.message : 'it is nested too deep' };
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
      if (started || values !== undefined) throw new Unclear('it has several documents');
      started = true;
      nextLine(scanner);
    } else if (/^(%|\.\.\.|---|\?|\t)/.test(line)) {
      throw new Unclear('it has directives, several documents, or keys of its own kind');
    } else if (values === undefined && /^ *\{/.test(line)) {
      values = readFlowDocument(scanner);
      while (/^[ \t]*(#.*)?$/.test(currentLine(scanner)) && scanner.at < scanner.text.length) nextLine(scanner);
      if (scanner.at < scanner.text.length) throw new Unclear('something follows the mapping');
    } else if (/^ /.test(line)) {
      throw new Unclear('a line is indented and belongs to nothing');
    } else {
      values = values ?? new Map();
      readEntry(scanner, values);
    }
  }
  return values ?? new Map();
}

/** A key at the line's beginning, its value, and all lines below that belong to it. */
function readEntry(scanner: Scanner, values: Values): void {
  const { key, plain } = readKey(scanner);
  if (plain && !/^[A-Za-z_$./][\w$./-]*$/.test(key)) throw new Unclear('a key is not understood');
  if (values.has(key)) throw new Unclear('a key is there twice');
  values.set(key, { kind: 'other' });
  const rest = currentLine(scanner);
  if (/^[ \t]*(#.*)?$/.test(rest) && !/^#/.test(rest)) {
    nextLine(scanner);
    values.set(key, skipBelow(scanner) ? { kind: 'other' } : { kind: 'null' });
    return;
  }
  if (!/^[ \t]/.test(rest)) throw new Unclear('a key has no blank after its colon');
  const value = readInlineValue(scanner, 0);
  refuseContinuation(scanner);
  values.set(key, value);
}

function readKey(scanner: Scanner): { readonly key: string; readonly plain: boolean } {
  const quote = scanner.text.charAt(scanner.at);
  let key: string;
  const plain = quote !== '"' && quote !== "'";
  if (plain) {
    const line = currentLine(scanner);
    const colon = /:(?=[ \t]|$)/.exec(line);
    if (colon === null || /^[-&*!|>%@`[\]{},#]/.test(line)) throw new Unclear('a line is no key with a value');
    key = line.slice(0, colon.index).trim();
    scanner.at += colon.index;
  } else {
    const start = scanner.at;
    key = readQuoted(scanner);
    if (scanner.text.slice(start, scanner.at).includes('\n')) throw new Unclear('a key spans lines');
    while (scanner.text.charAt(scanner.at) === ' ') scanner.at += 1;
  }
  if (scanner.text.charAt(scanner.at) !== ':') throw new Unclear('a line is no key with a value');
  scanner.at += 1;
  return { key, plain };
}

/**
 * What stands behind a colon on the same line; the scanner ends behind that line, or behind the last line of what
 * was begun there.
 *
 * @param indent blanks before the key that it belongs to
 */
function readInlineValue(scanner: Scanner, indent: number): YamlScalar {
  while (/[ \t]/.test(scanner.text.charAt(scanner.at))) scanner.at += 1;
  const start = scanner.at;
  const c = scanner.text.charAt(start);
  if (c === '"' || c === "'") {
    const text = readQuoted(scanner);
    const one = !scanner.text.slice(start, scanner.at).includes('\n');
    endOfLine(scanner);
    return one ? { kind: 'quoted', text } : { kind: 'other' };
  }
  if (c === '{' || c === '[') {
    skipFlow(scanner, undefined, 0);
    // Readers differ in whether such a line may close a bracket.
    if (/\n[^ \n]/.test(scanner.text.slice(start, scanner.at)))
      throw new Unclear('a bracket spans lines that are not indented');
    endOfLine(scanner);
    return { kind: 'other' };
  }
  if (c === '|' || c === '>') {
    if (!/^[|>][-+0-9]{0,2}[ \t]*([ \t]#.*)?$/.test(currentLine(scanner)))
      throw new Unclear('a block is not understood');
    nextLine(scanner);
    skipIndented(scanner, indent);
    return { kind: 'other' };
  }
  if (/[&*!%@`?]/.test(c)) throw new Unclear('it has anchors, aliases or tags');
  const text = currentLine(scanner)
    .replace(/(^|[ \t]+)#.*$/, '')
    .trim();
  if (/:([ \t]|$)/.test(text) || /^-([ \t]|$)/.test(text)) throw new Unclear('a value is not understood');
  nextLine(scanner);
  if (text === '' || text === '~' || /^(null|Null|NULL)$/.test(text)) return { kind: 'null' };
  return { kind: 'plain', text };
}

/** Lines below a key without a value of its own: indented ones, and list items at the key's own column. */
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

/** Indented lines after a value on the key's own line go on with it: what they mean together is not guessed. */
function refuseContinuation(scanner: Scanner): void {
  let at = scanner.at;
  while (scanner.text.charAt(at) === '\n') at += 1;
  if (!/^[ \t]/.test(scanner.text.charAt(at))) return;
  if (!/^[ \t]*(#.*)?$/.test(currentLine({ ...scanner, at }))) throw new Unclear('a value goes on in the next line');
}

/** One line somewhere below a key, with all that it begins: quotes, brackets and blocks may span lines. */
function skipLine(scanner: Scanner): void {
  const line = currentLine(scanner);
  if (/^[ ]*\t/.test(line)) throw new Unclear('it is indented with tabs');
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
      if (/[&*!%@`?]/.test(scanner.text.charAt(scanner.at))) throw new Unclear('it has anchors, aliases or tags');
      nextLine(scanner);
      return;
    }
  }
  readInlineValue(scanner, lead.length - (/^(?: *- )+ *$/.test(lead) ? 2 : 0));
}

/** Lines of a block scalar: blank, or indented deeper than its key; the first of them says how deep. */
function skipIndented(scanner: Scanner, indent: number): void {
  let depth: number | undefined;
  while (scanner.at < scanner.text.length) {
    const line = currentLine(scanner);
    const blanks = /^ */.exec(line)?.[0].length ?? 0;
    if (line.trim() !== '') {
      if (blanks <= indent) return;
      depth ??= blanks;
      if (blanks < depth) throw new Unclear('a block ends in a line that is indented less, and belongs to nothing');
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

/** A mapping or a list in flow style, from its bracket on; with `values`, the mapping's keys are kept there. */
function skipFlow(scanner: Scanner, values: Values | undefined, depth: number): void {
  if (depth > MAX_DEPTH) throw new Unclear('it is nested too deep');
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
    if (c !== ',') throw new Unclear('a bracket is not closed');
    scanner.at += 1;
  }
  scanner.at += 1;
}

function readFlowPair(scanner: Scanner, values: Values | undefined, depth: number): void {
  const key = readFlowScalar(scanner);
  skipFlowBlank(scanner);
  if (scanner.text.charAt(scanner.at) !== ':') throw new Unclear('a key has no value');
  scanner.at += 1;
  if (key.kind !== 'quoted' && !/[ \t\n]/.test(scanner.text.charAt(scanner.at))) {
    throw new Unclear('a key has no blank after its colon');
  }
  skipFlowBlank(scanner);
  const value = readFlowValue(scanner, depth);
  if (values === undefined) return;
  if (key.kind !== 'quoted' && key.kind !== 'plain') throw new Unclear('a key is not understood');
  if (values.has(key.text)) throw new Unclear('a key is there twice');
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
  // Colons within plain text, as in unix:///run, are text; one before a blank ends a key.
  const found = takeAt(scanner, /(?:[A-Za-z0-9_./~+-]|:(?=[A-Za-z0-9_./~+-])){1,4096}/y);
  if (found === '' || /^-+$/.test(found)) throw new Unclear('a value is not understood');
  return /^(~|null|Null|NULL)$/.test(found) ? { kind: 'null' } : { kind: 'plain', text: found };
}

function skipFlowBlank(scanner: Scanner): void {
  takeAt(scanner, /[ \t\n]+/y);
  if (scanner.text.charAt(scanner.at) === '#') throw new Unclear('a comment stands inside brackets');
}

function readQuoted(scanner: Scanner): string {
  const start = scanner.at;
  const quote = scanner.text.charAt(start);
  // By hand: a pattern that repeats alternatives keeps a state for each character of a text of a megabyte.
  let end = start + 1;
  for (let c = scanner.text.charAt(end); c !== quote || (c === "'" && scanner.text.charAt(end + 1) === "'"); ) {
    if (c === '') throw new Unclear('a quote is not closed');
    end += c === quote || (c === '\\' && quote === '"') ? 2 : 1;
    c = scanner.text.charAt(end);
  }
  scanner.at = end + 1;
  const whole = scanner.text.slice(start, scanner.at);
  // Readers differ in whether such a line goes on with the text.
  if (/\n[^ \n]/.test(whole)) throw new Unclear('a text goes on in a line that is not indented');
  const inner = whole.slice(1, -1);
  if (quote === "'") return inner.replace(/''/g, "'");
  if (!inner.includes('\\')) return inner;
  if (inner.includes('\n')) return inner;
  try {
    return String(JSON.parse(whole.replace(/\t/g, '\\t')));
  } catch {
    throw new Unclear('a text has escapes that JSON does not know');
  }
}

function endOfLine(scanner: Scanner): void {
  if (!/^[ \t]*$|^[ \t]+#/.test(currentLine(scanner))) throw new Unclear('something follows a value on its line');
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
