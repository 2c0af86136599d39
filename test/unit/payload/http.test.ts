import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { HttpTransport } from '../../../src/payload/sources/http-transport.ts';
import type { ReleaseEvent } from '../../../src/release/events.ts';
import type { Sink } from '../../../src/release/source.ts';
import { QUICK } from '../../support/release-fixture.ts';
import { type Fault, type ReleaseServer, startReleaseServer } from '../../support/release-server.ts';

const PATH = '/release/v1.36.4/bin/linux/amd64/kubelet';
const BYTES = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7919) >> 4));

function memorySink(): Sink & { readonly bytes: () => Buffer } {
  let chunks: Uint8Array[] = [];
  let size = 0;
  let validator: string | undefined;
  return {
    get size() {
      return size;
    },
    get validator() {
      return validator;
    },
    async restart(next) {
      chunks = [];
      size = 0;
      validator = next;
    },
    resume() {},
    async append(chunk) {
      chunks.push(Buffer.from(chunk));
      size += chunk.length;
    },
    bytes: () => Buffer.concat(chunks),
  };
}

async function server(): Promise<ReleaseServer> {
  const started = await startReleaseServer();
  onTestFinished(() => started.close());
  started.files.set(PATH, BYTES);
  return started;
}

function transport(options = QUICK) {
  const opened = new HttpTransport(options);
  onTestFinished(() => opened.close());
  return opened;
}

async function transfer(from: ReleaseServer, size?: number) {
  const sink = memorySink();
  const events: ReleaseEvent[] = [];
  await transport().transfer({ url: `${from.url}${PATH}`, size }, sink, { onEvent: (event) => events.push(event) });
  return { sink, events, ranges: from.requests.map(({ range }) => range) };
}

const cut = (after: number): Fault => ({ kind: 'cut', after });

describe('a transfer succeeds', () => {
  test.each<[string, readonly Fault[], readonly (string | undefined)[]]>([
    ['without an error', [], [undefined]],
    ['after a broken connection, from where it broke', [cut(40_000)], [undefined, 'bytes=40000-']],
    [
      'after several broken connections',
      [cut(10_000), cut(5000), cut(0)],
      [undefined, 'bytes=10000-', 'bytes=15000-', 'bytes=15000-'],
    ],
    ['after a broken connection before the first byte', [cut(0)], [undefined, undefined]],
    ['after a stall', [{ kind: 'stall', after: 30_000 }], [undefined, 'bytes=30000-']],
    [
      'after 503, 500 and 429',
      [503, 500, 429].map((status) => ({ kind: 'status', status })),
      [undefined, undefined, undefined, undefined],
    ],
    [
      'after 503 to a range request',
      [cut(1000), { kind: 'status', status: 503 }],
      [undefined, 'bytes=1000-', 'bytes=1000-'],
    ],
    ['when the server ignores ranges', [cut(1000), { kind: 'range', gives: 'all' }], [undefined, 'bytes=1000-']],
    [
      'when the server sends another range',
      [cut(1000), { kind: 'range', gives: 'shifted' }],
      [undefined, 'bytes=1000-', undefined],
    ],
    ...(['misstated', 'other-file', 'unfinished'] as const).map(
      (gives): [string, readonly Fault[], (string | undefined)[]] => [
        `when the range response is ${gives}`,
        [cut(1000), { kind: 'range', gives }],
        [undefined, 'bytes=1000-', undefined],
      ],
    ),
    [
      'when the range is too short',
      [cut(1000), { kind: 'range', gives: 'other-total' }],
      [undefined, 'bytes=1000-', undefined],
    ],
    [
      'when the response has no Content-Range',
      [cut(1000), { kind: 'range', gives: 'no-content-range' }],
      [undefined, 'bytes=1000-', undefined],
    ],
    ['when the server refuses ranges', [cut(1000), { kind: 'refuse-range' }], [undefined, 'bytes=1000-', undefined]],
  ])('%s', async (_, faults, ranges) => {
    const from = await server();
    from.misbehave(PATH, faults);
    const { sink, ranges: seen } = await transfer(from, BYTES.length);
    expect(sink.bytes().equals(BYTES)).toBe(true);
    expect(seen).toEqual(ranges);
  });

  test('when the announced length is larger than the body', async () => {
    const from = await server();
    from.misbehave(PATH, [{ kind: 'length', off: 10 }]);
    expect((await transfer(from)).sink.bytes().equals(BYTES)).toBe(true);
  });

  test('wherever the connection breaks', async () => {
    const from = await server();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 3 }), async (cuts) => {
        from.misbehave(PATH, cuts.map(cut));
        expect((await transfer(from)).sink.bytes().equals(BYTES)).toBe(true);
      }),
      { numRuns: 15 },
    );
  });

  test('from the start when the file has changed', async () => {
    const from = await server();
    from.misbehave(PATH, [cut(1000)]);
    const other = Buffer.alloc(5000, 'n');
    const sink = memorySink();
    await transport().transfer({ url: `${from.url}${PATH}`, size: undefined }, sink, {
      onEvent: () => from.files.set(PATH, other),
    });
    expect(sink.bytes().equals(other)).toBe(true);
    expect(from.requests.at(-1)).toMatchObject({
      range: 'bytes=1000-',
      ifRange: expect.stringMatching(/^"[0-9a-f]+"$/),
    });
  });

  test('through redirects', async () => {
    const from = await server();
    from.misbehave('/a', [{ kind: 'redirect', to: '/b' }], 'ever');
    from.misbehave('/b', [{ kind: 'redirect', to: `${from.url}${PATH}` }], 'ever');
    from.misbehave(PATH, [cut(500)]);
    const sink = memorySink();
    await transport().transfer({ url: `${from.url}/a`, size: BYTES.length }, sink, {});
    expect(sink.bytes().equals(BYTES)).toBe(true);
  });

  test('after the delay that the server asks for, or exponentially growing delays', async () => {
    const from = await server();
    from.misbehave(PATH, [{ kind: 'status', status: 429, retryAfter: '1' }]);
    const asked = await transfer(from);
    expect(asked.events).toEqual([
      expect.objectContaining({ kind: 'retry', delay: 1000, reason: 'the server answered 429' }),
    ]);
    from.misbehave(
      PATH,
      [503, 503, 503].map((status) => ({ kind: 'status', status })),
    );
    expect((await transfer(from)).events.map((event) => 'delay' in event && event.delay)).toEqual([1, 2, 4]);
    from.misbehave(PATH, [{ kind: 'status', status: 503, retryAfter: new Date(Date.now() - 5000).toUTCString() }]);
    expect((await transfer(from)).events).toEqual([expect.objectContaining({ delay: 0 })]);
  });
});

