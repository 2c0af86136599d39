import { setTimeout as wait } from 'node:timers/promises';
import type { Artifact } from '../../release/release.ts';
import type { Sink, SourceContext } from '../../release/source.ts';
import { KubeparcelError } from '../../support/errors.ts';
import {
  connectionFailure,
  createHttpAgent,
  drop,
  type HttpResponse,
  header,
  PassingFailure,
} from '../../support/http-request.ts';
import { MAX_TEXT_BYTES, type Transport } from './transport.ts';

/** Times are in milliseconds. */
export interface HttpOptions {
  /** Tries of one request without progress before it counts as failed; 6 by default. */
  readonly attempts?: number;
  /** Wait before the second try, doubled before each further one; 500 by default. */
  readonly firstDelay?: number;
  /** 30 s by default. */
  readonly longestDelay?: number;
  /** A server that asks to wait longer than this has failed; 2 minutes by default. */
  readonly longestRetryAfter?: number;
  /** Silence after which a connection counts as broken; 1 minute by default. */
  readonly stall?: number;
}

/** A transfer that brought at least this much has made progress, and its tries are counted anew. */
const PROGRESS_BYTES = 1 << 20;

/**
 * Reads from web servers. HTTP_PROXY, HTTPS_PROXY and NO_PROXY are honoured; passing failures are tried again with
 * exponentially growing waits, or as the server asks (Retry-After); a broken transfer goes on where it broke when the
 * server's entity tag or date still holds (Range, If-Range; RFC 9110, sections 13 and 14).
 */
export function createHttpTransport(options: HttpOptions = {}): Transport {
  const agent = createHttpAgent(options.stall ?? 60_000);
  const attempts = options.attempts ?? 6;
  const longestDelay = options.longestDelay ?? 30_000;
  const longestRetryAfter = options.longestRetryAfter ?? 120_000;

  /** `progress`: bytes that have arrived so far. */
  const persistently = async <Result>(
    url: string,
    { signal, onEvent }: SourceContext,
    progress: () => number,
    action: () => Promise<Result>,
  ): Promise<Result> => {
    let mark = progress();
    for (let attempt = 1; ; attempt++) {
      try {
        return await action();
      } catch (error) {
        const failure = connectionFailure(error, url, signal);
        if (!(failure instanceof PassingFailure)) throw failure;
        if (progress() - mark >= PROGRESS_BYTES) {
          attempt = 1;
        }
        mark = progress();
        const delay = failure.retryAfter ?? Math.min(longestDelay, (options.firstDelay ?? 500) * 2 ** (attempt - 1));
        if (attempt >= attempts || delay > Math.max(longestRetryAfter, longestDelay)) {
          const asked = failure.retryAfter === undefined ? '' : ` and asks to wait ${Math.ceil(delay / 1000)} s`;
          throw new KubeparcelError('network', `${failure.message}${asked}; given up after ${attempt} tries`, {
            where: url,
            hint: 'try again later, what has arrived is kept; behind a proxy, set HTTPS_PROXY',
            cause: failure,
          });
        }
        onEvent?.({ kind: 'retry', url, reason: failure.message, delay });
        await wait(delay, undefined, signal === undefined ? {} : { signal }).catch((cause: unknown) => {
          throw signal?.aborted === true ? signal.reason : cause;
        });
      }
    }
  };

  return {
    close: () => agent.close(),
    text: (url, context) =>
      persistently(
        url,
        context,
        () => 0,
        async () => {
          const response = await agent.send('GET', url, {}, context.signal);
          if (isMissing(response)) return undefined;
          refusePage(response, url);
          const chunks: Uint8Array[] = [];
          let size = 0;
          for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
            size += chunk.length;
            if (size > MAX_TEXT_BYTES) {
              throw new KubeparcelError('network', `more than ${MAX_TEXT_BYTES} bytes, where one line of text is due`, {
                where: url,
              });
            }
            chunks.push(chunk);
          }
          return Buffer.concat(chunks).toString('utf8');
        },
      ),
    probe: (url, context) =>
      persistently(
        url,
        context,
        () => 0,
        async () => {
          const response = await agent.send('HEAD', url, {}, context.signal);
          if (isMissing(response)) return { found: false, date: undefined };
          if (response.statusCode !== 200) {
            drop(response);
            return { found: true, date: undefined };
          }
          refusePage(response, url);
          drop(response);
          const date = Date.parse(header(response, 'last-modified') ?? '');
          return { found: true, date: Number.isNaN(date) ? undefined : Math.floor(date / 1000) };
        },
      ),
    async transfer(artifact, sink, context) {
      const state = { rangesHold: true };
      await persistently(
        artifact.url,
        context,
        () => sink.size,
        async () => {
          const resume = state.rangesHold && sink.size > 0 && sink.validator !== undefined;
          const response = await agent.send(
            'GET',
            artifact.url,
            resume ? { range: `bytes=${sink.size}-`, 'if-range': sink.validator ?? '' } : {},
            context.signal,
          );
          if (isMissing(response)) {
            throw new KubeparcelError('network', 'the server has no such file', {
              where: artifact.url,
              hint: 'check the version and the architecture, and the base URL of the server',
            });
          }
          refusePage(response, artifact.url);
          const length = resume && response.statusCode !== 200 ? undefined : contentLength(response);
          if (length !== undefined && artifact.size !== undefined && length !== artifact.size) {
            drop(response);
            throw new KubeparcelError(
              'verification',
              `the server has ${length} bytes, where ${artifact.size} are stated`,
              {
                where: artifact.url,
                hint: 'the file has changed on the server: do not use it',
              },
            );
          }
          await receive(response, artifact, sink, resume, state);
        },
      );
    },
  };
}

