import prerelease from 'semver/functions/prerelease.js';
import { KubeparcelError } from '../support/errors.ts';

/** The oldest minor of Kubernetes 1 whose packages kubeparcel knows how to lay out. */
const OLDEST_MINOR = 11;

/** Which release is wanted; versions are written without `v`. */
export type VersionRequest =
  /** 1.36.4, 1.37.0-rc.1 */
  | { readonly kind: 'exact'; readonly version: string }
  /** The newest patch of 1.36. */
  | { readonly kind: 'minor'; readonly minor: string }
  /** The newest release that is not a pre-release. */
  | { readonly kind: 'stable' };

/**
 * Reads what a person writes for a version: v1.36.4, 1.36.4, 1.36, stable, 1.37.0-rc.1 (alpha, beta, rc).
 *
 * @throws KubeparcelError of kind 'usage' for anything else and for what is older than 1.11
 */
export function parseVersionRequest(text: string): VersionRequest {
  if (text === 'stable') {
    return { kind: 'stable' };
  }
  const match = /^v?1\.(0|[1-9]\d{0,2})(?:\.((?:0|[1-9]\d{0,3})(?:-(?:alpha|beta|rc)\.(?:0|[1-9]\d{0,3}))?))?$/.exec(
    text,
  );
  const [, minor, rest] = match ?? [];
  if (minor === undefined) {
    throw unacceptable(`not a version of Kubernetes: ${printable(text)}`);
  }
  if (Number(minor) < OLDEST_MINOR) {
    throw unacceptable(`Kubernetes 1.${minor} is too old`);
  }
  return rest === undefined ? { kind: 'minor', minor: `1.${minor}` } : { kind: 'exact', version: `1.${minor}.${rest}` };
}

/** The request as a person would write it. */
export function formatVersionRequest(request: VersionRequest): string {
  switch (request.kind) {
    case 'exact':
      return request.version;
    case 'minor':
      return request.minor;
    case 'stable':
      return 'stable';
  }
}

/** Whether a source that holds this one version can answer the request; a pre-release answers only its exact name. */
export function isSatisfiedBy(request: VersionRequest, version: string): boolean {
  if (request.kind === 'exact') {
    return request.version === version;
  }
  return prerelease(version) === null && (request.kind === 'stable' || version.startsWith(`${request.minor}.`));
}

function unacceptable(what: string): KubeparcelError {
  return new KubeparcelError('usage', what, {
    hint: `write v1.36.4, 1.36.4, 1.36 (its newest patch), stable or a pre-release such as 1.37.0-rc.1; from 1.${OLDEST_MINOR} on`,
  });
}

function printable(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}
