import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { HttpTransport } from '../../payload/sources/http-transport.ts';
import type { Sink } from '../../release/source.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { createHttpAgent, drop, header, PassingFailure } from '../../support/http-request.ts';
import type { RepositoryReader } from './reader.ts';

const STALL = 60_000;
/** Waits between tries of one question, in milliseconds. */
const WAITS = [500, 1000, 2000];

/**
 * A web server, as clients meet it. Redirects, proxies and broken connections are the downloads' (src/payload).
 *
 * @throws KubeparcelError of kind 'usage' for an address with a user, a query or a fragment
 */
export function httpReader(text: string, signal?: AbortSignal): RepositoryReader {
  const base = baseUrl(text);
  const agent = createHttpAgent(STALL);
  const transport = new HttpTransport({ stall: STALL, attempts: WAITS.length + 1 });
  const urlOf = (path: string) => `${base}/${path.split('/').map(encodeSegment).join('/')}`;

  const transfer = async (path: string, sink: Sink): Promise<boolean> => {
    const url = urlOf(path);
    try {
      await transport.transfer({ url, size: undefined }, sink, { signal });
      return true;
    } catch (error) {
      if (!(error instanceof KubeparcelError) || error.kind !== 'network') throw error;
      if (error.cause instanceof PassingFailure) throw givenUp(url, error.message, error);
      if ((await transport.probe(url, { signal })).found) throw error;
      return false;
    }
  };

  /** What the server says that the size is; null when it does not, undefined when the file is not there. */
  const statedSize = async (url: string): Promise<number | null | undefined> => {
    for (let attempt = 0; ; attempt++) {
      try {
        const response = await agent.send('HEAD', url, {}, signal);
        drop(response);
        if (response.statusCode === 404 || response.statusCode === 410) return undefined;
        const length = response.statusCode === 200 ? header(response, 'content-length') : undefined;
        return length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : null;
      } catch (error) {
        const delay = WAITS[attempt];
        if (!(error instanceof PassingFailure)) throw error;
        if (delay === undefined) throw givenUp(url, `${error.message}; given up after ${attempt + 1} tries`, error);
        await wait(delay, undefined, signal === undefined ? {} : { signal });
      }
    }
  };
  return {
    name: text,
    async read(path, max) {
      let chunks: Uint8Array[] = [];
      const sink = countingSink(max, {
        reset: () => {
          chunks = [];
        },
        take: (chunk) => chunks.push(chunk),
      });
      try {
        return (await transfer(path, sink)) ? Buffer.concat(chunks) : undefined;
      } catch (error) {
        if (!(error instanceof TooLong)) throw error;
        throw new KubeparcelError('format', `it has more than ${max} bytes`, { where: path, cause: error });
      }
    },
    async examine(path, size, quick) {
      if (quick) {
        const stated = await statedSize(urlOf(path));
        if (stated !== null) return stated === undefined ? undefined : { size: stated, sha256: undefined };
      }
      let hash = createHash('sha256');
      const sink = countingSink(size, {
        reset: () => {
          hash = createHash('sha256');
        },
        take: (chunk) => hash.update(chunk),
      });
      try {
        if (!(await transfer(path, sink))) return undefined;
      } catch (error) {
        if (!(error instanceof TooLong)) throw error;
        return { size: size + 1, sha256: undefined };
      }
      return { size: sink.size, sha256: sink.size === size ? hash.digest('hex') : undefined };
    },
    list: () => Promise.resolve(undefined),
    close: async () => {
      await Promise.all([agent.close(), transport.close()]);
    },
  };
}

function givenUp(where: string, what: string, cause: unknown): KubeparcelError {
  return new KubeparcelError('network', what, {
    where,
    hint: 'check the address, or try again later; behind a proxy, set HTTPS_PROXY',
    cause,
  });
}

function baseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && url.username === '' && url.password === '' && url.search === '' && url.hash === '') {
    return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  }
  throw new KubeparcelError('usage', 'not the address of a repository', {
    // Without what may be a secret.
    where: text.replace(/\/\/[^/]*@/, '//').replace(/[?#].*$/s, ''),
    hint: 'write https://HOST/PATH, without user, query and fragment',
  });
}

/** Colons as apt and dnf send them: `core:` is part of every address. */
function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replaceAll('%3A', ':');
}

class TooLong extends Error {}

function countingSink(max: number, { reset, take }: { reset: () => void; take: (chunk: Uint8Array) => void }): Sink {
  let size = 0;
  let validator: string | undefined;
  return {
    get size() {
      return size;
    },
    get validator() {
      return validator;
    },
    restart: async (given) => {
      size = 0;
      validator = given;
      reset();
    },
    resume: () => {},
    append: async (chunk) => {
      size += chunk.length;
      if (size > max) throw new TooLong();
      take(chunk);
    },
  };
}
