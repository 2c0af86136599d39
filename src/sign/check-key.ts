import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { enums, type Key, type SignaturePacket } from 'openpgp';
import { z } from 'zod';
import { KubeparcelError } from '../support/errors.ts';
import { packageRoot } from '../support/package-root.ts';
import { plural } from '../support/plural.ts';
import { parseValidatedYaml } from '../support/validated-yaml.ts';
import { algorithmOf, chooseSigningKey, fingerprintOf, userIdOf } from './certificate.ts';
import { hasCriticalSubpacket } from './critical-subpackets.ts';
import type { Signer } from './signer.ts';

const DAY = 86_400;
/** Long enough to distribute a new key with the packages of a repository. */
const WARNING_DAYS = 60;

/** Whether a verifier accepts signatures of the key. */
export interface Acceptance {
  readonly verifier: Verifier;
  /** The reason if it does not; undefined if it does. */
  readonly objection: string | undefined;
}

/** Properties of a public key. Times in seconds since 1970-01-01 UTC. */
export interface KeyReport {
  readonly fingerprint: string;
  readonly userId: string;
  readonly created: number;
  /** The signing key or subkey; undefined if there is none. */
  readonly signing:
    | {
        readonly fingerprint: string;
        readonly algorithm: string;
        readonly isSubkey: boolean;
        readonly expires: number | undefined;
      }
    | undefined;
  /** Why there is no signing key, one sentence; undefined if there is one. */
  readonly fault: string | undefined;
  /** One sentence if it expires soon. */
  readonly warning: string | undefined;
  /** Empty if there is no signing key. */
  readonly acceptance: readonly Acceptance[];
}

/**
 * Determines the signing key of a certificate, its expiry, and which verifiers accept it.
 *
 * @param now seconds since 1970-01-01 UTC
 */
export async function checkKey(certificate: Key, verifiers: readonly Verifier[], now: number): Promise<KeyReport> {
  const base = {
    fingerprint: fingerprintOf(certificate),
    userId: await userIdOf(certificate),
    created: certificate.getCreationTime().getTime() / 1000,
  };
  try {
    const { fingerprint, algorithm, expires } = await chooseSigningKey(certificate, now);
    const isSubkey = fingerprint !== base.fingerprint;
    const primary = algorithmOf(certificate);
    const facts = { algorithm, primary, isSubkey, ...selfSignatureProperties(certificate), now };
    return {
      ...base,
      signing: { fingerprint, algorithm, isSubkey, expires },
      fault: undefined,
      warning: expiryWarning({ fingerprint: base.fingerprint, expires }, now),
      acceptance: verifiers.map((verifier) => ({ verifier, objection: objectionOf(verifier, facts) })),
    };
  } catch (error) {
    if (!(error instanceof KubeparcelError)) throw error;
    return { ...base, signing: undefined, fault: error.message, warning: undefined, acceptance: [] };
  }
}

interface KeyFacts {
  readonly algorithm: string;
  /** The primary key's algorithm. */
  readonly primary: string;
  readonly isSubkey: boolean;
  /** Whether its self-signatures use SHA-1. */
  readonly sha1: boolean;
  /** Whether its self-signatures have critical subpackets. */
  readonly critical: boolean;
  readonly now: number;
}

function objectionOf(verifier: Verifier, facts: KeyFacts): string | undefined {
  for (const algorithm of [facts.algorithm, facts.primary]) {
    const objection = algorithmObjection(verifier, algorithm);
    if (objection !== undefined) return objection;
  }
  if (facts.isSubkey && !verifier.subkeys) return 'does not know signatures of subkeys';
  if (facts.critical && !verifier.critical) return 'refuses the key for its critical subpackets: renew it with gpg';
  if (facts.sha1 && !acceptsSha1(verifier, facts.now)) return 'refuses the SHA-1 in the key’s own signatures';
  return undefined;
}

