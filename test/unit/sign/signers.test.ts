import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readKey, readPrivateKey, readSignature, revokeKey } from 'openpgp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCertificates } from '../../../src/sign/certificate.ts';
import { openCertificates, openSigners } from '../../../src/sign/open-keys.ts';
import { clearsignTogether, signatureDate, signTogether } from '../../../src/sign/signatures.ts';
import { verifyClearsigned, verifyDetached } from '../../../src/sign/verify.ts';
import { LATER, MADE, makeKey, type TestKey, YEAR } from '../../support/signing.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const directory = mkdtempSync(join(tmpdir(), 'kubeparcel-sign-'));
let plain: TestKey;
let locked: TestKey;
let short: TestKey;

beforeAll(async () => {
  plain = await makeKey(directory, 'plain');
  locked = await makeKey(directory, 'locked', { passphrase: 'open sesame' });
  short = await makeKey(directory, 'short', { lifetime: YEAR });
});
afterAll(() => rmSync(directory, { recursive: true }));

const open = (specs: string[], environment: Record<string, string> = {}, now = LATER) =>
  openSigners(specs, { environment, now });
const signer = async (key: TestKey, now = LATER) => {
  const [first] = await open([key.secret], {}, now);
  if (first === undefined) throw new Error('no signer');
  return first;
};
const TEXT = 'Suite: stable\n- dash \n\nend\n';

describe('openSigners', () => {
  test('reads the key from a file, or from the environment if no file is given', async () => {
    const armored = readFileSync(plain.secret, 'utf8');
    for (const found of [await open([plain.secret]), await open([], { KUBEPARCEL_SIGNING_KEY: armored })]) {
      expect(found.map(({ fingerprint }) => fingerprint)).toEqual([plain.fingerprint]);
    }
    expect(await open([])).toEqual([]);
    expect((await signer(plain)).userId).toBe('Test plain <plain@example.org>');
    expect((await signer(plain)).algorithm).toBe('ed25519');
    expect((await signer(short)).expires).toBe(MADE + YEAR);
    expect((await signer(plain)).expires).toBeUndefined();
    expect((await signer(plain)).validFrom).toBe(MADE);
  });

  test('reads several keys from one file, binary or armored', async () => {
    const both = join(directory, 'both.key');
    writeFileSync(both, `${readFileSync(plain.secret, 'utf8')}\n${readFileSync(short.secret, 'utf8')}`, {
      mode: 0o600,
    });
    expect((await open([both])).map(({ fingerprint }) => fingerprint)).toEqual([plain.fingerprint, short.fingerprint]);
    const binary = join(directory, 'binary.key');
    const key = await readPrivateKey({ armoredKey: readFileSync(plain.secret, 'utf8') });
    writeFileSync(binary, key.write(), { mode: 0o600 });
    expect((await open([binary])).map(({ fingerprint }) => fingerprint)).toEqual([plain.fingerprint]);
    await expect(open([binary, plain.secret])).rejects.toThrow(/given twice/);
  });

  test('unlocks keys with a passphrase from the environment, a file, a file descriptor or a prompt', async () => {
    const file = join(directory, 'passphrase');
    writeFileSync(file, 'not this one\nopen sesame\n');
    const { openSync, closeSync } = await import('node:fs');
    const passphraseFd = openSync(file, 'r');
    const base = { environment: {}, now: LATER };
    const asked: string[] = [];
    const ask = async (key: string) => {
      asked.push(key);
      return 'open sesame';
    };
    for (const options of [
      { ...base, environment: { KUBEPARCEL_SIGNING_PASSPHRASE: 'open sesame' } },
      { ...base, passphraseFile: file },
      { ...base, passphraseFd },
      { ...base, ask },
    ]) {
      expect(await openSigners([locked.secret], options)).toHaveLength(1);
    }
    closeSync(passphraseFd);
    expect(asked).toEqual([`key ${locked.fingerprint}`]);
    await expect(open([locked.secret])).rejects.toThrow(/needs a passphrase/);
    await expect(open([locked.secret], { KUBEPARCEL_SIGNING_PASSPHRASE: 'x' })).rejects.toThrow(/wrong passphrase/);
    writeFileSync(file, '\n');
    await expect(openSigners([locked.secret], { ...base, passphraseFile: file })).rejects.toThrow(
      /no passphrase in the file/,
    );
  });

  test('rejects a key file that others can read, with a hint', async () => {
    const open644 = join(directory, 'open.key');
    writeFileSync(open644, readFileSync(plain.secret));
    for (const mode of [0o644, 0o640, 0o604, 0o620]) {
      chmodSync(open644, mode);
      await expect(open([open644])).rejects.toMatchObject({
        kind: 'usage',
        hint: expect.stringContaining('chmod 600'),
      });
    }
    chmodSync(open644, 0o400);
    expect(await open([open644])).toHaveLength(1);
  });

  test('does not ask to protect or replace a public key', async () => {
    const path = join(directory, 'public.asc');
    const key = await readPrivateKey({ armoredKey: readFileSync(plain.secret, 'utf8') });
    writeFileSync(path, key.toPublic().armor(), { mode: 0o644 });
    await expect(open([path])).rejects.toThrow('no OpenPGP private key in the file');
  });

  test('rejects keys that are expired, revoked, not yet valid, or lack the secret key', async () => {
    await expect(open([short.secret], {}, MADE + YEAR + 1)).rejects.toThrow(/expired/);
    await expect(open([plain.secret], {}, MADE - 1)).rejects.toMatchObject({ kind: 'usage' });
    const revoked = join(directory, 'revoked.key');
    const key = await readPrivateKey({ armoredKey: readFileSync(plain.secret, 'utf8') });
    const { privateKey } = await revokeKey({ key, date: new Date((LATER - 10) * 1000), format: 'armored' });
    writeFileSync(revoked, privateKey, { mode: 0o600 });
    await expect(open([revoked])).rejects.toThrow(/revoked/);
    chmodSync(plain.public, 0o600);
    await expect(open([plain.public])).rejects.toMatchObject({ kind: 'format' });
  });

  test.each([
    ['nothing', ''],
    ['another text', 'hello'],
    ['an armor of rubbish', '-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nAAAA\n-----END PGP PRIVATE KEY BLOCK-----\n'],
    ['binary rubbish', Buffer.from('c5ff00', 'hex')],
  ])('reports %s as a file without a key, without quoting its contents', async (_what, content) => {
    const path = join(directory, 'rubbish');
    writeFileSync(path, content, { mode: 0o600 });
    const error = await open([path]).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'KubeparcelError', kind: 'format' });
    expect(error).not.toHaveProperty('cause');
  });

  test('rejects a missing file and a directory', async () => {
    await expect(open([join(directory, 'none')])).rejects.toMatchObject({ kind: 'io' });
    await expect(open([directory])).rejects.toMatchObject({ kind: expect.stringMatching(/io|usage/) });
    await expect(open(['env'])).rejects.toThrow(/not set/);
  });
});