async function receive(
  response: HttpResponse,
  artifact: Pick<Artifact, 'url' | 'size'>,
  sink: Sink,
  resume: boolean,
  state: { rangesHold: boolean },
): Promise<void> {
  let end: number | undefined;
  if (resume && response.statusCode === 206) {
    end = rangeEnd(response, sink.size, artifact.size);
    if (end === undefined) {
      // What came before may be as wrong as this range; all is asked for again.
      state.rangesHold = false;
      response.body.destroy();
      response.body.on('error', () => {});
      await sink.restart();
      throw new PassingFailure('the server gave another range than the one asked for');
    }
    sink.resume();
  } else if (response.statusCode === 200) {
    await sink.restart(header(response, 'etag')?.match(/^"[^"]*"$/)?.[0] ?? header(response, 'last-modified'));
    end = contentLength(response);
  } else {
    drop(response);
    state.rangesHold = false;
    await sink.restart();
    throw new PassingFailure(`the server answered ${response.statusCode} to a download`);
  }
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    if (end !== undefined && sink.size + chunk.length > end) {
      throw new KubeparcelError('verification', `more than the ${end} bytes that the server announced`, {
        where: artifact.url,
      });
    }
    await sink.append(chunk);
  }
  if (end !== undefined && sink.size < end) {
    throw new PassingFailure(`the server ended after ${sink.size} of ${end} bytes`);
  }
}

/** The length of the whole file when a 206 response is the rest from `start` on; undefined when it is anything else. */
function rangeEnd(response: HttpResponse, start: number, size: number | undefined): number | undefined {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(header(response, 'content-range') ?? '');
  const [first, last, total] = (match ?? []).slice(1).map(Number);
  if (first !== start || last === undefined || total === undefined || last !== total - 1) return undefined;
  const length = contentLength(response);
  if (length !== undefined && length !== total - start) return undefined;
  return size === undefined || size === total ? total : undefined;
}

function contentLength(response: HttpResponse): number | undefined {
  const value = header(response, 'content-length');
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

function isMissing(response: HttpResponse): boolean {
  const missing = response.statusCode === 404 || response.statusCode === 410;
  if (missing) drop(response);
  return missing;
}

/** Proxies and logins answer with a page and status 200; a compressing one would change the bytes. */
function refusePage(response: HttpResponse, url: string): void {
  const type = header(response, 'content-type') ?? '';
  const encoding = header(response, 'content-encoding') ?? 'identity';
  if (/^(text\/html|application\/xhtml)/i.test(type)) {
    drop(response);
    throw new KubeparcelError('network', 'the server answered with a web page instead of the file', {
      where: url,
      hint: 'open the address in a browser: a proxy or a login stands in between, or the base URL is wrong',
    });
  }
  if (encoding.toLowerCase() !== 'identity') {
    drop(response);
    throw new KubeparcelError('network', `the server compresses what it sends (${encoding})`, {
      where: url,
      hint: 'turn this off on the mirror or the proxy',
    });
  }
}