describe('a transfer fails with a message and the URL', () => {
  test.each<[string, readonly Fault[], string, string]>([
    ['404', [{ kind: 'status', status: 404 }], 'network', 'no such file'],
    ['403', [{ kind: 'status', status: 403 }], 'network', 'answered 403'],
    ['only 503', [{ kind: 'status', status: 503 }], 'network', 'answered 503; gave up after 4 tries'],
    ['only broken connections', [cut(0)], 'network', 'gave up after 4 tries'],
    ['only stalled connections', [{ kind: 'stall', after: 0 }], 'network', 'timed out'],
    [
      'a Retry-After of an hour',
      [{ kind: 'status', status: 429, retryAfter: '3600' }],
      'network',
      'asks to wait 3600 s',
    ],
    ['a web page', [{ kind: 'page' }], 'network', 'web page'],
    ['a redirect to itself', [{ kind: 'redirect', to: PATH }], 'network', 'redirects'],
    ['a redirect to a file', [{ kind: 'redirect', to: 'file:///etc/passwd' }], 'network', 'not an HTTP URL'],
    ['a redirect to nowhere', [{ kind: 'redirect', to: 'http://' }], 'network', 'not an HTTP URL'],
    ['a compressed body', [{ kind: 'encoded' }], 'network', 'compresses'],
    ['more than announced', [{ kind: 'length', off: 100 }], 'verification', 'expected 100000'],
    ['less than expected', [{ kind: 'bytes', body: 'short' }], 'verification', 'expected 100000'],
  ])('%s', async (_, faults, kind, message) => {
    const from = await server();
    from.misbehave(PATH, faults, 'ever');
    await expect(transfer(from, BYTES.length)).rejects.toMatchObject({
      name: 'KubeparcelError',
      kind,
      message: expect.stringContaining(message),
      where: expect.stringContaining(from.url),
    });
  });

  test('connection refused', async () => {
    const from = await server();
    await from.close();
    await expect(transfer(from)).rejects.toMatchObject({
      kind: 'network',
      message: expect.stringContaining('connection refused'),
    });
  });

  test('an abort ends delays and transfers with its reason', async () => {
    const from = await server();
    from.misbehave(PATH, [{ kind: 'status', status: 503, retryAfter: '2' }], 'ever');
    const stop = new AbortController();
    const reason = new Error('Ctrl-C');
    const waiting = transport().transfer({ url: `${from.url}${PATH}`, size: undefined }, memorySink(), {
      signal: stop.signal,
      onEvent: () => stop.abort(reason),
    });
    await expect(waiting).rejects.toBe(reason);
    await expect(transport().text(`${from.url}${PATH}`, { signal: stop.signal })).rejects.toBe(reason);
  });
});

describe('a proxy', () => {
  afterEach(() => vi.unstubAllEnvs());

  /** Records plain requests and CONNECT requests. */
  async function proxy() {
    const seen: string[] = [];
    const started = createServer((request, response) => {
      seen.push(request.url ?? '');
      response.writeHead(200, { 'content-type': 'text/plain' }).end('v1.36.4');
    });
    started.on('connect', (request, socket) => {
      seen.push(request.url ?? '');
      const [host, port] = (request.url ?? '').split(':');
      const upstream = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.pipe(socket);
        socket.pipe(upstream);
      });
      upstream.on('error', () => socket.destroy());
      socket.on('error', () => upstream.destroy());
    });
    await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      started.closeAllConnections();
      started.close();
    });
    return { seen, url: `http://127.0.0.1:${(started.address() as AddressInfo).port}` };
  }

  test('is used, except for hosts in NO_PROXY', async () => {
    const from = await server();
    from.files.set('/release/stable.txt', Buffer.from('v1.36.4'));
    const { seen, url } = await proxy();
    for (const name of ['http_proxy', 'https_proxy', 'no_proxy', 'HTTPS_PROXY', 'NO_PROXY'])
      vi.stubEnv(name, undefined);
    vi.stubEnv('HTTP_PROXY', url);
    expect(await transport().text(`${from.url}/release/stable.txt`, {})).toBe('v1.36.4');
    expect(seen).toHaveLength(1);
    vi.stubEnv('NO_PROXY', '127.0.0.1');
    expect(await transport().text(`${from.url}/release/stable.txt`, {})).toBe('v1.36.4');
    expect(seen).toHaveLength(1);
  });
});
