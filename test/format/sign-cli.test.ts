import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPrivateKey } from 'openpgp';
import { describe, expect, test } from 'vitest';
import { debPackager } from '../../src/deb/write.ts';
import { writeAtomically } from '../../src/support/write-atomically.ts';
import { directoryOfFile, everythingIn, expectFailure, run, succeed } from '../support/cli.ts';
import { lintian, rpmlint } from '../support/linters.ts';
import { objectsOf, pack } from '../support/rpm.ts';
import { sampleLayout } from '../support/sample-layout.ts';
import { attempt, endAgent, gpg, gpgHome, makeKey, YEAR } from '../support/signing.ts';
import { hasTool } from '../support/tools.ts';

const PASSPHRASE = 'correct horse battery staple';
const NOW = Math.floor(Date.now() / 1000);

async function packages(directory: string): Promise<string[]> {
  mkdirSync(directory, { recursive: true });
  const deb = sampleLayout('deb');
  const path = join(directory, debPackager.fileName(deb));
  const options = { compression: { codec: 'xz', level: 1 }, objects: objectsOf(), spoolDirectory: directory } as const;
  await writeAtomically(path, debPackager.write(deb, options));
  return [path, await pack(sampleLayout('rpm'), directory)];
}

describe('kubeparcel keys and sign', () => {
  const cwd = directoryOfFile();
  const env = { KUBEPARCEL_SIGNING_PASSPHRASE: PASSPHRASE };

  test('create a key, check it, and sign with it', async () => {
    const made = await succeed(['keys', 'new', '--user-id', 'P <p@example.org>', '--algorithm', 'ed25519'], {
      cwd,
      env,
    });
    const fingerprint = /Fingerprint {2}([0-9A-F ]+)\n/.exec(made)?.[1]?.replaceAll(' ', '');
    expect(fingerprint).toMatch(/^[0-9A-F]{40}$/);
    expect(statSync(join(cwd, 'signing.key')).mode & 0o777).toBe(0o600);
    expect(statSync(join(cwd, 'signing.key.revocation')).mode & 0o777).toBe(0o600);
    expect(await succeed(['keys', 'check', 'signing.key'], { cwd })).toMatch(/ok {7}apt with sqv/);
    const report = JSON.parse(await succeed(['keys', 'check', 'signing.key', '--json'], { cwd }));
    expect(report).toMatchObject([{ fingerprint, signing: { algorithm: 'ed25519', isSubkey: false } }]);
    const files = await packages(join(cwd, 'dist'));
    const signed = await succeed(['sign', ...files, '--key', 'signing.key', '--json'], { cwd, env });
    expect(signed.split('\n').map((line) => JSON.parse(line).signatures)).toEqual([['debsig'], ['header']]);
    await expectFailure(['keys', 'new', '--user-id', 'P', '--no-passphrase'], { cwd }, 2, /never overwritten/);
    await expectFailure(
      ['keys', 'new', '--user-id', 'P', '--out', 'b.key'],
      { cwd },
      2,
      /no passphrase for the new key/,
    );
    await expectFailure(['sign', ...files], { cwd }, 2, /no key to sign with/);
    await expectFailure(['sign', ...files, '--key', 'signing.key'], { cwd }, 2, /needs a passphrase/);
    expect(everythingIn(cwd).filter((name) => name.includes('b.key') || name.endsWith('.tmp'))).toEqual([]);
  });

  test('fail with exit status 2 for an expired key, and warn before it expires', async () => {
    const ended = await makeKey(cwd, 'ended', { date: NOW - YEAR, lifetime: YEAR - 60 });
    const soon = await makeKey(cwd, 'soon', { date: NOW - YEAR, lifetime: YEAR + 30 * 86_400 });
    const { exitCode, stdout } = await run(['keys', 'check', ended.public, soon.public], { cwd });
    expect(exitCode).toBe(5);
    expect(stdout).toMatch(/FAULT {4}the signing key has expired[\s\S]*WARNING {2}.*in \d+ days/);
    const [deb = ''] = await packages(join(cwd, 'ending'));
    await expectFailure(['sign', deb, '--key', ended.secret], { cwd }, 2, /has expired/);
    expect((await run(['sign', deb, '--key', soon.secret], { cwd })).stderr).toMatch(
      /^kubeparcel: warning: .*expires on/,
    );
  });

  test('give the same packages for the same SOURCE_DATE_EPOCH', async () => {
    const key = await makeKey(cwd, 'dated', { date: NOW - YEAR });
    const bytes = async (directory: string) => {
      const files = await packages(join(cwd, directory));
      await succeed(['sign', ...files, '--key', key.secret], { cwd, env: { SOURCE_DATE_EPOCH: String(NOW - 1000) } });
      return files.map((file) => readFileSync(file).toString('latin1'));
    };
    expect(await bytes('first')).toEqual(await bytes('second'));
  });
});

