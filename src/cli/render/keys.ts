import { basename } from 'node:path';
import type { SignedPackage } from '../../pipeline/sign.ts';
import type { KeyReport } from '../../sign/check-key.ts';
import type { NewKey } from '../../sign/new-key.ts';
import type { Signer } from '../../sign/signer.ts';
import type { WrittenFile } from '../../support/write-atomically.ts';
import { humanSize, table } from './table.ts';

/** The result of `kubeparcel sign`. */
export function renderSigned(signed: readonly SignedPackage[], signer: Signer, date: number): string {
  return [
    table(
      ['Package', 'Signatures', 'SHA-256 (first 16)'],
      signed.map(({ path, signatures, sha256 }) => [basename(path), signatures.join(', '), sha256.slice(0, 16)]),
    ),
    '',
    `Signed by ${printable(signer.userId)}, ${signer.algorithm}`,
    `  key    ${grouped(signer.fingerprint)}${signer.signingFingerprint === signer.fingerprint ? '' : `\n  subkey ${grouped(signer.signingFingerprint)}`}`,
    `  date   ${new Date(date * 1000).toISOString().replace('.000Z', 'Z')}`,
  ].join('\n');
}

/** The result of `kubeparcel keys new`. */
export function renderNewKey(
  key: NewKey,
  files: { readonly key: string; readonly revocation: string },
  expires: number | undefined,
): string {
  return [
    `Fingerprint  ${grouped(key.fingerprint)}`,
    `Expires      ${day(expires)}`,
    `Private key  ${files.key} (keep it secret and make a backup)`,
    `Revocation   ${files.revocation} (revokes the key; store it separately)`,
    '',
    `To export the public key:  kubeparcel keys export ${files.key}`,
    `To sign packages:          kubeparcel sign dist/*.rpm --key ${files.key}`,
  ].join('\n');
}

/** The output of `kubeparcel keys check`: one block per key. */
export function renderKeyReports(reports: readonly KeyReport[]): string {
  return reports.map(renderKeyReport).join('\n\n');
}

function renderKeyReport(report: KeyReport): string {
  const { signing, fault, warning } = report;
  return [
    grouped(report.fingerprint),
    `  User ID  ${printable(report.userId)}`,
    `  Created  ${day(report.created)}`,
    ...(signing === undefined
      ? []
      : [
          `  Expires  ${day(signing.expires)}`,
          `  Signs    ${signing.algorithm}${signing.isSubkey ? `, subkey ${grouped(signing.fingerprint)}` : ''}`,
        ]),
    ...(fault === undefined ? [] : [`  FAULT    ${fault}`]),
    ...(warning === undefined ? [] : [`  WARNING  ${warning}`]),
    ...report.acceptance.map(({ verifier, objection }) =>
      objection === undefined ? `  ok       ${verifier.name}` : `  no       ${verifier.name}\n           ${objection}`,
    ),
  ].join('\n');
}

/** The result of `kubeparcel keys package`. */
export function renderKeyring(written: readonly WrittenFile[]): string {
  return table(
    ['Package', '>Size', 'SHA-256 (first 16)'],
    written.map(({ path, size, sha256 }) => [path, humanSize(size), sha256.slice(0, 16)]),
  );
}

/** ABCD 1234 ..., grouped as by gpg. */
function grouped(fingerprint: string): string {
  return fingerprint.match(/.{1,4}/g)?.join(' ') ?? '';
}

function day(seconds: number | undefined): string {
  return seconds === undefined ? 'never' : new Date(seconds * 1000).toISOString().slice(0, 10);
}

/** Escapes control characters, which a hostile user ID could use to control the terminal, as \x1b. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
