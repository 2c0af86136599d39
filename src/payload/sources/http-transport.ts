import { setTimeout as wait } from 'node:timers/promises';
import { collect } from '../../archive/chunks.ts';
import type { Artifact } from '../../release/release.ts';
import type { Sink, SourceContext } from '../../release/source.ts';
import { KubeparcelError } from '../../support/errors.ts';
import {
  connectionFailure,
  createHttpAgent,
  drop,
  type HttpResponse,
  header,
  TemporaryFailure,
} from '../../support/http-request.ts';
import { plural } from '../../support/plural.ts';
import { MAX_TEXT_BYTES, type Transport } from './transport.ts';

/** Times are in milliseconds. */
export interface HttpOptions {
  /** Number of attempts in a row without progress before giving up; 6 by default. */
  readonly attempts?: number | undefined;
  /** Delay before the second attempt, doubled for each later attempt; 500 by default. */
  readonly firstDelay?: number | undefined;
  /** 30 s by default. */
  readonly longestDelay?: number | undefined;
  /** Give up when a server asks to wait longer than this; 2 minutes by default. */
  readonly longestRetryAfter?: number | undefined;
  /** Time without data after which a connection counts as broken; 1 minute by default. */
  readonly stall?: number | undefined;
}

/** Bytes. After a transfer has received this much, its attempts are counted from 1 again. */
const PROGRESS_BYTES = 1 << 20;

/**
 * Reads from web servers, through the proxies in HTTP_PROXY, HTTPS_PROXY and NO_PROXY. Temporary failures are retried with
 * exponential backoff or as the server asks (Retry-After). A broken transfer resumes where it broke if the server's entity
 * tag or date has not changed (Range, If-Range; RFC 9110, sections 13 and 14).
 */
export class HttpTransport implements Transport {
  readonly #agent: ReturnType<typeof createHttpAgent>;
  readonly #attempts: number;
  readonly #firstDelay: number;
  readonly #longestDelay: number;
  readonly #longestRetryAfter: number;

  constructor(options: HttpOptions = {}) {
    this.#agent = createHttpAgent(options.stall ?? 60_000);
    this.#attempts = options.attempts ?? 6;
    this.#firstDelay = options.firstDelay ?? 500;
    this.#longestDelay = options.longestDelay ?? 30_000;
    this.#longestRetryAfter = options.longestRetryAfter ?? 120_000;
  }

