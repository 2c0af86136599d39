/** What XML 1.0 has no way to write (section 2.2) or discourages: control characters, halves of characters. */
const UNWRITABLE = /(?![\t\n\r])\p{Cc}|\p{Cs}|[\ufffe\uffff]/gu;

/** Text between tags. */
export function escapeText(value: string): string {
  return value
    .replace(UNWRITABLE, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\r', '&#13;');
}

/** ` name="value"` for each; those of undefined are left out. Line breaks and tabs are kept, as a parser would not. */
export function attributes(values: Readonly<Record<string, string | number | undefined>>): string {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}="${escapeAttribute(String(value))}"`)
    .join('');
}

/** The value of an attribute in double quotes, also in HTML. */
export function escapeAttribute(value: string): string {
  return escapeText(value).replaceAll('"', '&quot;').replaceAll('\n', '&#10;').replaceAll('\t', '&#9;');
}

export function element(name: string, content: string): string {
  return `<${name}>${escapeText(content)}</${name}>`;
}
