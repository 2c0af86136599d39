import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readDeb } from '../../src/deb/read.ts';
import { debPackager } from '../../src/deb/write.ts';
import { signPackages } from '../../src/pipeline/sign.ts';
import { readRpm } from '../../src/rpm/read.ts';
import { openSigners } from '../../src/sign/open-keys.ts';
import type { Signer } from '../../src/sign/signer.ts';
import { writeAtomically } from '../../src/support/write-atomically.ts';
import { objectsOf, pack } from '../support/rpm.ts';
import { fullLayout, run } from '../support/rpm-tools.ts';
import { sampleLayout } from '../support/sample-layout.ts';
import { attempt, LATER, MADE, makeKey, type TestKey, type TestKeyOptions, YEAR } from '../support/signing.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { hasTool } from '../support/tools.ts';

const KEYS: Record<string, TestKeyOptions> = {
  'RSA of 4096 bits': { type: 'rsa', bits: 4096, lifetime: 50 * YEAR },
  'a subkey of RSA': { type: 'rsa', subkey: true },
  Ed25519: { type: 'ed25519', lifetime: 50 * YEAR },
};
const ALGORITHMS = Object.keys(KEYS);
const directory = mkdtempSync(join(tmpdir(), 'kubeparcel-sign-'));
const keys: Record<string, TestKey> = {};
const signers: Record<string, Signer> = {};

beforeAll(async () => {
  for (const [at, name] of ALGORITHMS.entries()) {
    const key = await makeKey(directory, `key${at}`, KEYS[name]);
    const [signer] = await openSigners([key.secret], { environment: {}, now: LATER });
    if (signer !== undefined) signers[name] = signer;
    keys[name] = key;
  }
});
afterAll(() => rmSync(directory, { recursive: true }));

const signerOf = (name: string): Signer => {
  const signer = signers[name];
  if (signer === undefined) throw new Error(name);
  return signer;
};