  async text(url: string, context: SourceContext): Promise<string | undefined> {
    return this.#retry(url, context, async () => {
      const response = await this.#agent.send('GET', url, {}, context.signal);
      if (isMissing(response)) return undefined;
      rejectUnusable(response, url);
      const tooLong = () =>
        new KubeparcelError('network', `more than ${MAX_TEXT_BYTES} bytes, expected one line of text`, { where: url });
      const bytes = await collect(response.body as AsyncIterable<Uint8Array>, MAX_TEXT_BYTES, tooLong);
      return Buffer.from(bytes).toString('utf8');
    });
  }

  async probe(url: string, context: SourceContext) {
    return this.#retry(url, context, async () => {
      const response = await this.#agent.send('HEAD', url, {}, context.signal);
      if (isMissing(response)) return { found: false, date: undefined };
      if (response.statusCode === 200) rejectUnusable(response, url);
      drop(response);
      const date = response.statusCode === 200 ? Date.parse(header(response, 'last-modified') ?? '') : Number.NaN;
      return { found: true, date: Number.isNaN(date) ? undefined : Math.floor(date / 1000) };
    });
  }

  async transfer(artifact: Pick<Artifact, 'url' | 'size'>, sink: Sink, context: SourceContext): Promise<void> {
    const { url } = artifact;
    const state = { useRanges: true };
    const attempt = async () => {
      const resume = state.useRanges && sink.size > 0 && sink.validator !== undefined;
      const headers = resume ? { range: `bytes=${sink.size}-`, 'if-range': sink.validator ?? '' } : {};
      const response = await this.#agent.send('GET', url, headers, context.signal);
      if (isMissing(response)) {
        throw new KubeparcelError('network', 'the server has no such file', {
          where: url,
          hint: 'check the version and the architecture, and the base URL of the server',
        });
      }
      rejectUnusable(response, url);
      const length = resume && response.statusCode !== 200 ? undefined : contentLength(response);
      if (length !== undefined && artifact.size !== undefined && length !== artifact.size) {
        drop(response);
        throw new KubeparcelError('verification', `the server has ${length} bytes, expected ${artifact.size}`, {
          where: url,
          hint: 'the file has changed on the server: do not use it',
        });
      }
      await receive(response, artifact, sink, resume, state);
    };
    await this.#retry(url, context, attempt, () => sink.size);
  }

  close(): Promise<void> {
    return this.#agent.close();
  }

  /** @param received number of bytes received so far */
  async #retry<Result>(
    url: string,
    { signal, onEvent }: SourceContext,
    action: () => Promise<Result>,
    received: () => number = () => 0,
  ): Promise<Result> {
    let before = received();
    for (let attempt = 1; ; attempt++) {
      try {
        return await action();
      } catch (error) {
        const failure = connectionFailure(error, url, signal);
        if (!(failure instanceof TemporaryFailure)) throw failure;
        if (received() - before >= PROGRESS_BYTES) attempt = 1;
        before = received();
        const delay = failure.retryAfter ?? Math.min(this.#longestDelay, this.#firstDelay * 2 ** (attempt - 1));
        if (attempt >= this.#attempts || delay > Math.max(this.#longestRetryAfter, this.#longestDelay)) {
          const asked = failure.retryAfter === undefined ? '' : ` and asks to wait ${Math.ceil(delay / 1000)} s`;
          throw new KubeparcelError(
            'network',
            `${failure.message}${asked}; gave up after ${plural(attempt, 'try', 'tries')}`,
            {
              where: url,
              hint: 'try again later: the download resumes where it stopped; behind a proxy, set HTTPS_PROXY',
              cause: failure,
            },
          );
        }
        onEvent?.({ kind: 'retry', url, reason: failure.message, delay });
        await wait(delay, undefined, { signal }).catch((cause: unknown) => {
          throw signal?.aborted === true ? signal.reason : cause;
        });
      }
    }
  }
}

async function receive(
  response: HttpResponse,
  artifact: Pick<Artifact, 'url' | 'size'>,
  sink: Sink,
  resume: boolean,
  state: { useRanges: boolean },
): Promise<void> {
  let end: number | undefined;
  if (resume && response.statusCode === 206) {
    end = rangeEnd(response, sink.size, artifact.size);
    if (end === undefined) {
      // The bytes received before may be wrong too: request the whole file.
      state.useRanges = false;
      response.body.destroy();
      response.body.on('error', () => {});
      await sink.restart();
      throw new TemporaryFailure('the server sent a range that was not requested');
    }
    sink.resume();
  } else if (response.statusCode === 200) {
    await sink.restart(header(response, 'etag')?.match(/^"[^"]*"$/)?.[0] ?? header(response, 'last-modified'));
    end = contentLength(response);
  } else {
    drop(response);
    state.useRanges = false;
    await sink.restart();
    throw new TemporaryFailure(`the server answered the download with status ${response.statusCode}`);
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
    throw new TemporaryFailure(`the transfer ended after ${sink.size} of ${end} bytes`);
  }
}

/** The length of the whole file if a 206 response has the rest from `start`; undefined for any other response. */
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

/** Rejects web pages, which proxies and login forms send with status 200, and compressed responses. */
function rejectUnusable(response: HttpResponse, url: string): void {
  const type = header(response, 'content-type') ?? '';
  const encoding = header(response, 'content-encoding') ?? 'identity';
  if (/^(text\/html|application\/xhtml)/i.test(type)) {
    drop(response);
    throw new KubeparcelError('network', 'the server answered with a web page instead of the file', {
      where: url,
      hint: 'open the URL in a browser: there may be a proxy or a login, or the base URL is wrong',
    });
  }
  if (encoding.toLowerCase() !== 'identity') {
    drop(response);
    throw new KubeparcelError('network', `the server compresses its responses (${encoding})`, {
      where: url,
      hint: 'turn off compression on the mirror or the proxy',
    });
  }
}
