import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateKey } from 'openpgp';
import { armored, OPENPGP_CONFIG } from '../../src/sign/certificate.ts';

/** Creation time of test keys, and a time within their first year. */
export const MADE = 1_750_000_000;
export const LATER = MADE + 86_400;
export const YEAR = 365 * 86_400;

export interface TestKey {
  /** File of the private key, mode 0600, and of the public key, ASCII-armored. */
  readonly secret: string;
  readonly public: string;
  /** Upper-case hex. */
  readonly fingerprint: string;
}

export interface TestKeyOptions {
  readonly type?: 'rsa' | 'ed25519';
  readonly bits?: number;
  /** One subkey, which signs. */
  readonly subkey?: boolean;
  readonly passphrase?: string;
  /** Creation time; MADE by default. */
  readonly date?: number;
  /** Validity in seconds; unlimited by default. */
  readonly lifetime?: number;
  readonly userId?: { readonly name: string; readonly email: string };
}

/** Creates a key with openpgp.js, in files of this directory. */
export async function makeKey(directory: string, name: string, options: TestKeyOptions = {}): Promise<TestKey> {
  const { type = 'ed25519', bits = 2048, subkey = false, passphrase, date = MADE, lifetime = 0 } = options;
  const pair = await generateKey({
    userIDs: options.userId ?? { name: `Test ${name}`, email: `${name}@example.org` },
    ...(type === 'rsa' ? { type, rsaBits: bits } : { type: 'ecc', curve: 'ed25519Legacy' }),
    subkeys: subkey ? [{ sign: true }] : [],
    date: new Date(date * 1000),
    keyExpirationTime: lifetime,
    ...(passphrase === undefined ? {} : { passphrase }),
    format: 'object',
    config: OPENPGP_CONFIG,
  });
  const files = { secret: join(directory, `${name}.key`), public: join(directory, `${name}.asc`) };
  writeFileSync(files.secret, armored(pair.privateKey), { mode: 0o600 });
  writeFileSync(files.public, armored(pair.publicKey));
  return { ...files, fingerprint: pair.publicKey.getFingerprint().toUpperCase() };
}

/** Runs gpg with its own home in the directory, which is created. @returns standard output */
export function gpg(directory: string, args: readonly string[], input?: string | Uint8Array): Buffer {
  const home = gpgHome(directory);
  return execFileSync('gpg', ['--homedir', home, '--batch', '--quiet', '--no-tty', ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(input === undefined ? {} : { input }),
    env: { PATH: process.env.PATH, HOME: directory },
  });
}

export function gpgHome(directory: string): string {
  const home = join(directory, 'gpg');
  mkdirSync(home, { recursive: true, mode: 0o700 });
  return home;
}

/** Stops the agent that gpg started for this directory. */
export function endAgent(directory: string): void {
  spawnSync('gpgconf', ['--homedir', gpgHome(directory), '--kill', 'all'], { stdio: 'ignore' });
}

/** Runs a program. @returns its exit status and output */
export function attempt(
  program: string,
  args: readonly string[],
): { readonly status: number | null; readonly text: string } {
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', TZ: 'UTC', HOME: '/nonexistent' },
  });
  return { status, text: `${stdout}${stderr}` };
}
