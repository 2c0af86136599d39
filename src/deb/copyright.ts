/**
 * The licence that a machine-readable copyright file (copyright-format 1.0) states for `Files: *`; '' for any other kind
 * of copyright file.
 */
export function parseFilesLicence(text: string): string {
  if (!/^Format:/im.test(text.slice(0, text.indexOf('\n\n') + 1 || text.length))) {
    return '';
  }
  const paragraph = text.split(/\n(?:[ \t]*\n)+/).find((part) => /^Files:[ \t]*\*[ \t]*$/im.test(part));
  return /^License:[ \t]*(\S.*)$/im.exec(paragraph ?? '')?.[1]?.trimEnd() ?? '';
}
