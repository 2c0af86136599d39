/**
 * Assignments of an environment file, as systemd.exec(5), EnvironmentFile=, reads them: `#` and `;` begin comments,
 * values may be quoted in parts, `\` at a line's end goes on in the next. The last assignment of a name counts.
 *
 * Never fails: a line without `=` is none, and an open quote lasts to the end.
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
    // systemd refuses other names.
    if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) found.set(name, value.text);
    at = value.end;
  }
  return found;
}

const BLANK = ' \t\n\r';
/** What a backslash inside double quotes takes its meaning from: the shell's rule. */
const ESCAPED_IN_QUOTES = '"\\`$';

function lineEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    if (text.charAt(at) === '\n' || text.charAt(at) === '\r') return at;
  }
  return text.length;
}

function readValue(text: string, from: number): { readonly text: string; readonly end: number } {
  const out: string[] = [];
  /** How much of `out` stays when blanks at the end are cut away. */
  let kept = 0;
  let quote = '';
  /** Blanks before and between quoted parts do not count; those amidst a plain part do. */
  let plain = false;
  let at = from;
  for (; at < text.length; at += 1) {
    const c = text.charAt(at);
    const newline = c === '\n' || c === '\r';
    if (quote === '' && newline) break;
    if (quote !== '' && c === quote) {
      quote = '';
      plain = false;
      kept = out.length;
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
      kept = out.length;
    } else if (quote !== '') {
      out.push(c);
      kept = out.length;
    } else if (!plain && (c === '"' || c === "'")) {
      quote = c;
    } else if (c === ' ' || c === '\t') {
      if (plain) out.push(c);
    } else {
      plain = true;
      out.push(c);
      kept = out.length;
    }
  }
  return { text: out.slice(0, kept).join(''), end: at };
}

/**
 * Words of a variable that stands in `ExecStart=` as `$NAME`: split at blanks, quotes and backslashes taken away
 * (systemd.service(5), "Command lines").
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
  /** Words that belong to no flag; the kubelet refuses to start with any. */
  readonly strays: readonly string[];
}

/**
 * Words as the kubelet takes them: `--name=value`, `--name value`, `-v=2`, `-v 2`, `-v2`; `_` in a name is `-`.
 *
 * A word that follows a flag without `=` and does not begin with `-` is taken for its value: the kubelet has no
 * words of its own.
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