describe.skipIf(!hasTool('lintian') || !hasTool('rpmlint') || !hasTool('dpkg') || !hasTool('rpm'))(
  'keyring packages',
  () => {
    const cwd = directoryOfFile();
    /** Accepted linter findings. */
    const EXPLAINED = [
      // Only for uploads to the Debian archive.
      'initial-upload-closes-no-bugs',
      // As in keyring packages of distributions: a replaced key must reach the host.
      'non-conffile-in-etc',
      // The key needs no documentation.
      'no-documentation',
      // rpmlint has no list of licenses without the configuration of a distribution.
      'invalid-license',
      // rpmlint knows no keys here.
      'no-signature',
    ];

    test('contain keys that gpgv and rpm read, and have no unexpected linter findings', async () => {
      const keys = [await makeKey(cwd, 'a', { type: 'rsa' }), await makeKey(cwd, 'b')];
      const files = keys.map((key) => key.public);
      await succeed(['keys', 'package', ...files, '--out', 'dist', '--name', 'test-keyring'], { cwd });
      const [rpm = '', deb = ''] = readdirSync(join(cwd, 'dist')).map((name) => join(cwd, 'dist', name));
      expect(readdirSync(join(cwd, 'dist'))).toEqual([
        'test-keyring-2025.06.15-1.noarch.rpm',
        'test-keyring_2025.06.15-1_all.deb',
      ]);
      const findings = [...(await lintian([deb])), ...(await rpmlint([rpm], cwd))];
      expect(findings.map(({ tag }) => tag).filter((tag) => !EXPLAINED.includes(tag))).toEqual([]);

      expect(attempt('dpkg-deb', ['--extract', deb, join(cwd, 'root')]).status).toBe(0);
      const keyring = join(cwd, 'root/usr/share/keyrings/test-keyring.gpg');
      const listed = gpg(cwd, ['--with-colons', '--show-keys', keyring]).toString();
      for (const { fingerprint } of keys) expect(listed).toContain(`:${fingerprint}:`);
      const exported = await succeed(['keys', 'export', ...files], { cwd });
      const shell = `cd '${cwd}' && rpm2cpio '${rpm}' | cpio -i --to-stdout --quiet './etc/pki/*' > imported`;
      expect(attempt('sh', ['-c', shell]).status).toBe(0);
      const armors = (text: string) => text.match(/-----BEGIN[\s\S]+?-----END.*/g)?.sort();
      expect(armors(readFileSync(join(cwd, 'imported'), 'utf8'))).toEqual(armors(exported));
      expect(attempt('rpmkeys', ['--dbpath', join(cwd, 'db'), '--import', join(cwd, 'imported')])).toEqual({
        status: 0,
        text: '',
      });
      const imported = attempt('rpm', ['--dbpath', join(cwd, 'db'), '-qa', 'gpg-pubkey*'])
        .text.trim()
        .split('\n');
      expect(imported.map((line) => line.split('-')[2]).sort()).toEqual(
        keys.map(({ fingerprint }) => fingerprint.slice(-8).toLowerCase()).sort(),
      );
      await succeed(['keys', 'export', ...files, '--binary', '--out', 'own.gpg'], { cwd });
      expect(readFileSync(join(cwd, 'own.gpg')).length).toBe(readFileSync(keyring).length);
    });
  },
);