describe.skipIf(!hasTool('rpmkeys'))('RPMs', () => {
  /** Lines of `rpmkeys -Kv` without indentation, with a new database that contains the keys. */
  function check(path: string, ...known: string[]): { status: number | null; lines: string[] } {
    const database = join(temporaryDirectory(), 'db');
    for (const name of known) {
      run(directory, 'rpmkeys', '--dbpath', database, '--import', keys[name]?.public ?? '');
    }
    const { status, text } = attempt('rpmkeys', ['--dbpath', database, '-Kv', path]);
    return {
      status,
      lines: text
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.trim()),
    };
  }
  const packed = (codec: 'gzip' | 'zstd') => pack(fullLayout(), temporaryDirectory(), { codec, level: 6 });
  const idOf = (name: string) => signerOf(name).signingFingerprint.slice(-8).toLowerCase();

  test.each(ALGORITHMS)('are accepted by rpm with %s', async (name) => {
    const path = await packed('zstd');
    await signPackages([path], signerOf(name), { date: LATER });
    const algorithm = name === 'Ed25519' ? 'EdDSA/SHA512' : 'RSA/SHA256';
    const { status, lines } = check(path, name);
    expect(lines).toContain(`Header V4 ${algorithm} Signature, key ID ${idOf(name)}: OK`);
    expect(lines.filter((line) => !line.endsWith(': OK'))).toEqual([]);
    expect(status).toBe(0);
  });

  test.each(['RSA of 4096 bits', 'Ed25519'])(
    'have a signature over header and payload where asked (%s)',
    async (name) => {
      const path = await packed('zstd');
      await signPackages([path], signerOf(name), { date: LATER, headerAndPayload: true });
      const { status, lines } = check(path, name);
      expect(lines.filter((line) => /^V4 .* Signature, key ID .*: OK$/.test(line))).toHaveLength(1);
      expect(status).toBe(0);
    },
  );

  test('have a signature over header and payload by default if an old rpm can read the package', async () => {
    const both = async (codec: 'gzip' | 'zstd', name: string) => {
      const [signed] = await signPackages([await packed(codec)], signerOf(name), { date: LATER });
      return signed?.signatures;
    };
    expect(await both('gzip', 'a subkey of RSA')).toEqual(['header', 'header and payload']);
    expect(await both('zstd', 'a subkey of RSA')).toEqual(['header']);
    expect(await both('gzip', 'Ed25519')).toEqual(['header']);
  });

  test('are unchanged after the signature header', async () => {
    const path = await packed('gzip');
    const [before, read] = [readFileSync(path), await readRpm(path)];
    await signPackages([path], signerOf('a subkey of RSA'), { date: LATER });
    const after = readFileSync(path);
    const headerAt = (bytes: Buffer) => bytes.indexOf(Buffer.from('8eade801', 'hex'), 97);
    expect(after.subarray(0, 96)).toEqual(before.subarray(0, 96));
    expect(after.subarray(headerAt(after)).equals(before.subarray(headerAt(before)))).toBe(true);
    expect(headerAt(after) % 8).toBe(0);
    const again = await readRpm(path);
    expect({ ...again, metadata: [] }).toEqual({ ...read, metadata: [] });
  });

  test('can be signed again with another key, which replaces the signature reproducibly', async () => {
    const path = await packed('gzip');
    await signPackages([path], signerOf('Ed25519'), { date: LATER });
    const once = readFileSync(path);
    await signPackages([path], signerOf('RSA of 4096 bits'), { date: LATER });
    expect(check(path, 'RSA of 4096 bits').lines.filter((line) => line.includes('Signature'))).toHaveLength(2);
    await signPackages([path], signerOf('Ed25519'), { date: LATER });
    expect(readFileSync(path).equals(once)).toBe(true);
    expect(check(path, 'Ed25519').lines.filter((line) => line.includes('Signature'))).toHaveLength(1);
  });

  test('built by rpmbuild with reserved space can be signed, and rpmsign accepts the result', async () => {
    const top = join(temporaryDirectory(), 'top');
    mkdirSync(join(top, 'SPECS'), { recursive: true });
    writeFileSync(
      join(top, 'SPECS/own.spec'),
      'Name: own\nVersion: 1\nRelease: 1\nSummary: s\nLicense: MIT\nBuildArch: noarch\n%description\nd\n%files\n',
    );
    run(directory, 'rpmbuild', '-bb', '--quiet', '--define', `_topdir ${top}`, join(top, 'SPECS/own.spec'));
    const path = join(top, 'RPMS/noarch/own-1-1.noarch.rpm');
    await signPackages([path], signerOf('RSA of 4096 bits'), { date: LATER });
    const { status, lines } = check(path, 'RSA of 4096 bits');
    expect(lines.filter((line) => !line.endsWith(': OK'))).toEqual([]);
    expect(lines.join('\n')).toContain('Header V4 RSA/SHA256 Signature');
    expect(status).toBe(0);
  });

  test('are rejected by rpm if header, payload or signature was changed', async () => {
    const path = await packed('gzip');
    await signPackages([path], signerOf('RSA of 4096 bits'), { date: LATER });
    const bytes = readFileSync(path);
    const header = bytes.indexOf(Buffer.from('8eade801', 'hex'), 97);
    const summary = bytes.indexOf('umlauts', header);
    for (const at of [summary, bytes.length - 9, header - 200]) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8((changed[at] ?? 0) ^ 1, at);
      writeFileSync(path, changed);
      const { status, lines } = check(path, 'RSA of 4096 bits');
      expect(status, lines.join('\n')).not.toBe(0);
    }
    writeFileSync(path, bytes);
    expect(check(path, 'Ed25519').lines.join('\n')).toContain('NOKEY');
  });

  test('are not signed and not changed if they are damaged', async () => {
    for (const [codec, at] of [
      ['gzip', -9],
      ['zstd', -9],
      ['gzip', -3000],
    ] as const) {
      const path = await packed(codec);
      const bytes = readFileSync(path);
      bytes.writeUInt8((bytes.at(at) ?? 0) ^ 1, bytes.length + at);
      writeFileSync(path, bytes);
      await expect(signPackages([path], signerOf('Ed25519'), { date: LATER })).rejects.toMatchObject({
        kind: expect.stringMatching(/verification|format/),
      });
      expect(readFileSync(path).equals(bytes)).toBe(true);
      expect(readdirSync(join(path, '..'))).toHaveLength(1);
    }
  });

  test('keep mode and links, and SHA256SUMS is updated', async () => {
    const path = await packed('gzip');
    const other = join(path, '../link.rpm');
    const { chmodSync, symlinkSync, lstatSync } = await import('node:fs');
    chmodSync(path, 0o640);
    symlinkSync(path, other);
    const sums = join(path, '../SHA256SUMS');
    const name = path.split('/').at(-1) ?? '';
    writeFileSync(sums, `${'0'.repeat(64)}  ${name}\n${'1'.repeat(64)}  other.deb\n`);
    const [signed] = await signPackages([path], signerOf('Ed25519'), { date: LATER });
    expect(readFileSync(sums, 'utf8')).toBe(
      `${'1'.repeat(64)}  other.deb\n${signed?.sha256}  ${name}\n`
        .split('\n')
        .sort((a, b) => (a === '' ? 1 : b === '' ? -1 : a.slice(66) < b.slice(66) ? -1 : 1))
        .join('\n'),
    );
    await signPackages([other], signerOf('Ed25519'), { date: LATER });
    expect(lstatSync(other).isSymbolicLink()).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o640);
  });
});

