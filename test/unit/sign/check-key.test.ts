import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { enums, generateKey, type Key, SignaturePacket } from 'openpgp';
import { afterAll, describe, expect, test } from 'vitest';
import { OPENPGP_CONFIG, readCertificates } from '../../../src/sign/certificate.ts';
import { checkKey, expiryWarning, loadVerifiers } from '../../../src/sign/check-key.ts';
import { hasCriticalSubpacket } from '../../../src/sign/critical-subpackets.ts';
import { keyringLayout, loadKeyring } from '../../../src/sign/keyring-package.ts';
import { newKey } from '../../../src/sign/new-key.ts';
import { LATER, MADE, makeKey, type TestKeyOptions, YEAR } from '../../support/signing.ts';

const DAY = 86_400;
const directory = mkdtempSync(join(tmpdir(), 'kubeparcel-keys-'));
afterAll(() => rmSync(directory, { recursive: true }));

async function certificate(options: TestKeyOptions): Promise<Key> {
  const key = await makeKey(directory, 'key', options);
  const [first] = await readCertificates(readFileSync(key.public), key.public);
  if (first === undefined) throw new Error('no key');
  return first;
}

describe('keys check', () => {
  const objections = async (key: Key, now = LATER) => {
    const { acceptance } = await checkKey(key, await loadVerifiers(), now);
    return Object.fromEntries(acceptance.map(({ verifier, objection }) => [verifier.id, objection]));
  };

  test('every verifier accepts RSA keys of 2048 bits or more', async () => {
    const found = await objections(await certificate({ type: 'rsa' }));
    expect(Object.keys(found)).toEqual(expect.arrayContaining(['apt-gpgv', 'apt-sqv', 'rpm-4.11', 'rpm-sequoia']));
    expect(Object.values(found).filter((objection) => objection !== undefined)).toEqual([]);
  });

  test('new verifiers accept Ed25519, all but the oldest accept subkeys', async () => {
    const ed25519 = await objections(await certificate({ type: 'ed25519' }));
    expect(ed25519['apt-sqv']).toBeUndefined();
    expect(ed25519['rpm-4.14']).toBe('does not read ed25519');
    const subkey = await objections(await certificate({ type: 'rsa', subkey: true }));
    expect(subkey['rpm-4.11']).toMatch(/subkeys/);
    expect(subkey['rpm-4.14']).toBeUndefined();
  });

  test('sqv rejects SHA-1 in self-signatures from its cutoff date on', async () => {
    const { publicKey } = await generateKey({
      type: 'rsa',
      rsaBits: 2048,
      userIDs: { name: 'old' },
      subkeys: [],
      date: new Date(MADE * 1000),
      format: 'object',
      config: { ...OPENPGP_CONFIG, preferredHashAlgorithm: enums.hash.sha1 },
    });
    const sqv = async (now: string) => (await objections(publicKey, Date.parse(now) / 1000))['apt-sqv'];
    expect(await sqv('2026-01-31')).toBeUndefined();
    expect(await sqv('2026-02-01')).toMatch(/SHA-1/);
    expect((await objections(publicKey))['rpm-4.11']).toBeUndefined();
  });

  test('a key that expires within 60 days gives a warning, an expired key a fault', async () => {
    const key = await certificate({ lifetime: YEAR });
    const at = async (days: number) => checkKey(key, [], MADE + YEAR - days * DAY);
    expect((await at(61)).warning).toBeUndefined();
    expect((await at(59)).warning).toMatch(/expires on 2026-06-15, in 59 days$/);
    expect((await at(1)).warning).toMatch(/in 1 day$/);
    const ended = await at(-1);
    expect(ended.fault).toMatch(/expired/);
    expect(ended.signing).toBeUndefined();
    expect(expiryWarning({ fingerprint: 'AB', expires: undefined }, LATER)).toBeUndefined();
  });
});

