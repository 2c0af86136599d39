import { createHash } from 'node:crypto';
import { KubeparcelError } from '../../support/errors.ts';

/** An image's name in its parts: docker.io/library/debian:12@sha256:... */
export interface ImageName {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  readonly digest: string | undefined;
}

/** @throws KubeparcelError of kind 'config' for a name without registry or tag */
export function parseImageName(reference: string): ImageName {
  const [, registry, repository, tag, digest] =
    /^([^/]+)\/(.+?):([A-Za-z0-9_][A-Za-z0-9_.-]*)(?:@(sha256:[0-9a-f]{64}))?$/.exec(reference) ?? [];
  if (registry === undefined || repository === undefined || tag === undefined) {
    throw new KubeparcelError('config', 'no image with its registry and tag', { where: reference });
  }
  return { registry, repository, tag, digest };
}

export function registryOf(reference: string): string {
  return parseImageName(reference).registry;
}

/** Docker's own registry answers under another name than its images have. */
function urlOf(registry: string): string {
  if (registry === 'docker.io') return 'https://registry-1.docker.io';
  return /^(localhost|127\.0\.0\.1)(:\d+)?$/.test(registry) ? `http://${registry}` : `https://${registry}`;
}

const PROBE_TIMEOUT = 5_000;
const REQUEST_TIMEOUT = 30_000;
/** Bytes; a registry refuses manifests beyond 4 MiB (distribution specification, "Pushing Manifests"). */
const MAX_MANIFEST = 4 * 1024 * 1024;

/** Whether a registry answers at all, whatever it says: `GET /v2/`. */
export async function registryAnswers(registry: string): Promise<boolean> {
  try {
    const response = await fetch(`${urlOf(registry)}/v2/`, { signal: AbortSignal.timeout(PROBE_TIMEOUT) });
    await response.body?.cancel();
    return response.status === 200 || response.status === 401;
  } catch {
    return false;
  }
}

/** Indexes first: a digest of one stands for the image of every architecture. */
const MANIFESTS = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

/**
 * The digest of what a tag names at the moment (OCI distribution specification, "Pulling manifests"), computed of the
 * bytes and held against what the registry states.
 *
 * @returns sha256:HEX
 * @throws KubeparcelError of kind 'network' when the registry does not answer or has no such tag, 'verification' when it
 * states another digest
 */
export async function digestOfTag({ registry, repository, tag }: ImageName, signal?: AbortSignal): Promise<string> {
  const url = `${urlOf(registry)}/v2/${repository}/manifests/${tag}`;
  let response = await get(url, { Accept: MANIFESTS }, signal);
  if (response.status === 401) {
    await response.body?.cancel();
    const token = await tokenFor(response.headers.get('www-authenticate') ?? '', url, signal);
    response = await get(url, { Accept: MANIFESTS, Authorization: `Bearer ${token}` }, signal);
  }
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new KubeparcelError('network', `the registry answered ${response.status}`, { where: url });
  }
  const digest = `sha256:${createHash('sha256')
    .update(await bounded(response, url))
    .digest('hex')}`;
  const stated = response.headers.get('docker-content-digest');
  if (stated?.startsWith('sha256:') && stated !== digest) {
    throw new KubeparcelError('verification', `the registry states ${stated}, its bytes have ${digest}`, {
      where: url,
    });
  }
  return digest;
}

/** An anonymous token (distribution's token authentication): `Bearer realm="...",service="...",scope="..."`. */
async function tokenFor(challenge: string, url: string, signal: AbortSignal | undefined): Promise<string> {
  const fields = new Map(
    [...challenge.matchAll(/([a-z]+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]),
  );
  const realm = fields.get('realm');
  // A registry in the clear (on this machine) may send to one like it.
  const safe = realm?.startsWith('https://') || (realm?.startsWith('http://') && url.startsWith('http://'));
  if (!/^bearer /i.test(challenge) || realm === undefined || !safe || !URL.canParse(realm)) {
    throw new KubeparcelError('network', 'the registry wants a login that is not known here', { where: url });
  }
  const address = new URL(realm);
  for (const key of ['service', 'scope']) {
    const value = fields.get(key);
    if (value !== undefined) address.searchParams.set(key, value);
  }
  const response = await get(address.href, {}, signal);
  const body: unknown = parseJson((await bounded(response, realm)).toString('utf8'));
  if (response.status === 200 && typeof body === 'object' && body !== null) {
    const token = 'token' in body ? body.token : 'access_token' in body ? body.access_token : undefined;
    if (typeof token === 'string' && /^[\x21-\x7e]+$/.test(token)) return token;
  }
  throw new KubeparcelError('network', `no token from the registry (status ${response.status})`, {
    where: address.href,
  });
}

async function get(url: string, headers: Record<string, string>, signal: AbortSignal | undefined): Promise<Response> {
  const signals = [AbortSignal.timeout(REQUEST_TIMEOUT), ...(signal === undefined ? [] : [signal])];
  try {
    return await fetch(url, { headers, signal: AbortSignal.any(signals) });
  } catch (cause) {
    signal?.throwIfAborted();
    const why = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause);
    throw new KubeparcelError('network', `a registry does not answer: ${why}`, { where: url, cause });
  }
}

async function bounded(response: Response, where: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_MANIFEST) throw new KubeparcelError('network', 'a manifest of more than 4 MiB', { where });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
