import type { DigestAlgorithm, PublishedDigest } from '../../model/digest.ts';
import { KubeparcelError } from '../../support/errors.ts';

const HEX_DIGITS = { sha256: 64, sha512: 128 } as const;

/**
 * Parses a published digest file: only hex digits, or one line of sha256sum(1) (`hex  name`, `hex *name`, the name with
 * or without directories).
 *
 * @param artifactName the name that the line must have
 * @param where the digest file's URL or path, for errors
 * @throws KubeparcelError of kind 'verification' for anything else
 */
export function parsePublishedDigest(
  text: string,
  algorithm: DigestAlgorithm,
  artifactName: string,
  where: string,
): PublishedDigest {
  const invalidDigest = (what: string) =>
    new KubeparcelError('verification', what, { where, hint: 'contact the operator of the server' });
  const match = /^([0-9a-fA-F]+)(?:[ \t]+\*?([!-~]+))?\s*$/.exec(text);
  const [, hex, name] = match ?? [];
  if (hex === undefined) {
    const page = /^\s*</.test(text) ? ': it is a web page' : '';
    throw invalidDigest(`not a digest file${page}`);
  }
  if (hex.length !== HEX_DIGITS[algorithm]) {
    throw invalidDigest(`the digest has ${hex.length} hex digits, ${algorithm} has ${HEX_DIGITS[algorithm]}`);
  }
  if (name !== undefined && name.slice(name.lastIndexOf('/') + 1) !== artifactName) {
    throw invalidDigest(`the digest is for ${name}, not for ${artifactName}`);
  }
  return algorithm === 'sha256' ? { sha256: hex.toLowerCase() } : { sha512: hex.toLowerCase() };
}

/**
 * Parses a list of SHA-256 digests in the format of sha256sum(1), including escaped names.
 *
 * @param where the file's name, for errors
 * @returns hex digits by name, without a leading `./`
 * @throws KubeparcelError of kind 'config' with the line number, for anything else
 */
export function parseDigestList(text: string, where: string): ReadonlyMap<string, string> {
  const digests = new Map<string, string>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line === '') continue;
    const at = `${where}:${index + 1}`;
    const match = /^(\\?)([0-9a-fA-F]{64}) [ *](.+)$/.exec(line);
    const [, escaped, hex, written] = match ?? [];
    if (hex === undefined || written === undefined) {
      throw new KubeparcelError('config', 'not a line of sha256sum: 64 hex digits, two spaces, a name', { where: at });
    }
    const name = (escaped === '' ? written : unescapeName(written)).replace(/^(\.\/+)+/, '');
    const sha256 = hex.toLowerCase();
    if ((digests.get(name) ?? sha256) !== sha256) {
      throw new KubeparcelError('config', `a second, different digest for ${name}`, { where: at });
    }
    digests.set(name, sha256);
  }
  return digests;
}

function unescapeName(name: string): string {
  return name.replace(/\\([\\nr])/g, (_, letter: string) => (letter === 'n' ? '\n' : letter === 'r' ? '\r' : '\\'));
}
