/**
 * The order of uploads. A client that reads the target during an upload sees a complete old or new state: files are uploaded
 * before the index or pointer that names them, and deleted after it.
 *
 * - packages: packages and keys
 * - indices: files with a digest in their name (by-hash, repodata/SHA256-*), then files with fixed names
 * - pointers: what clients request first (Release, InRelease, repomd.xml), and its signatures
 * - pages: files for people and scripts
 */
export const PHASES = ['packages', 'indices', 'pointers', 'pages'] as const;
export type Phase = (typeof PHASES)[number];

const IMMUTABLE = 'public, max-age=31536000, immutable';
const MUTABLE = 'public, max-age=60, must-revalidate';

/** `rank`: order within the phase. Detached signatures come before the files that they sign. */
export interface Classified {
  readonly phase: Phase;
  readonly rank: number;
  readonly cacheControl: string;
  readonly contentType: string;
}

/**
 * @param path relative to the repository, `/`-separated
 * @param isLink a symbolic link, which activates all files it points to at once
 */
export function classify(path: string, isLink = false): Classified {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const contentType = contentTypeOf(name, path);
  const as = (phase: Phase, rank: number, cacheControl: string) => ({ phase, rank, cacheControl, contentType });
  if (isLink) return as('pointers', 3, MUTABLE);
  // Clients cannot see a hidden directory before the symbolic link to it.
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

/** MIME type. */
function contentTypeOf(name: string, path = name): string {
  if (path.includes('/by-hash/')) return 'application/octet-stream';
  if (/^(In)?Release$|^Packages$|^Contents-/.test(name) && !/\.(gz|xz)$/.test(name)) return 'text/plain; charset=utf-8';
  return CONTENT_TYPES[name.slice(name.lastIndexOf('.') + 1).toLowerCase()] ?? 'application/octet-stream';
}