describe.skipIf(!hasTool('debsig-verify') || !hasTool('dpkg-deb'))('DEBs', () => {
  async function packed(): Promise<string> {
    const layout = sampleLayout('deb');
    const path = join(temporaryDirectory(), debPackager.fileName(layout));
    const options = {
      compression: { codec: 'xz', level: 1 },
      objects: objectsOf(),
      spoolDirectory: join(path, '..'),
    } as const;
    await writeAtomically(path, debPackager.write(layout, options));
    return path;
  }

  /** A debsig-verify policy that requires a signature of this key, in a new root directory. */
  function verify(path: string, name: string): { status: number | null; text: string } {
    const root = temporaryDirectory();
    const id = signerOf(name).signingFingerprint.slice(-16);
    const rules = `<Required Type="origin" File="key.gpg" id="${id}"/>`;
    const policies = join(root, 'policies', id);
    const keyrings = join(root, 'keyrings', id);
    for (const each of [policies, keyrings]) mkdirSync(each, { recursive: true });
    writeFileSync(
      join(policies, 'test.pol'),
      `<?xml version="1.0"?>
<!DOCTYPE Policy SYSTEM "https://www.debian.org/debsig/1.0/policy.dtd">
<Policy xmlns="https://www.debian.org/debsig/1.0/">
  <Origin Name="test" id="${id}" Description="test"/>
  <Selection>${rules}</Selection>
  <Verification MinOptional="0">${rules}</Verification>
</Policy>
`,
    );
    const { status, text } = attempt('gpg', [
      '--dearmor',
      '--output',
      join(keyrings, 'key.gpg'),
      keys[name]?.public ?? '',
    ]);
    if (status !== 0) throw new Error(text);
    return attempt('debsig-verify', [
      '--verbose',
      '--policies-dir',
      join(root, 'policies'),
      '--keyrings-dir',
      join(root, 'keyrings'),
      path,
    ]);
  }

  test.each(['RSA of 4096 bits', 'Ed25519'])('are accepted by debsig-verify with %s', async (name) => {
    const path = await packed();
    await signPackages([path], signerOf(name), { date: LATER });
    const { status, text } = verify(path, name);
    expect(status, text).toBe(0);
    expect(text).toContain('Verified package');
  });

  test('remain readable for dpkg-deb and kubeparcel, with unchanged members before the signature', async () => {
    const path = await packed();
    const [before, read] = [readFileSync(path), await readDeb(path)];
    await signPackages([path], signerOf('Ed25519'), { date: LATER });
    const after = readFileSync(path);
    expect(after.subarray(0, before.length).equals(before)).toBe(true);
    expect(await readDeb(path)).toEqual(read);
    expect(attempt('dpkg-deb', ['--contents', path]).text).toContain('./usr/bin/kubelet');
    expect(attempt('ar', ['t', path]).text).toBe('debian-binary\ncontrol.tar.xz\ndata.tar.xz\n_gpgorigin\n');
  });

  test('can be signed again reproducibly, and keep additional members', async () => {
    const path = await packed();
    await signPackages([path], signerOf('Ed25519'), { date: LATER });
    const once = readFileSync(path);
    const own = join(path, '../_gpgmaint');
    writeFileSync(own, 'somebody');
    attempt('ar', ['q', path, own]);
    await signPackages([path], signerOf('RSA of 4096 bits'), { date: LATER });
    expect(attempt('ar', ['t', path]).text.split('\n').slice(3)).toEqual(['_gpgmaint', '_gpgorigin', '']);
    expect(verify(path, 'RSA of 4096 bits').status).toBe(0);
    attempt('ar', ['d', path, '_gpgmaint']);
    await signPackages([path], signerOf('Ed25519'), { date: LATER });
    expect(verify(path, 'Ed25519').status).toBe(0);
    expect(readFileSync(path).length).toBe(once.length);
  });

  test('are rejected if they were changed or signed with another key', async () => {
    const path = await packed();
    await signPackages([path], signerOf('Ed25519'), { date: LATER });
    const copy = join(path, '../copy.deb');
    copyFileSync(path, copy);
    const bytes = readFileSync(path);
    const at = bytes.indexOf('data.tar') + 100;
    bytes.writeUInt8((bytes[at] ?? 0) ^ 1, at);
    writeFileSync(path, bytes);
    expect(verify(path, 'Ed25519').status).not.toBe(0);
    expect(verify(copy, 'Ed25519').status).toBe(0);
    expect(verify(copy, 'RSA of 4096 bits').status).not.toBe(0);
  });

  test('are not signed with a subkey, which debsig-verify does not support', async () => {
    const [path, name] = [await packed(), 'a subkey of RSA'];
    const signer = signerOf(name);
    await expect(signPackages([path], signer, { date: LATER })).rejects.toThrow(
      /does not accept signatures by subkeys/,
    );
    await signPackages([path], { ...signer, fingerprint: signer.signingFingerprint }, { date: LATER });
    expect(verify(path, name).status).not.toBe(0);
  });

  test('are the only files that signDeb accepts', async () => {
    const path = join(temporaryDirectory(), 'x.deb');
    writeFileSync(path, '!<arch>\nfoo             0           0     0     100644  2         `\nab');
    await expect(signPackages([path], signerOf('Ed25519'), { date: LATER })).rejects.toThrow(/not a DEB package/);
    writeFileSync(path, 'something else entirely');
    await expect(signPackages([path], signerOf('Ed25519'), { date: MADE })).rejects.toThrow(
      /not a .deb or .rpm package/,
    );
  });
});
