import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { HttpTransport } from '../../payload/sources/http-transport.ts';
import type { Sink } from '../../release/source.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { createHttpAgent, drop, header, TemporaryFailure } from '../../support/http-request.ts';
import { plural } from '../../support/plural.ts';
import { type FileFacts, type RepositoryReader, tooLarge } from './reader.ts';

const STALL_TIMEOUT = 60_000;
/** Delays between attempts of a request, in milliseconds. */
const DELAYS = [500, 1000, 2000];

/** Reads from a web server. The transport of src/payload handles redirects, proxies and broken connections. */
export class HttpReader implements RepositoryReader {
  readonly name: string;
  readonly #base: string;
  readonly #signal: AbortSignal | undefined;
  readonly #agent = createHttpAgent(STALL_TIMEOUT);
  readonly #transport = new HttpTransport({ stall: STALL_TIMEOUT, attempts: DELAYS.length + 1 });

  /** @throws KubeparcelError of kind 'usage' for a URL with user information, query or fragment */
  constructor(url: string, signal?: AbortSignal) {
    this.name = url;
    this.#base = baseUrl(url);
    this.#signal = signal;
  }

  async read(path: string, max: number): Promise<Buffer | undefined> {
    let chunks: Uint8Array[] = [];
    const sink = new LimitedSink(max, {
      reset: () => {
        chunks = [];
      },
      take: (chunk) => chunks.push(chunk),
    });
    try {
      return (await this.#transfer(path, sink)) ? Buffer.concat(chunks) : undefined;
    } catch (error) {
      if (!(error instanceof TooLong)) throw error;
      throw tooLarge(path, max, error);
    }
  }

  async examine(path: string, size: number, quick: boolean): Promise<FileFacts | undefined> {
    if (quick) {
      const stated = await this.#contentLength(this.#urlOf(path));
      if (stated !== null) return stated === undefined ? undefined : { size: stated, sha256: undefined };
    }
    let hash = createHash('sha256');
    const sink = new LimitedSink(size, {
      reset: () => {
        hash = createHash('sha256');
      },
      take: (chunk) => hash.update(chunk),
    });
    try {
      if (!(await this.#transfer(path, sink))) return undefined;
    } catch (error) {
      if (!(error instanceof TooLong)) throw error;
      return { size: size + 1, sha256: undefined };
    }
    return { size: sink.size, sha256: sink.size === size ? hash.digest('hex') : undefined };
  }

  async list(): Promise<undefined> {}

  async close(): Promise<void> {
    await Promise.all([this.#agent.close(), this.#transport.close()]);
  }

  #urlOf(path: string): string {
    return `${this.#base}/${path.split('/').map(encodeSegment).join('/')}`;
  }

  /** @returns false if the file does not exist */
  async #transfer(path: string, sink: Sink): Promise<boolean> {
    const url = this.#urlOf(path);
    try {
      await this.#transport.transfer({ url, size: undefined }, sink, { signal: this.#signal });
      return true;
    } catch (error) {
      if (!(error instanceof KubeparcelError) || error.kind !== 'network') throw error;
      if (error.cause instanceof TemporaryFailure) throw unreachable(url, error.message, error);
      if ((await this.#transport.probe(url, { signal: this.#signal })).found) throw error;
      return false;
    }
  }

  /** @returns null if the server does not state the size, undefined if the file does not exist */
  async #contentLength(url: string): Promise<number | null | undefined> {
    for (let attempt = 0; ; attempt++) {
      try {
        const response = await this.#agent.send('HEAD', url, {}, this.#signal);
        drop(response);
        if (response.statusCode === 404 || response.statusCode === 410) return undefined;
        const length = response.statusCode === 200 ? header(response, 'content-length') : undefined;
        return length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : null;
      } catch (error) {
        const delay = DELAYS[attempt];
        if (!(error instanceof TemporaryFailure)) throw error;
        if (delay === undefined) throw unreachable(url, `${error.message} (${plural(attempt + 1, 'attempt')})`, error);
        await wait(delay, undefined, this.#signal && { signal: this.#signal });
      }
    }
  }
}

function unreachable(where: string, what: string, cause: unknown): KubeparcelError {
  return new KubeparcelError('network', what, {
    where,
    hint: 'check the URL, or try again later; behind a proxy, set HTTPS_PROXY',
    cause,
  });
}

function baseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && url.username === '' && url.password === '' && url.search === '' && url.hash === '') {
    return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  }
  throw new KubeparcelError('usage', 'invalid repository URL', {
    // Omits user information and query, which may contain secrets.
    where: text.replace(/\/\/[^/]*@/, '//').replace(/[?#].*$/s, ''),
    hint: 'use https://HOST/PATH, without user, query and fragment',
  });
}

/** Keeps the colon of `core:`, as apt and dnf do. */
function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replaceAll('%3A', ':');
}

class TooLong extends Error {}

interface ChunkConsumer {
  /** The transfer starts again from the first byte. */
  reset(): void;
  take(chunk: Uint8Array): void;
}

/** Passes chunks on and throws TooLong after `max` bytes. */
class LimitedSink implements Sink {
  size = 0;
  validator: string | undefined;
  readonly #max: number;
  readonly #consumer: ChunkConsumer;

  constructor(max: number, consumer: ChunkConsumer) {
    this.#max = max;
    this.#consumer = consumer;
  }

  async restart(validator: string | undefined): Promise<void> {
    this.size = 0;
    this.validator = validator;
    this.#consumer.reset();
  }

  resume(): void {}

  async append(chunk: Uint8Array): Promise<void> {
    this.size += chunk.length;
    if (this.size > this.#max) throw new TooLong();
    this.#consumer.take(chunk);
  }
}
