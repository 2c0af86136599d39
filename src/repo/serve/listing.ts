import { escapeAttribute } from '../../support/xml.ts';

interface ListingEntry {
  readonly name: string;
  readonly isDirectory: boolean;
  /** Bytes. */
  readonly size: number | undefined;
}

/** A directory as a page: names, links, sizes in bytes. */
export function renderListing(path: string, entries: readonly ListingEntry[]): string {
  const title = escapeAttribute(`/${path}`);
  const rows = entries.map(({ name, isDirectory, size }) => {
    const slash = isDirectory ? '/' : '';
    // `./` since a name may have a colon: core:/ would be taken for a scheme.
    const link = `<a href="./${encodeURIComponent(name)}${slash}">${escapeAttribute(name)}${slash}</a>`;
    return `<tr><td>${link}</td><td>${isDirectory ? '' : (size ?? '')}</td></tr>`;
  });
  const up = path === '' ? '' : '<p><a href="../">One directory up</a></p>';
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;margin:2rem}td{padding-right:2rem}</style>
</head><body><main><h1>${title}</h1>${up}<table><tbody>
${rows.join('\n')}
</tbody></table></main></body></html>
`;
}
