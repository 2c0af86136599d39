import { createHash } from 'node:crypto';
import { KubeparcelError } from '../../support/errors.ts';

/** A parsed image reference: docker.io/library/debian:12@sha256:... */
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
    throw new KubeparcelError('config', 'invalid image reference: expected REGISTRY/REPOSITORY:TAG[@DIGEST]', {
      where: reference,
    });
  }
  return { registry, repository, tag, digest };
}

export function registryOf(reference: string): string {
  return parseImageName(reference).registry;
}

/** The API of docker.io is on another host. */
function urlOf(registry: string): string {
  if (registry === 'docker.io') return 'https://registry-1.docker.io';
  return /^(localhost|127\.0\.0\.1)(:\d+)?$/.test(registry) ? `http://${registry}` : `https://${registry}`;
}

const PROBE_TIMEOUT = 5_000;
const REQUEST_TIMEOUT = 30_000;
/** Bytes. The OCI distribution specification ("Pushing Manifests") allows registries to limit manifests to 4 MiB. */
const MAX_MANIFEST = 4 * 1024 * 1024;

/** Whether a registry answers `GET /v2/`, even if it requires a login. */
export async function registryAnswers(registry: string): Promise<boolean> {
  try {
    const response = await fetch(`${urlOf(registry)}/v2/`, { signal: AbortSignal.timeout(PROBE_TIMEOUT) });
    await response.body?.cancel();
    return response.status === 200 || response.status === 401;
  } catch {
    return false;
  }
}

/** Indexes first: their digest covers the images of all architectures. */
const MANIFEST_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

/**
 * Queries the current digest of a tag (OCI distribution specification, "Pulling manifests"). The digest is computed from
 * the manifest and compared with the one that the registry states.
 *
 * @returns sha256:HEX
 * @throws KubeparcelError of kind 'network' if the registry does not answer or has no such tag, 'verification' if it
 * states another digest
 */
export async function digestOfTag({ registry, repository, tag }: ImageName, signal?: AbortSignal): Promise<string> {
  const url = `${urlOf(registry)}/v2/${repository}/manifests/${tag}`;
  let response = await get(url, { Accept: MANIFEST_TYPES }, signal);
  if (response.status === 401) {
    await response.body?.cancel();
    const token = await tokenFor(response.headers.get('www-authenticate') ?? '', url, signal);
    response = await get(url, { Accept: MANIFEST_TYPES, Authorization: `Bearer ${token}` }, signal);
  }
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new KubeparcelError('network', `the registry answered ${response.status}`, { where: url });
  }
  const digest = `sha256:${createHash('sha256')
    .update(await readBounded(response, url))
    .digest('hex')}`;
  const stated = response.headers.get('docker-content-digest');
  if (stated?.startsWith('sha256:') && stated !== digest) {
    throw new KubeparcelError('verification', `the registry states digest ${stated}, but the manifest has ${digest}`, {
      where: url,
    });
  }
  return digest;
}

/** Requests an anonymous token (Distribution, "Token authentication"). The challenge is `Bearer realm="...",service="...",scope="..."`. */
async function tokenFor(challenge: string, url: string, signal: AbortSignal | undefined): Promise<string> {
  const fields = new Map(
    [...challenge.matchAll(/([a-z]+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]),
  );
  const realm = fields.get('realm');
  // Only a local registry, which is used without TLS, may name a token server without TLS.
  const safe = realm?.startsWith('https://') || (realm?.startsWith('http://') && url.startsWith('http://'));
  if (!/^bearer /i.test(challenge) || realm === undefined || !safe || !URL.canParse(realm)) {
    throw new KubeparcelError('network', 'the registry requires an unsupported login', { where: url });
  }
  const address = new URL(realm);
  for (const key of ['service', 'scope']) {
    const value = fields.get(key);
    if (value !== undefined) address.searchParams.set(key, value);
  }
  const response = await get(address.href, {}, signal);
  const body: unknown = parseJson((await readBounded(response, realm)).toString('utf8'));
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
    const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause);
    throw new KubeparcelError('network', `the registry does not answer: ${reason}`, { where: url, cause });
  }
}

async function readBounded(response: Response, where: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_MANIFEST) throw new KubeparcelError('network', 'the manifest is larger than 4 MiB', { where });
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
