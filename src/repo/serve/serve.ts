import { createReadStream } from 'node:fs';
import { lstat, readdir, realpath } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { KubeparcelError } from '../../support/errors.ts';
import { escapeAttribute } from '../../support/xml.ts';
import { classify } from '../storage/classify.ts';

export interface RepositoryServer {
  /** http://127.0.0.1:8080 */
  readonly url: string;
  close(): Promise<void>;
}

interface ServeOptions {
  /** 0 selects a free port. */
  readonly port: number;
  readonly host: string;
  /** Called after each response. */
  readonly onRequest?: ((line: string) => void) | undefined;
}

/**
 * Serves a directory over HTTP for testing: GET and HEAD, one range per request (RFC 9110, section 14), and listings of
 * directories without index.html. Hidden files and files outside the directory are not served.
 *
 * @throws KubeparcelError of kind 'usage' if the directory does not exist or the port is not available
 */
export async function serveRepository(directory: string, options: ServeOptions): Promise<RepositoryServer> {
  if (!Number.isInteger(options.port) || options.port < 0 || options.port > 65535) {
    throw new KubeparcelError('usage', 'invalid port', { where: '--port', hint: 'expected a number from 0 to 65535' });
  }
  let root: string;
  try {
    root = await realpath(directory);
  } catch (cause) {
    throw new KubeparcelError('usage', 'cannot open the repository', { where: directory, cause });
  }
  const server = createServer({ requestTimeout: 60_000, keepAliveTimeout: 5_000 }, (request, response) => {
    respond(root, request, response)
      .catch(() => fail(response, 500))
      .finally(() => options.onRequest?.(`${request.method} ${request.url} ${response.statusCode}`));
  });
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, { port, host }: ServeOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new KubeparcelError('usage', `cannot listen on this address (${cause.code})`, {
          where: `${host}:${port}`,
          hint: 'choose another --port or --host',
          cause,
        }),
      ),
    );
    server.listen(port, host, resolve);
  });
}

async function respond(root: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return fail(response, 405);
  }
  const path = requestPath(request.url ?? '/');
  const found = path === undefined ? undefined : await findFile(root, path);
  if (path === undefined || found === undefined) return fail(response, 404);
  if (found.isDirectory) {
    if (!path.endsWith('/') && path !== '') {
      response.setHeader('Location', `/${path.split('/').map(encodeURIComponent).join('/')}/`);
      return fail(response, 301);
    }
    const index = await findFile(root, `${path}index.html`);
    if (index !== undefined && !index.isDirectory) return sendFile(`${path}index.html`, index, request, response);
    return sendListing(path, found.file, request, response);
  }
  return sendFile(path, found, request, response);
}