describe('keys new', () => {
  const request = {
    userId: 'A B <a@example.org>',
    algorithm: 'ed25519',
    lifetime: YEAR,
    passphrase: undefined,
  } as const;

  test('creates keys without subkeys and without critical subpackets', async () => {
    const { publicKey, privateKey, fingerprint } = await newKey({ ...request, date: MADE });
    const [key] = await readCertificates(publicKey, 'new');
    expect(key?.getFingerprint().toUpperCase()).toBe(fingerprint);
    expect(key?.subkeys).toEqual([]);
    expect(key?.getUserIDs()).toEqual(['A B <a@example.org>']);
    const [certification] = key?.users[0]?.selfCertifications ?? [];
    expect(certification === undefined || hasCriticalSubpacket(certification)).toBe(false);
    expect(certification?.keyExpirationTime).toBe(YEAR);
    expect(privateKey).toContain('PRIVATE KEY');
  });

  test.each([
    ['no subpacket', [0, 0], false],
    ['a time', [0, 6, 5, 0x02, 1, 2, 3, 4], false],
    ['a critical time', [0, 6, 5, 0x82, 1, 2, 3, 4], true],
    ['a critical one behind a long one', [0, 208, 192, 10, 0x14, ...Array(201).fill(7), 2, 0x9b, 3], true],
    ['a truncated one', [0, 3, 255, 0, 0], false],
  ])('sees critical subpackets: %s', (_what, area, expected) => {
    const packet = Object.assign(new SignaturePacket(), {
      version: 4,
      signatureData: Uint8Array.from([4, 0x13, 22, 8, ...area]),
    });
    expect(hasCriticalSubpacket(packet)).toBe(expected);
  });

  test('protects the private key with the passphrase', async () => {
    const { privateKey } = await newKey({ ...request, passphrase: 'open sesame', date: MADE });
    const { readPrivateKey } = await import('openpgp');
    expect((await readPrivateKey({ armoredKey: privateKey })).isDecrypted()).toBe(false);
  });

  test.each(['', '<>', 'A <b', 'A\nB', 'a@b>c', 'A <a@b>', 'A <a@b.>', 'A <a\\@b.c>'])(
    'rejects the user ID %j',
    async (userId) => {
      await expect(newKey({ ...request, userId, date: MADE })).rejects.toMatchObject({ kind: 'usage' });
    },
  );
});

describe('keyring packages', () => {
  test('have the date of the newest self-signature as version, and the same keys give the same layout', async () => {
    const definition = await loadKeyring();
    const [a, b] = [await certificate({}), await certificate({ date: MADE + 10 * DAY })];
    const of = (certificates: Key[], format: 'deb' | 'rpm' = 'deb') =>
      keyringLayout({ definition, format, certificates, maintainer: 'M <m@example.org>' });
    expect((await of([a])).version.upstream).toBe('2025.06.15');
    expect((await of([a, b])).version.upstream).toBe('2025.06.25');
    expect(await of([a, b])).toEqual(await of([b, a]));
    const rpm = await of([a, b], 'rpm');
    expect(rpm.entries.map(({ path }) => path)).toEqual([
      '/etc/pki/rpm-gpg',
      '/etc/pki/rpm-gpg/RPM-GPG-KEY-kubeparcel-archive-keyring',
    ]);
  });

  test('do not contain line breaks from user IDs', async () => {
    const definition = await loadKeyring();
    const key = await certificate({ userId: { name: 'Eve\n\nFiles: *', email: 'eve@example.org' } });
    const { entries, changelog } = await keyringLayout({
      definition,
      format: 'deb',
      certificates: [key],
      maintainer: 'M <m@example.org>',
    });
    const copyright = entries.find(({ path }) => path.endsWith('/copyright'));
    const text =
      copyright?.kind === 'file' && copyright.content.kind === 'memory' ? copyright.content.bytes : undefined;
    expect(
      Buffer.from(text ?? '')
        .toString()
        .match(/^Files:/gm),
    ).toHaveLength(1);
    expect(changelog[0]?.changes.join('')).not.toContain('\n');
  });
});
