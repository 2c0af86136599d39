import prerelease from 'semver/functions/prerelease.js';
import { KubeparcelError } from '../support/errors.ts';

/** The oldest minor version of Kubernetes 1 that kubeparcel can package. */
const OLDEST_MINOR = 11;

/** The requested release; versions without `v`. */
export type VersionRequest =
  /** 1.36.4, 1.37.0-rc.1 */
  | { readonly kind: 'exact'; readonly version: string }
  /** The newest patch of 1.36. */
  | { readonly kind: 'minor'; readonly minor: string }
  /** The newest release that is not a pre-release. */
  | { readonly kind: 'stable' };

/**
 * Parses a version argument: v1.36.4, 1.36.4, 1.36, stable, 1.37.0-rc.1 (alpha, beta, rc).
 *
 * @throws KubeparcelError of kind 'usage' for anything else and for versions before 1.11
 */
export function parseVersionRequest(text: string): VersionRequest {
  if (text === 'stable') return { kind: 'stable' };
  const match = /^v?1\.(0|[1-9]\d{0,2})(?:\.((?:0|[1-9]\d{0,3})(?:-(?:alpha|beta|rc)\.(?:0|[1-9]\d{0,3}))?))?$/.exec(
    text,
  );
  const [, minor, rest] = match ?? [];
  if (minor === undefined) {
    throw invalidVersion(
      `not a version of Kubernetes: ${JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text)}`,
    );
  }
  if (Number(minor) < OLDEST_MINOR) {
    throw invalidVersion(`Kubernetes 1.${minor} is not supported: the oldest version is 1.${OLDEST_MINOR}`);
  }
  return rest === undefined ? { kind: 'minor', minor: `1.${minor}` } : { kind: 'exact', version: `1.${minor}.${rest}` };
}

/** The request as an argument: 1.36.4, 1.36 or stable. */
export function formatVersionRequest(request: VersionRequest): string {
  return request.kind === 'exact' ? request.version : request.kind === 'minor' ? request.minor : 'stable';
}

/** Whether a version satisfies a request. A pre-release satisfies only a request for exactly that version. */
export function isSatisfiedBy(request: VersionRequest, version: string): boolean {
  if (request.kind === 'exact') return request.version === version;
  return prerelease(version) === null && (request.kind === 'stable' || version.startsWith(`${request.minor}.`));
}

function invalidVersion(what: string): KubeparcelError {
  return new KubeparcelError('usage', what, {
    hint: `use v1.36.4, 1.36.4, 1.36 (newest patch), stable or a pre-release such as 1.37.0-rc.1; 1.${OLDEST_MINOR} or later`,
  });
}
