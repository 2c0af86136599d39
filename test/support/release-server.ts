import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Architecture } from '../../src/model/architecture.ts';
import { makeElf, makeTgz } from './binaries.ts';

/** How a server misbehaves. */
export type Fault =
  /** Announces all bytes and closes the connection after some. */
  | { readonly kind: 'cut'; readonly after: number }
  /** Announces all bytes and sends nothing more after some. */
  | { readonly kind: 'stall'; readonly after: number }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string }
  /** A web page with status 200. */
  | { readonly kind: 'page' }
  | { readonly kind: 'redirect'; readonly to: string }
  /** A complete response with other bytes. */
  | { readonly kind: 'bytes'; readonly body: Uint8Array | string }
  /** Announces a length that is wrong by `off`; the body is correct. */
  | { readonly kind: 'length'; readonly off: number }
  /** These bytes without a Content-Length. */
  | { readonly kind: 'chunked'; readonly body: Uint8Array }
  /** Does not answer a range request with the rest of the file. */
  | {
      readonly kind: 'range';
      readonly gives:
        | 'all'
        | 'shifted'
        | 'misstated'
        | 'other-total'
        | 'other-file'
        | 'unfinished'
        | 'no-content-range'
        | 'other-bytes';
    }
  | { readonly kind: 'refuse-range' }
  | { readonly kind: 'encoded' };

interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
}

/** The servers of a release, on the loopback interface. */
export interface ReleaseServer {
  /** Base URL without a trailing slash. */
  readonly url: string;
  /** By path with a leading slash; each artifact has a digest file. */
  readonly files: Map<string, Buffer>;
  readonly requests: SeenRequest[];
  /** The next GET requests of a path get these faults, one each; 'ever' repeats the last one. */
  misbehave(path: string, faults: readonly Fault[], repeat?: 'ever'): void;
  /** Publishes a file and its digest files. */
  publish(path: string, bytes: Uint8Array, algorithms?: readonly ('sha256' | 'sha512')[]): void;
  close(): Promise<void>;
}

const LAST_MODIFIED = 'Wed, 12 Aug 2026 10:00:00 GMT';

export async function startReleaseServer(): Promise<ReleaseServer> {
  const files = new Map<string, Buffer>();
  const requests: SeenRequest[] = [];
  const faults = new Map<string, { readonly queue: Fault[]; readonly repeat: boolean }>();
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    const { range } = request.headers;
    const ifRange = request.headers['if-range'];
    requests.push({ method: request.method ?? '', path, range, ifRange: ifRange?.toString() });
    const waiting = request.method === 'GET' ? faults.get(path) : undefined;
    const [next] = waiting?.queue ?? [];
    // On a busy machine a client may lose all bytes before the cut; without a range request, cut again.
    const isEarly = next?.kind === 'range' && range === undefined;
    const fault: Fault | undefined = isEarly ? { kind: 'cut', after: (files.get(path)?.length ?? 0) >> 1 } : next;
    if (!isEarly && waiting !== undefined && (waiting.queue.length > 1 || !waiting.repeat)) waiting.queue.shift();
    const bytes = files.get(path);
    if (fault !== undefined) {
      sendFault(fault, bytes ?? Buffer.alloc(0), request, response);
    } else if (bytes === undefined) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('not found');
    } else {
      answer(bytes, request, response);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    files,
    requests,
    misbehave(path, queue, repeat) {
      faults.set(path, { queue: [...queue], repeat: repeat === 'ever' });
    },
    publish(path, bytes, algorithms = ['sha256']) {
      files.set(path, Buffer.from(bytes));
      for (const algorithm of algorithms) {
        files.set(`${path}.${algorithm}`, Buffer.from(createHash(algorithm).update(bytes).digest('hex')));
      }
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export interface PublishedRelease {
  readonly version: string;
  readonly cniPlugins: string;
  readonly criTools: string;
  readonly architectures: readonly Architecture[];
  /** Bytes of the kubelet beyond its headers. */
  readonly kubeletBytes?: number;
}

/** Paths of a release on the servers. */
export function pathsOf(release: PublishedRelease, architecture: Architecture) {
  const { version, cniPlugins, criTools } = release;
  const binaries = `/release/v${version}/bin/linux/${architecture}`;
  return {
    kubeadm: `${binaries}/kubeadm`,
    kubelet: `${binaries}/kubelet`,
    kubectl: `${binaries}/kubectl`,
    cni: `/containernetworking/plugins/releases/download/v${cniPlugins}/cni-plugins-linux-${architecture}-v${cniPlugins}.tgz`,
    crictl: `/kubernetes-sigs/cri-tools/releases/download/v${criTools}/crictl-v${criTools}-linux-${architecture}.tar.gz`,
  };
}

/** Publishes a release of static binaries without code on a server. */
export function publishRelease(server: ReleaseServer, release: PublishedRelease): void {
  for (const architecture of release.architectures) {
    const paths = pathsOf(release, architecture);
    const binary = (name: string, bytes = 100) => makeElf(architecture, { tail: name.padEnd(bytes, '.') });
    server.publish(paths.kubeadm, binary('kubeadm'));
    server.publish(paths.kubelet, binary('kubelet', release.kubeletBytes));
    server.publish(paths.kubectl, binary('kubectl'));
    server.publish(
      paths.cni,
      makeTgz([
        { path: './', type: 'Directory' },
        { path: './bridge', body: binary('bridge') },
        { path: './loopback', body: binary('loopback') },
        { path: './LICENSE', body: 'Apache-2.0\n', mode: 0o644 },
      ]),
    );
    server.publish(paths.crictl, makeTgz([{ path: 'crictl', body: binary('crictl') }]));
  }
  const minor = release.version.split('.').slice(0, 2).join('.');
  server.files.set('/release/stable.txt', Buffer.from(`v${release.version}`));
  server.files.set(`/release/stable-${minor}.txt`, Buffer.from(`v${release.version}\n`));
}

function headersOf(bytes: Buffer): Record<string, string | number> {
  return {
    'content-type': 'application/octet-stream',
    'content-length': bytes.length,
    'last-modified': LAST_MODIFIED,
    'accept-ranges': 'bytes',
    etag: `"${createHash('md5').update(bytes).digest('hex')}"`,
  };
}

/** RFC 9110: If-Range with another validator requests the whole file. */
function answer(bytes: Buffer, request: IncomingMessage, response: ServerResponse): void {
  const headers = headersOf(bytes);
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? Number.NaN);
  const isUnchanged = [undefined, headers.etag, headers['last-modified']].includes(
    request.headers['if-range']?.toString(),
  );
  if (Number.isNaN(start) || !isUnchanged) {
    response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : bytes);
  } else if (start >= bytes.length) {
    response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
  } else {
    const range = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
    response
      .writeHead(206, { ...headers, 'content-length': bytes.length - start, 'content-range': range })
      .end(bytes.subarray(start));
  }
}