describe.skipIf(!hasTool('gpg'))('private keys and passphrases', () => {
  const cwd = directoryOfFile();

  test('do not leak into output, reports, other files or command lines', async () => {
    const plain = await makeKey(cwd, 'plain', { date: NOW - 1000 });
    const locked = await makeKey(cwd, 'locked', { date: NOW - 1000, passphrase: PASSPHRASE });
    const armored = readFileSync(plain.secret, 'utf8');
    gpg(cwd, ['--pinentry-mode', 'loopback', '--passphrase', PASSPHRASE, '--import', locked.secret]);
    // A gpg that records its arguments and environment.
    const tools = join(cwd, 'tools');
    const log = join(cwd, 'gpg.log');
    mkdirSync(tools);
    writeFileSync(
      join(tools, 'gpg'),
      `#!/bin/sh\n{ printf '%s\\n' "$@"; env; } >> '${log}'\nexec '${which('gpg')}' "$@"\n`,
    );
    chmodSync(join(tools, 'gpg'), 0o755);
    const files = await packages(join(cwd, 'dist'));
    const path = { PATH: `${tools}:${process.env.PATH}`, GNUPGHOME: gpgHome(cwd) };
    const environment = { ...path, KUBEPARCEL_SIGNING_KEY: armored, KUBEPARCEL_SIGNING_PASSPHRASE: PASSPHRASE };
    const runs = [
      ['sign', ...files, '--json'],
      ['sign', ...files, '--key', `gpg:${locked.fingerprint}`],
      ['sign', ...files, '--key', locked.secret, '--key', 'env'],
      ['sign', join(cwd, 'none.rpm')],
      ['sign', ...files, '--key', join(cwd, 'none.key')],
      ['keys', 'check', '--json', plain.secret, locked.secret],
      ['keys', 'export', plain.secret, locked.secret],
      ['keys', 'export', '--binary', '--out', 'public.gpg', plain.secret, locked.secret],
      ['keys', 'package', plain.secret, locked.secret],
      ['keys', 'new', '--user-id', 'New', '--algorithm', 'ed25519', '--out', 'new.key'],
    ];
    const outputs: string[] = [];
    for (const args of runs) {
      const { stdout, stderr } = await run(args, { cwd, env: environment });
      outputs.push(stdout, stderr);
    }
    endAgent(cwd);

    const secrets = [PASSPHRASE, ...(await secretsOf(armored))];
    const own = [plain.secret, locked.secret, join(cwd, 'new.key')];
    const written = everythingIn(cwd)
      .map((name) => join(cwd, name))
      .filter((file) => statSync(file).isFile() && !own.includes(file) && !file.startsWith(`${gpgHome(cwd)}/`));
    expect(written).toEqual(
      expect.arrayContaining([log, ...files, join(cwd, 'public.gpg'), join(cwd, 'new.key.revocation')]),
    );
    const places = [...outputs.map((text) => Buffer.from(text)), ...written.map((file) => readFileSync(file))];
    expect(places.filter((bytes) => secrets.some((secret) => bytes.includes(secret)))).toEqual([]);
    expect(readFileSync(log, 'utf8')).toContain('--detach-sign');
    // The search finds a secret where there is one.
    expect(secrets.slice(1).some((secret) => readFileSync(plain.secret).includes(secret))).toBe(true);
  });

  /** The secret number, raw and in hex, and the lines of the armor that contain it. */
  async function secretsOf(armoredKey: string): Promise<(string | Buffer)[]> {
    const { keyPacket } = await readPrivateKey({ armoredKey });
    const { seed } = ('privateParams' in keyPacket ? keyPacket.privateParams : undefined) as { seed: Uint8Array };
    expect(seed).toHaveLength(32);
    const lines = armoredKey.split('\n').filter((line) => line.length >= 60);
    const publicLines = new Set((await readPrivateKey({ armoredKey })).toPublic().armor().split(/\r?\n/));
    const hex = Buffer.from(seed).toString('hex');
    return [Buffer.from(seed), hex, hex.toUpperCase(), ...lines.filter((line) => !publicLines.has(line))];
  }

  function which(name: string): string {
    const directory = (process.env.PATH ?? '').split(':').find((each) => existsSync(join(each, name)));
    return join(directory ?? '', name);
  }
});
