/** JSON data; keys with the value undefined are omitted. */
export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain | undefined };

/** A YAML document in block style, indented by two spaces, ending with a newline. YAML 1.1 and 1.2 give the same data. */
export function writeYaml(value: Plain): string {
  if (isScalar(value)) return `${scalar(value, '')}\n`;
  return `${block(value, '').join('\n')}\n`;
}

/** Several documents separated by `---`. */
export function writeYamlDocuments(documents: readonly Plain[]): string {
  return documents.map(writeYaml).join('---\n');
}

/** JSON indented by two spaces, ending with a newline. */
export function writeJson(value: Plain): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

type Scalar = string | number | boolean | null;
type Collection = Exclude<Plain, Scalar>;

function isScalar(value: Plain): value is Scalar {
  return value === null || typeof value !== 'object';
}

function isList(value: Collection): value is readonly Plain[] {
  return Array.isArray(value);
}

/** Lines of a collection, each with its indentation. */
function block(value: Collection, indent: string): string[] {
  if (isList(value)) {
    if (value.length === 0) return [`${indent}[]`];
    return value.flatMap((item) => {
      if (isScalar(item)) return [`${indent}- ${scalar(item, `${indent}  `)}`];
      const [first = '', ...rest] = block(item, `${indent}  `);
      return [`${indent}- ${first.slice(indent.length + 2)}`, ...rest];
    });
  }
  const lines: string[] = [];
  for (const key of Object.keys(value)) {
    const item = value[key];
    if (item === undefined) continue;
    const name = isPlainText(key) ? key : quoted(key);
    // YAML 1.2, 8.2.2: a key of more than 1024 characters needs `?`.
    const start = name.length > 1000 ? `${indent}? ${name}\n${indent}:` : `${indent}${name}:`;
    if (isScalar(item)) {
      lines.push(`${start} ${scalar(item, `${indent}  `)}`);
    } else if (isEmpty(item)) {
      lines.push(`${start} ${isList(item) ? '[]' : '{}'}`);
    } else {
      // Lists are not indented below their key, as in files of Kubernetes tools.
      lines.push(start, ...block(item, isList(item) ? indent : `${indent}  `));
    }
  }
  return lines.length === 0 ? [`${indent}{}`] : lines;
}

function isEmpty(value: Collection): boolean {
  return isList(value) ? value.length === 0 : Object.keys(value).every((key) => value[key] === undefined);
}

function scalar(value: Scalar, indent: string): string {
  if (typeof value === 'number') return number(value);
  if (typeof value !== 'string') return String(value);
  if (isPlainText(value)) return value;
  if (indent !== '' && isLiteralText(value)) return literal(value, indent);
  return quoted(value);
}

function number(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf';
  const text = Object.is(value, -0) ? '-0.0' : String(value);
  // In YAML 1.1, a number with an exponent but without a dot is text.
  return /e/.test(text) && !/\./.test(text) ? text.replace('e', '.0e') : text;
}

const RESERVED_WORD = /^(null|true|false|yes|no|on|off|y|n)$/i;
/** A superset of the numbers of YAML 1.1 and 1.2, including base 60; unnecessary quotes are harmless. */
const NUMBER_LIKE =
  /^[0-9][0-9_]*(\.[0-9_]*)?(e[-+]?[0-9_]*)?$|^e[-+]?[0-9]+$|^0[xob]?[0-9a-f_]*$|^[0-9][0-9_]*(:[0-9]*)+(\.[0-9_]*)?$/i;
const DATE_LIKE = /^[0-9]{4}-[0-9]/;
const PLAIN_TEXT = /^[A-Za-z0-9_/](?:[A-Za-z0-9_/.,:@%+=~()<>*&!$;-]| (?=[A-Za-z0-9_/.,@%+=~()<>*&!$;-]))*$/;

/** Text that needs no quotes: not a number, a boolean, a date or a key in any version of YAML. */
function isPlainText(text: string): boolean {
  return (
    PLAIN_TEXT.test(text) &&
    !/:( |$)/.test(text) &&
    !RESERVED_WORD.test(text) &&
    !NUMBER_LIKE.test(text) &&
    !DATE_LIKE.test(text)
  );
}

/** Lines that a literal block preserves: printable, not indented at the start, no empty line at the end. */
function isLiteralText(text: string): boolean {
  return /^[!-~][ -~]*(\n[ -~]*)*$/.test(text) && text.includes('\n') && !/\n\n$/.test(text);
}

function literal(text: string, indent: string): string {
  const ends = text.endsWith('\n');
  const lines = (ends ? text.slice(0, -1) : text).split('\n');
  return [ends ? '|' : '|-', ...lines.map((line) => (line === '' ? '' : `${indent}${line}`))].join('\n');
}

/** YAML 1.2, 7.3.1: YAML has the escapes of JSON. Characters that are not printable in YAML are also escaped. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u00a0\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${`000${character.charCodeAt(0).toString(16)}`.slice(-4)}`,
  );
}
