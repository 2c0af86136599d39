import { type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import { KubeparcelError } from './errors.ts';

const MAX_REDIRECTS = 8;

/** A temporary failure; the request can be repeated. `retryAfter`: milliseconds to wait, if the server states them. */
export class TemporaryFailure extends Error {
  readonly retryAfter: number | undefined;

  constructor(reason: string, details: { readonly retryAfter?: number | undefined; readonly cause?: unknown } = {}) {
    super(reason, { cause: details.cause });
    this.name = 'TemporaryFailure';
    this.retryAfter = details.retryAfter;
  }
}

export type HttpResponse = Dispatcher.ResponseData;

export interface HttpAgent {
  /**
   * Sends one request and follows redirects.
   *
   * @returns a response with status 200, 206, 404, 410 or 416, or with 405 or 501 if the server does not support HEAD
   * @throws TemporaryFailure for broken connections, timeouts, 408, 429 and 5xx; KubeparcelError of kind 'network' for
   *   permanent failures; the reason of the signal after an abort
   */
  send(
    method: 'GET' | 'HEAD',
    url: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<HttpResponse>;
  close(): Promise<void>;
}

/** @param stall milliseconds without data after which a connection times out */
export function createHttpAgent(stall: number): HttpAgent {
  const dispatcher = new EnvHttpProxyAgent({ headersTimeout: stall, bodyTimeout: stall, connect: { timeout: stall } });
  return {
    close: () => dispatcher.close(),
    async send(method, start, headers, signal) {
      let url = httpUrl(start, start);
      for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
        let response: HttpResponse;
        try {
          response = await request(url, {
            method,
            dispatcher,
            headers: { ...headers, 'accept-encoding': 'identity', 'user-agent': 'kubeparcel' },
            signal: signal ?? null,
          });
        } catch (error) {
          throw connectionFailure(error, url.href, signal);
        }
        const { statusCode } = response;
        if ([301, 302, 303, 307, 308].includes(statusCode)) {
          const location = header(response, 'location');
          drop(response);
          const next = httpUrl(location ?? '', url.href);
          if (url.protocol === 'https:' && next.protocol !== 'https:') {
            throw networkError('the server redirects from https to http', url.href, 'use a server that stays on https');
          }
          url = next;
          continue;
        }
        if ([200, 206, 404, 410, 416].includes(statusCode) || (method === 'HEAD' && [405, 501].includes(statusCode))) {
          return response;
        }
        drop(response);
        if (statusCode === 408 || statusCode === 429 || statusCode >= 500) {
          throw new TemporaryFailure(`the server answered ${statusCode}`, { retryAfter: retryAfter(response) });
        }
        throw networkError(`the server answered ${statusCode}`, url.href, hintFor(statusCode));
      }
      throw networkError(`more than ${MAX_REDIRECTS} redirects`, start, 'check the base URL of the server');
    },
  };
}

/** The first value of a header. */
export function header(response: HttpResponse, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Discards a body. Small bodies are read so that the connection can be reused. */
export function drop(response: HttpResponse): void {
  response.body.dump({ limit: 16_384 }).catch(() => {});
}

/** Classifies an error of a connection or of a response body. */
export function connectionFailure(error: unknown, url: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true) {
    return signal.reason;
  }
  if (error instanceof KubeparcelError || error instanceof TemporaryFailure || !(error instanceof Error)) {
    return error;
  }
  const code = 'code' in error ? String(error.code) : '';
  if (/^(CERT_|ERR_TLS_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_)/.test(code)) {
    return networkError(`cannot verify the certificate of the server: ${error.message}`, url, {
      hint: 'set NODE_EXTRA_CA_CERTS to the certificate authority of your proxy or mirror',
      cause: error,
    });
  }
  if (!/^(UND_ERR_|HPE_|E[A-Z])/.test(code) || code.startsWith('UND_ERR_INVALID')) {
    return error;
  }
  return new TemporaryFailure(reasonOf(error, code), { cause: error });
}

function reasonOf(error: Error, code: string): string {
  switch (code) {
    case 'UND_ERR_HEADERS_TIMEOUT':
    case 'UND_ERR_BODY_TIMEOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return 'the connection timed out';
    case 'ECONNREFUSED':
      return 'connection refused';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'unknown host name';
    default:
      return `connection lost (${error.message || code})`;
  }
}

function httpUrl(text: string, base: string): URL {
  const url = URL.canParse(text, base) ? new URL(text, base) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw networkError(`not an HTTP URL: ${JSON.stringify(text.slice(0, 200))}`, base);
  }
  return url;
}

/** The delay in milliseconds from Retry-After, which contains seconds or a date (RFC 9110, section 10.2.3). */
function retryAfter(response: HttpResponse): number | undefined {
  const value = header(response, 'retry-after');
  if (value === undefined) return undefined;
  const milliseconds = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(milliseconds) ? undefined : Math.max(0, milliseconds);
}

function hintFor(status: number): string | undefined {
  if (status === 407) return 'check the user name and password in HTTPS_PROXY';
  if (status === 401 || status === 403) return 'check your permissions on this server';
  return undefined;
}

function networkError(
  what: string,
  where: string,
  details: string | { readonly hint: string; readonly cause: unknown } | undefined = undefined,
): KubeparcelError {
  const more = typeof details === 'string' ? { hint: details } : (details ?? {});
  return new KubeparcelError('network', what, { where, ...more });
}