describe('signatures', () => {
  test('are reproducible, independent of chunks, and have no salt and no critical subpacket', async () => {
    const by = await signer(plain);
    async function* chunks() {
      yield Buffer.from('ab');
      yield Buffer.from('c');
    }
    const rsa = await signer(await makeKey(directory, 'rsa', { type: 'rsa', subkey: true }));
    const whole = await rsa.signDetached(Buffer.from('abc'), LATER);
    expect(Buffer.from(await rsa.signDetached(chunks(), LATER))).toEqual(Buffer.from(whole));
    const first = await by.signDetached(Buffer.from('abc'), LATER);
    expect(await by.signDetached(Buffer.from('abc'), LATER)).toEqual(first);
    expect(Buffer.from(await by.signDetached(chunks(), LATER))).toEqual(Buffer.from(first));
    expect(await by.clearsign(TEXT, LATER)).toBe(await by.clearsign(TEXT, LATER));
    const { packets } = await readSignature({ binarySignature: first });
    expect(packets).toHaveLength(1);
    expect(packets[0]?.rawNotations).toEqual([]);
    // The subpacket with the creation time: five bytes, type 2, critical bit not set.
    expect([...(packets[0]?.signatureData ?? [])].slice(6, 8)).toEqual([5, 2]);
  });

  test('are refused for a date at which the key is not valid', async () => {
    const by = await signer(short);
    await expect(by.signDetached(Buffer.from('a'), MADE - 1)).rejects.toThrow(/the key is newer/);
    await expect(by.clearsign('a', MADE + YEAR)).rejects.toThrow(/expired by then/);
  });

  test('use SOURCE_DATE_EPOCH as their date, but no date before the creation of a key', async () => {
    const signers = [await signer(plain)];
    const of = (given: number | undefined, epoch: number | undefined) =>
      signatureDate(signers, { given, epoch, now: 9e8 });
    expect(of(undefined, undefined)).toBe(9e8);
    expect(of(undefined, LATER)).toBe(LATER);
    expect(of(undefined, MADE - 100)).toBe(MADE);
    expect(of(MADE - 100, LATER)).toBe(MADE - 100);
  });

  test('are refused without a signer', async () => {
    await expect(signTogether([], Buffer.from('a'), LATER)).rejects.toThrow(/no key to sign with/);
  });
});

