/** Characters that XML 1.0 (section 2.2) forbids or discourages: control characters and unpaired surrogates. */
const FORBIDDEN = /(?![\t\n\r])\p{Cc}|\p{Cs}|[\ufffe\uffff]/gu;

/** Escapes text between tags; removes forbidden characters. */
export function escapeText(value: string): string {
  return value
    .replace(FORBIDDEN, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\r', '&#13;');
}

/** ` name="value"` for each defined value. Line breaks and tabs are escaped, because parsers normalize them. */
export function attributes(values: Readonly<Record<string, string | number | undefined>>): string {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}="${escapeAttribute(String(value))}"`)
    .join('');
}

/** Escapes the value of an attribute in double quotes, for XML and HTML. */
export function escapeAttribute(value: string): string {
  return escapeText(value).replaceAll('"', '&quot;').replaceAll('\n', '&#10;').replaceAll('\t', '&#9;');
}

export function element(name: string, content: string): string {
  return `<${name}>${escapeText(content)}</${name}>`;
}