function sendFault(fault: Fault, bytes: Buffer, request: IncomingMessage, response: ServerResponse): void {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const partly = (from: number, rest: Buffer, total: number) => ({
    ...headersOf(bytes),
    'content-length': rest.length,
    'content-range': `bytes ${from}-${from + rest.length - 1}/${total}`,
  });
  switch (fault.kind) {
    case 'cut':
    case 'stall': {
      const rest = bytes.subarray(start);
      if (start > 0) response.writeHead(206, partly(start, rest, bytes.length));
      else response.writeHead(200, headersOf(bytes));
      response.flushHeaders();
      response.write(rest.subarray(0, fault.after), () => {
        // The client discards bytes that it has not read yet when the connection closes.
        if (fault.kind === 'cut') setTimeout(() => response.destroy(), 50);
      });
      return;
    }
    case 'status':
      response
        .writeHead(fault.status, fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter })
        .end('no');
      return;
    case 'page':
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<html><title>Log in</title></html>');
      return;
    case 'redirect':
      response.writeHead(302, { location: fault.to }).end();
      return;
    case 'bytes':
      response.writeHead(200, headersOf(Buffer.from(fault.body))).end(fault.body);
      return;
    case 'length':
      response.writeHead(200, { ...headersOf(bytes), 'content-length': bytes.length + fault.off });
      response.strictContentLength = false;
      response.end(bytes);
      return;
    case 'chunked':
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      response.write(fault.body);
      response.end();
      return;
    case 'encoded':
      response.writeHead(200, { ...headersOf(bytes), 'content-encoding': 'gzip' }).end(bytes);
      return;
    case 'refuse-range':
      response.writeHead(start > 0 ? 416 : 200, start > 0 ? {} : headersOf(bytes)).end(start > 0 ? undefined : bytes);
      return;
    case 'range': {
      if (start === 0) {
        answer(bytes, request, response);
      } else if (fault.gives === 'all') {
        response.writeHead(200, headersOf(bytes)).end(bytes);
      } else if (fault.gives === 'shifted') {
        const rest = bytes.subarray(start - 1);
        response.writeHead(206, partly(start - 1, rest, bytes.length)).end(rest);
      } else if (fault.gives === 'misstated') {
        const rest = bytes.subarray(start);
        const range = `bytes ${start - 1}-${bytes.length - 1}/${bytes.length}`;
        response.writeHead(206, { ...partly(start, rest, bytes.length), 'content-range': range }).end(rest);
      } else if (fault.gives === 'other-file') {
        const rest = bytes.subarray(start, -1);
        response.writeHead(206, partly(start, rest, bytes.length - 1)).end(rest);
      } else if (fault.gives === 'unfinished') {
        const { 'content-length': _, ...headers } = partly(start, bytes.subarray(start, -1), bytes.length);
        response.writeHead(206, headers).end(bytes.subarray(start, -1));
      } else if (fault.gives === 'other-total') {
        const rest = bytes.subarray(start, -1);
        response.writeHead(206, partly(start, rest, bytes.length)).end(rest);
      } else if (fault.gives === 'no-content-range') {
        const { 'content-range': _, ...headers } = partly(start, bytes.subarray(start), bytes.length);
        response.writeHead(206, headers).end(bytes.subarray(start));
      } else {
        const rest = Buffer.from(bytes.subarray(start)).fill('x');
        response.writeHead(206, partly(start, rest, bytes.length)).end(rest);
      }
    }
  }
}