describe('verification', () => {
  const certificates = async (...keys: TestKey[]) => {
    const files = keys.map((key) => readFileSync(key.public, 'utf8'));
    return (await Promise.all(files.map((file) => readCertificates(file, 'keys')))).flat();
  };
  const at = { where: 'Release.gpg', date: LATER };

  test('returns the signing keys and the IDs of unknown keys', async () => {
    const signers = [await signer(plain), await signer(short)];
    const data = Buffer.from(TEXT);
    const made = await signTogether(signers, data, LATER);
    const { good, unknown } = await verifyDetached(data, made, await certificates(short), at);
    expect(good).toEqual([{ fingerprint: short.fingerprint, userId: 'Test short <short@example.org>', date: LATER }]);
    expect(unknown).toEqual([plain.fingerprint.slice(-16)]);
    const inline = await verifyClearsigned(
      await clearsignTogether(signers, TEXT, LATER),
      await certificates(short),
      at,
    );
    expect(inline.good).toEqual(good);
    expect(inline.text).toBe('Suite: stable\n- dash\n\nend\n');
  });

  test('rejects changed data, other keys, expired keys and invalid signatures', async () => {
    const data = Buffer.from(TEXT);
    const made = await signTogether([await signer(short)], data, LATER);
    const own = await certificates(short);
    const refused = { kind: 'verification' };
    await expect(verifyDetached(Buffer.from(`${TEXT} `), made, own, at)).rejects.toMatchObject(refused);
    await expect(verifyDetached(data, made, await certificates(plain), at)).rejects.toMatchObject(refused);
    await expect(verifyDetached(data, made, own, { ...at, date: MADE + 2 * YEAR })).rejects.toMatchObject(refused);
    await expect(verifyDetached(data, 'rubbish', own, at)).rejects.toMatchObject({ kind: 'format' });
    await expect(verifyDetached(data, Buffer.from([0x88, 1]), own, at)).rejects.toMatchObject({ kind: 'format' });
    await expect(verifyDetached(data, Buffer.alloc(2 << 20, 0x88), own, at)).rejects.toMatchObject({ kind: 'format' });
  });

  test('rejects one bad signature among good ones', async () => {
    const data = Buffer.from(TEXT);
    const good = await (await signer(plain)).signDetached(data, LATER);
    const bad = await (await signer(short)).signDetached(Buffer.from('another'), LATER);
    const both = Buffer.concat([good, bad]);
    await expect(verifyDetached(data, both, await certificates(plain, short), at)).rejects.toMatchObject({
      kind: 'verification',
    });
  });

  test('rejects a cleartext-signed message with changed lines or unsigned text around it', async () => {
    const made = await clearsignTogether([await signer(plain)], TEXT, LATER);
    const own = await certificates(plain);
    const changed = made.replace('stable', 'testing');
    await expect(verifyClearsigned(changed, own, at)).rejects.toMatchObject({ kind: 'verification' });
    for (const other of [`Suite: evil\n\n${made}`, `${made}\nSuite: evil\n`, `${made}\n${made}`, TEXT, '']) {
      await expect(verifyClearsigned(other, own, at)).rejects.toMatchObject({ kind: 'format' });
    }
    // To a lenient reader, a dash-escaped header starts a second message.
    const nested = await clearsignTogether([await signer(plain)], '-----BEGIN PGP SIGNED MESSAGE-----\n', LATER);
    expect((await verifyClearsigned(nested, own, at)).text).toBe('-----BEGIN PGP SIGNED MESSAGE-----\n');
  });
});

describe('openCertificates', () => {
  test('reads private key files without a passphrase and public key files, and returns no secret key', async () => {
    for (const spec of [locked.secret, locked.public]) {
      const [key, ...others] = await openCertificates([spec], {});
      expect(others).toEqual([]);
      expect(key?.isPrivate()).toBe(false);
      expect(key?.getFingerprint().toUpperCase()).toBe(locked.fingerprint);
    }
    const twice = await openCertificates([plain.public, plain.secret, locked.public], {});
    expect(twice.map((key) => key.getFingerprint().toUpperCase())).toEqual([plain.fingerprint, locked.fingerprint]);
    await expect(openCertificates([], {})).rejects.toThrow(/no key given/);
  });

  test('rejects private keys where public keys are expected', async () => {
    const text = readFileSync(plain.secret, 'utf8');
    await expect(readCertificates(text, 'x')).rejects.toThrow(/private key/);
    const path = join(temporaryDirectory(), 'rubbish');
    writeFileSync(path, 'rubbish');
    await expect(openCertificates([path], {})).rejects.toMatchObject({ kind: 'format' });
    expect((await readKey({ armoredKey: readFileSync(plain.public, 'utf8') })).isPrivate()).toBe(false);
  });
});
