import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { publicKeyFile, readCertificates } from '../../src/sign/certificate.ts';
import { openCertificates, openSigners } from '../../src/sign/open-keys.ts';
import { clearsignTogether, signTogether } from '../../src/sign/signatures.ts';
import type { Signer } from '../../src/sign/signer.ts';
import { verifyClearsigned, verifyDetached } from '../../src/sign/verify.ts';
import { attempt, endAgent, gpg, gpgHome, LATER, MADE, makeKey, type TestKey } from '../support/signing.ts';
import { hasTool } from '../support/tools.ts';

const RELEASE = 'Origin: test\nSuite: stable\nSHA256:\n 00ff 12 main/Packages\n- a line with a dash\nFrom here\n';
const PASSPHRASE = 'open sesame';

describe.skipIf(!hasTool('gpg') || !hasTool('gpgv'))('signatures and GnuPG', () => {
  const directory = mkdtempSync(join(tmpdir(), 'kubeparcel-sign-'));
  const keyring = join(directory, 'all.gpg');
  const keys: Record<string, TestKey> = {};
  let signers: Signer[];
  let byGpg: Signer[];

  beforeAll(async () => {
    keys.rsa = await makeKey(directory, 'rsa', { type: 'rsa' });
    keys.ed25519 = await makeKey(directory, 'ed25519');
    keys.subkey = await makeKey(directory, 'subkey', { type: 'rsa', subkey: true, passphrase: PASSPHRASE });
    const files = Object.values(keys).map(({ secret }) => secret);
    const environment = { PATH: process.env.PATH, KUBEPARCEL_SIGNING_PASSPHRASE: PASSPHRASE };
    signers = await openSigners(files, { now: LATER, environment });
    gpg(directory, ['--pinentry-mode', 'loopback', '--passphrase', PASSPHRASE, '--import', ...files]);
    byGpg = await openSigners(
      Object.values(keys).map(({ fingerprint }) => `gpg:${fingerprint}`),
      { now: LATER, environment: { ...environment, GNUPGHOME: gpgHome(directory) } },
    );
    const certificates = await openCertificates(files, {});
    writeFileSync(keyring, publicKeyFile(certificates, 'binary'));
  });

  afterAll(() => {
    endAgent(directory);
    rmSync(directory, { recursive: true });
  });

  const write = (name: string, content: string | Uint8Array) => {
    const path = join(directory, name);
    writeFileSync(path, content);
    return path;
  };

  test.each(['openpgp.js', 'gpg'])('gpgv accepts signatures of all keys created by %s', async (maker) => {
    const chosen = maker === 'gpg' ? byGpg : signers;
    const data = write('Release', RELEASE);
    const detached = write('Release.gpg', await signTogether(chosen, Buffer.from(RELEASE), LATER));
    const inline = write('InRelease', await clearsignTogether(chosen, RELEASE, LATER));
    for (const files of [[detached, data], [inline]]) {
      const { status, text } = attempt('gpgv', ['--keyring', keyring, ...files]);
      expect(status, text).toBe(0);
      expect(text.match(/Good signature/g)).toHaveLength(3);
    }
    const { status, text } = attempt('gpgv', ['--keyring', keyring, '--output', join(directory, 'text'), inline]);
    expect(status, text).toBe(0);
    expect(readFileSync(join(directory, 'text'), 'utf8')).toBe(RELEASE);
  });

  test('gpgv rejects changed text, detached and cleartext-signed', async () => {
    const data = write('Release', RELEASE.replace('stable', 'testing'));
    const detached = write('Release.gpg', await signTogether(signers, Buffer.from(RELEASE), LATER));
    const inline = write('InRelease', (await clearsignTogether(signers, RELEASE, LATER)).replace('stable', 'testing'));
    expect(attempt('gpgv', ['--keyring', keyring, detached, data]).status).not.toBe(0);
    expect(attempt('gpgv', ['--keyring', keyring, inline]).status).not.toBe(0);
  });

  test.skipIf(!hasTool('sqv'))('sqv, used by apt of Debian 13, accepts each signature', async () => {
    const data = write('Release', RELEASE);
    const detached = write('Release.gpg', await signTogether(signers, Buffer.from(RELEASE), LATER));
    const { status, text } = attempt('sqv', ['--signatures', '3', '--keyring', keyring, detached, data]);
    expect(text.trim().split('\n').sort()).toEqual(
      Object.values(keys)
        .map((key) => key.fingerprint)
        .sort(),
    );
    expect(status).toBe(0);
    write('Release', `${RELEASE}\n`);
    expect(attempt('sqv', ['--keyring', keyring, detached, data]).status).not.toBe(0);
  });

  test('the same bytes and date give the same signature', async () => {
    const of = (all: Signer[]) =>
      all.find((signer) => signer.algorithm.startsWith('rsa'))?.signDetached(Buffer.from('a'), LATER);
    const [first, again] = [await of(byGpg), await of(byGpg)];
    expect(first).toEqual(again);
    expect(await of(signers)).toEqual(await of(signers));
  });

  test('a signing subkey is the issuer of its signatures', async () => {
    for (const all of [signers, byGpg]) {
      const [signer] = all.slice(2);
      expect(signer?.fingerprint).toBe(keys.subkey?.fingerprint);
      expect(signer?.signingFingerprint).not.toBe(keys.subkey?.fingerprint);
      const packets = gpg(
        directory,
        ['--list-packets'],
        await signer?.signDetached(Buffer.from('a'), LATER),
      ).toString();
      expect(packets).toContain(`(issuer fpr v4 ${signer?.signingFingerprint})`);
      expect(packets).toContain(`created ${LATER},`);
      expect(packets).toMatch(/version 4, .*sigclass 0x00\n\tdigest algo 8,/);
      expect(packets).not.toMatch(/critical|notation/);
    }
  });

  test('verification of files signed by gpg agrees with gpgv', async () => {
    const certificates = await readCertificates(readFileSync(keyring), keyring);
    const made = await signTogether(byGpg, Buffer.from(RELEASE), LATER);
    const { good } = await verifyDetached(Buffer.from(RELEASE), made, certificates, { where: 'x', date: LATER });
    expect(good.map(({ fingerprint, date }) => [fingerprint, date])).toEqual(
      Object.values(keys).map(({ fingerprint }) => [fingerprint, LATER]),
    );
    const inline = await clearsignTogether(byGpg, RELEASE, LATER);
    const { text } = await verifyClearsigned(inline, certificates, { where: 'x', date: LATER });
    expect(text).toBe(RELEASE);
  });

  test('a key that gpg does not have and a date before the key give different errors', async () => {
    const environment = { PATH: process.env.PATH, GNUPGHOME: gpgHome(directory) };
    await expect(openSigners([`gpg:${'A'.repeat(40)}`], { environment })).rejects.toThrow(/gpg cannot find the key/);
    await expect(openSigners(['gpg:97913F76'], { environment })).rejects.toThrow(/invalid fingerprint/);
    await expect(byGpg[0]?.signDetached(Buffer.from('a'), MADE - 1)).rejects.toThrow(/the key is newer/);
  });

  test('gpg with a wrong passphrase fails with its message and does not prompt', async () => {
    endAgent(directory);
    const environment = {
      PATH: process.env.PATH,
      GNUPGHOME: gpgHome(directory),
      KUBEPARCEL_SIGNING_PASSPHRASE: 'wrong',
    };
    const [signer] = await openSigners([`gpg:${keys.subkey?.fingerprint}`], { environment, now: LATER });
    await expect(signer?.signDetached(Buffer.from('a'), LATER)).rejects.toThrow(/gpg cannot sign: .*[Bb]ad passphrase/);
  });

  test('exported subkeys sign without the secret key of the primary key', async () => {
    const options = ['--pinentry-mode', 'loopback', '--passphrase', PASSPHRASE];
    const bytes = gpg(directory, [...options, '--export-secret-subkeys', keys.subkey?.fingerprint ?? '']);
    const path = write('subkeys.key', bytes);
    const { chmodSync } = await import('node:fs');
    chmodSync(path, 0o600);
    const environment = { KUBEPARCEL_SIGNING_PASSPHRASE: PASSPHRASE };
    const [signer] = await openSigners([path], { environment, now: LATER });
    const detached = write('a.sig', (await signer?.signDetached(Buffer.from('a'), LATER)) ?? '');
    expect(attempt('gpgv', ['--keyring', keyring, detached, write('a', 'a')]).status).toBe(0);
  });
});
