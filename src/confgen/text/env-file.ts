/**
 * Parses an environment file as EnvironmentFile= does (systemd.exec(5)): `#` and `;` start comments, parts of a value
 * may be quoted, and `\` at the end of a line continues the value. The last assignment of a name wins.
 *
 * Never fails: a line without `=` is ignored, and an open quote extends to the end of the file.
 */
export function readEnvFile(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let at = 0;
  while (at < text.length) {
    const c = text.charAt(at);
    if (BLANK.includes(c)) {
      at += 1;
      continue;
    }
    const line = lineEnd(text, at);
    const equals = text.slice(at, line).indexOf('=');
    if (c === '#' || c === ';' || equals === -1) {
      at = line + 1;
      continue;
    }
    const name = text.slice(at, at + equals).trim();
    const value = readValue(text, at + equals + 1);
    // systemd ignores other names.
    if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) found.set(name, value.text);
    at = value.end;
  }
  return found;
}

const BLANK = ' \t\n\r';
/** Characters that a backslash escapes inside double quotes, as in the shell. */
const ESCAPED_IN_QUOTES = '"\\`$';

function lineEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    if (text.charAt(at) === '\n' || text.charAt(at) === '\r') return at;
  }
  return text.length;
}

function readValue(text: string, from: number): { readonly text: string; readonly end: number } {
  const out: string[] = [];
  /** Length of `out` without trailing blanks. */
  let trimmed = 0;
  let quote = '';
  /** Blanks inside an unquoted part are part of the value; blanks before and between quoted parts are not. */
  let plain = false;
  let at = from;
  for (; at < text.length; at += 1) {
    const c = text.charAt(at);
    const newline = c === '\n' || c === '\r';
    if (quote === '' && newline) break;
    if (quote !== '' && c === quote) {
      quote = '';
      plain = false;
      trimmed = out.length;
    } else if (c === '\\' && quote !== "'") {
      at += 1;
      const next = text.charAt(at);
      if (quote === '') {
        plain = true;
        if (next !== '\n' && next !== '\r') out.push(next);
      } else if (ESCAPED_IN_QUOTES.includes(next)) {
        out.push(next);
      } else if (next !== '\n') {
        out.push('\\', next);
      }
      trimmed = out.length;
    } else if (quote !== '') {
      out.push(c);
      trimmed = out.length;
    } else if (!plain && (c === '"' || c === "'")) {
      quote = c;
    } else if (c === ' ' || c === '\t') {
      if (plain) out.push(c);
    } else {
      plain = true;
      out.push(c);
      trimmed = out.length;
    }
  }
  return { text: out.slice(0, trimmed).join(''), end: at };
}

/**
 * Splits the value of `$NAME` in `ExecStart=` at blanks and removes quotes and backslashes (systemd.service(5), "Command
 * lines").
 */
export function splitWords(value: string): readonly string[] {
  const words: string[] = [];
  let word: string[] | undefined;
  let quote = '';
  for (let at = 0; at < value.length; at += 1) {
    const c = value.charAt(at);
    if (quote === '' && BLANK.includes(c)) {
      if (word !== undefined) words.push(word.join(''));
      word = undefined;
      continue;
    }
    word = word ?? [];
    if (c === quote) quote = '';
    else if (c === '\\') {
      at += 1;
      word.push(value.charAt(at));
    } else if (quote === '' && (c === '"' || c === "'")) quote = c;
    else word.push(c);
  }
  if (word !== undefined) words.push(word.join(''));
  return words;
}

export interface ReadFlags {
  readonly flags: readonly { readonly name: string; readonly value: string | undefined }[];
  /** Words that are not part of a flag; the kubelet does not start with them. */
  readonly strays: readonly string[];
}

/**
 * Parses flags like the kubelet: `--name=value`, `--name value`, `-v=2`, `-v 2`, `-v2`; `_` in a name is `-`.
 *
 * A word after a flag without `=` is its value unless it starts with `-`; the kubelet has no positional arguments.
 */
export function readFlags(words: readonly string[]): ReadFlags {
  const flags: { name: string; value: string | undefined }[] = [];
  const strays: string[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    const found = /^(?:--([^=-][^=]*)|-([^=-]))(=?)([\s\S]*)$/.exec(word);
    if (found === null) {
      strays.push(word);
      continue;
    }
    const name = (found[1] ?? found[2] ?? '').replace(/_/g, '-');
    if (found[3] === '=' || found[4] !== '') {
      flags.push({ name, value: found[4] ?? '' });
      continue;
    }
    const next = words[index + 1];
    const value = next !== undefined && next.charAt(0) !== '-' ? next : undefined;
    if (value !== undefined) index += 1;
    flags.push({ name, value });
  }
  return { flags, strays };
}