/** The decoded path without the leading slash; undefined if it is invalid or hidden. */
function requestPath(url: string): string | undefined {
  let path: string;
  try {
    path = decodeURIComponent(url.replace(/[?#].*$/s, ''));
  } catch {
    return undefined;
  }
  const segments = path.replace(/^\//, '').split('/');
  const isHidden = segments.some(
    (segment, at) => segment.startsWith('.') || (segment === '' && at < segments.length - 1),
  );
  return path.startsWith('/') && !path.includes('\0') && !isHidden ? segments.join('/') : undefined;
}

interface FoundFile {
  readonly file: string;
  readonly isDirectory: boolean;
  readonly size: number;
  readonly mtime: Date;
}

/** Follows symbolic links inside the repository only. */
async function findFile(root: string, path: string): Promise<FoundFile | undefined> {
  try {
    const file = await realpath(resolve(root, `./${path}`));
    if (file !== root && !file.startsWith(root.endsWith(sep) ? root : `${root}${sep}`)) return undefined;
    const found = await lstat(file);
    if (!found.isFile() && !found.isDirectory()) return undefined;
    return { file, isDirectory: found.isDirectory(), size: found.size, mtime: found.mtime };
  } catch {
    return undefined;
  }
}

async function sendFile(
  path: string,
  { file, size, mtime }: FoundFile,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { contentType } = classify(path);
  // HTTP dates have whole seconds.
  const modified = Math.floor(mtime.getTime() / 1000) * 1000;
  response.setHeader('Content-Type', contentType);
  response.setHeader('Last-Modified', new Date(modified).toUTCString());
  response.setHeader('Accept-Ranges', 'bytes');
  // The repository may change at any time.
  response.setHeader('Cache-Control', 'no-cache');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  const since = Date.parse(request.headers['if-modified-since'] ?? '');
  if (request.headers.range === undefined && since >= modified) {
    response.writeHead(304).end();
    return;
  }
  const unchanged = request.headers['if-range']?.toString();
  const isSame = unchanged === undefined || Date.parse(unchanged) === modified;
  const range = isSame ? rangeOf(request.headers.range, size) : undefined;
  if (range === 'unsatisfiable') {
    response.setHeader('Content-Range', `bytes */${size}`);
    return fail(response, 416);
  }
  const { start, end } = range ?? { start: 0, end: size - 1 };
  if (range !== undefined) response.setHeader('Content-Range', `bytes ${start}-${end}/${size}`);
  response.writeHead(range === undefined ? 200 : 206, { 'Content-Length': end - start + 1 });
  if (request.method === 'HEAD' || end < start) {
    response.end();
    return;
  }
  try {
    await pipeline(createReadStream(file, { start, end }), response);
  } catch {
    // The client disconnected, or the file became shorter than Content-Length.
    response.destroy();
  }
}

async function sendListing(
  path: string,
  directory: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const names = (await readdir(directory)).filter((name) => !name.startsWith('.')).sort();
  const entries = await Promise.all(
    names.map(async (name) => {
      const found = await findFile(directory, name);
      return {
        name,
        isDirectory: found?.isDirectory ?? (await isLinkedDirectory(join(directory, name))),
        size: found?.size,
      };
    }),
  );
  const page = Buffer.from(renderListing(path, entries));
  response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Length': page.length });
  response.end(request.method === 'HEAD' ? undefined : page);
}

async function isLinkedDirectory(path: string): Promise<boolean> {
  return realpath(path).then(
    async (file) => (await lstat(file)).isDirectory(),
    () => false,
  );
}

function fail(response: ServerResponse, status: number): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(status < 400 ? '' : `${status}\n`);
}

/** Offsets of the first and last byte. */
interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Parses a Range header (RFC 9110, section 14.1.2). Invalid headers and several ranges are ignored, which the RFC permits.
 *
 * @param size of the file, bytes
 * @returns undefined for the whole file
 */
export function rangeOf(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | undefined {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return undefined;
  if (start >= size) return 'unsatisfiable';
  return { start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) };
}

interface ListingEntry {
  readonly name: string;
  readonly isDirectory: boolean;
  /** Bytes. */
  readonly size: number | undefined;
}

/** HTML listing of a directory: names with links, and sizes in bytes. */
function renderListing(path: string, entries: readonly ListingEntry[]): string {
  const title = escapeAttribute(`/${path}`);
  const rows = entries.map(({ name, isDirectory, size }) => {
    const slash = isDirectory ? '/' : '';
    // Without `./`, browsers would read core:/ as a scheme.
    const link = `<a href="./${encodeURIComponent(name)}${slash}">${escapeAttribute(name)}${slash}</a>`;
    return `<tr><td>${link}</td><td>${isDirectory ? '' : (size ?? '')}</td></tr>`;
  });
  const up = path === '' ? '' : '<p><a href="../">Parent directory</a></p>';
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;margin:2rem}td{padding-right:2rem}</style>
</head><body><main><h1>${title}</h1>${up}<table><tbody>
${rows.join('\n')}
</tbody></table></main></body></html>
`;
}