function algorithmObjection(verifier: Verifier, algorithm: string): string | undefined {
  const family = verifier.algorithms.find(
    (each) => algorithm === each || new RegExp(`^${each}(-nist|\\d)`).test(algorithm),
  );
  if (family === undefined) return `does not read ${algorithm}`;
  const tooShort = family === 'rsa' && Number(algorithm.slice(3)) < verifier['rsa-bits'];
  return tooShort ? `wants RSA of ${verifier['rsa-bits']} bits or more` : undefined;
}

function acceptsSha1({ sha1 }: Verifier, now: number): boolean {
  return typeof sha1 === 'boolean' ? sha1 : now < Date.parse(sha1) / 1000;
}

/** Properties of the newest self-signatures of user IDs and subkeys. */
function selfSignatureProperties(certificate: Key): Pick<KeyFacts, 'sha1' | 'critical'> {
  const signatures = [
    ...certificate.users.map(({ selfCertifications }) => newest(selfCertifications)),
    ...certificate.subkeys.map(({ bindingSignatures }) => newest(bindingSignatures)),
  ].filter((signature) => signature !== undefined);
  return {
    sha1: signatures.some(({ hashAlgorithm }) => hashAlgorithm === enums.hash.sha1),
    critical: signatures.some(hasCriticalSubpacket),
  };
}

function newest(signatures: readonly SignaturePacket[]): SignaturePacket | undefined {
  const time = ({ created }: SignaturePacket) => created?.getTime() ?? 0;
  return [...signatures].sort((a, b) => time(b) - time(a))[0];
}

/**
 * A warning, one sentence, for a key that expires within 60 days; otherwise undefined.
 *
 * @param now seconds since 1970-01-01 UTC
 */
export function expiryWarning(
  { fingerprint, expires }: Pick<Signer, 'fingerprint' | 'expires'>,
  now: number,
): string | undefined {
  if (expires === undefined || expires - now > WARNING_DAYS * DAY) return undefined;
  const days = Math.max(Math.floor((expires - now) / DAY), 0);
  const expiryDate = new Date(expires * 1000).toISOString().slice(0, 10);
  return `the signing key ${fingerprint} expires on ${expiryDate}, in ${plural(days, 'day')}`;
}

/** Creation time of the newest self-signature in a certificate, seconds since 1970-01-01 UTC. */
export function newestSignatureDate(certificate: Key): number {
  const own = [
    ...certificate.users.flatMap(({ selfCertifications, revocationSignatures }) => [
      ...selfCertifications,
      ...revocationSignatures,
    ]),
    ...certificate.subkeys.flatMap(({ bindingSignatures, revocationSignatures }) => [
      ...bindingSignatures,
      ...revocationSignatures,
    ]),
    ...certificate.revocationSignatures,
  ];
  const times = own.map(({ created }) => (created?.getTime() ?? 0) / 1000);
  return Math.max(certificate.getCreationTime().getTime() / 1000, ...times);
}

const FAMILIES = ['rsa', 'ed25519', 'ecdsa', 'dsa'] as const;

const verifiersSchema = z.strictObject({
  verifiers: z
    .array(
      z.strictObject({
        id: z.string().regex(/^[a-z0-9.-]+$/),
        name: z.string().min(1),
        algorithms: z.array(z.enum(FAMILIES)).min(1),
        'rsa-bits': z.int().positive(),
        subkeys: z.boolean(),
        critical: z.boolean(),
        sha1: z.union([z.boolean(), z.iso.date()]),
      }),
    )
    .min(1),
});

/** A program that verifies signatures on hosts, and what it accepts: an entry of packaging/verifiers.yaml. */
export type Verifier = z.output<typeof verifiersSchema>['verifiers'][number];

/** @throws KubeparcelError of kind 'config' for invalid data */
export async function loadVerifiers(
  directory: string = join(packageRoot(), 'packaging'),
): Promise<readonly Verifier[]> {
  const path = join(directory, 'verifiers.yaml');
  return parseValidatedYaml(await readFile(path, 'utf8'), verifiersSchema, path).verifiers;
}
