/**
 * In which order files go out. A reader that comes in between finds the old state, whole: what a new index names is
 * there before the index, what a new pointer names is there before the pointer, nothing goes before all that named it.
 *
 * - packages: packages and keys
 * - indices: lists under names that change with their content (by-hash, checksum-named), then those under fixed names
 * - pointers: what clients ask for first, and signatures of it
 * - pages: what people and scripts look at
 */
export const PHASES = ['packages', 'indices', 'pointers', 'pages'] as const;
export type Phase = (typeof PHASES)[number];

const IMMUTABLE = 'public, max-age=31536000, immutable';
const MUTABLE = 'public, max-age=60, must-revalidate';

/** `rank` orders files within their phase: a signature goes before what it signs, since clients ask in that order. */
export interface Classified {
  readonly phase: Phase;
  readonly rank: number;
  readonly cacheControl: string;
  readonly contentType: string;
}

/**
 * @param path relative to the repository, `/`-separated
 * @param isLink a symbolic link, which makes all that it leads to current at once
 */
export function classify(path: string, isLink = false): Classified {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const contentType = contentTypeOf(name, path);
  const as = (phase: Phase, rank: number, cacheControl: string) => ({ phase, rank, cacheControl, contentType });
  if (isLink) return as('pointers', 3, MUTABLE);
  // Nobody sees these before the link to their directory.
  if (/(^|\/)\.[^/]*\/[^/]*$/.test(path)) return as('indices', 0, MUTABLE);
  if (/\.(deb|rpm)$/.test(name)) return as('packages', 0, IMMUTABLE);
  if (/(^|\/)by-hash\//.test(path) || /^[0-9a-f]{32,128}-/.test(name)) return as('indices', 0, IMMUTABLE);
  if (/^(Release\.gpg|repomd\.xml\.asc)$/.test(name)) return as('pointers', 0, MUTABLE);
  if (/^(Release|repomd\.xml)$/.test(name)) return as('pointers', 1, MUTABLE);
  if (name === 'InRelease') return as('pointers', 2, MUTABLE);
  if (/\.(key|asc|gpg)$/.test(name)) return as('packages', 1, MUTABLE);
  if (/\.(html|css|svg|json|txt|repo|sources)$/.test(name)) return as('pages', 0, MUTABLE);
  return as('indices', 1, MUTABLE);
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  asc: 'application/pgp-signature',
  css: 'text/css; charset=utf-8',
  deb: 'application/vnd.debian.binary-package',
  gpg: 'application/pgp-keys',
  gz: 'application/gzip',
  html: 'text/html; charset=utf-8',
  json: 'application/json',
  key: 'application/pgp-keys',
  repo: 'text/plain; charset=utf-8',
  rpm: 'application/x-rpm',
  sources: 'text/plain; charset=utf-8',
  svg: 'image/svg+xml',
  txt: 'text/plain; charset=utf-8',
  xml: 'application/xml',
  xz: 'application/x-xz',
  zst: 'application/zstd',
};

/** What a server says that a file is. */
function contentTypeOf(name: string, path = name): string {
  if (path.includes('/by-hash/')) return 'application/octet-stream';
  if (/^(In)?Release$|^Packages$|^Contents-/.test(name) && !/\.(gz|xz)$/.test(name)) return 'text/plain; charset=utf-8';
  return CONTENT_TYPES[name.slice(name.lastIndexOf('.') + 1).toLowerCase()] ?? 'application/octet-stream';
}
