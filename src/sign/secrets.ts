import { open, readFile } from 'node:fs/promises';
import { KubeparcelError } from '../support/errors.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Environment variables with a private key and its passphrase. */
export const KEY_VARIABLE = 'KUBEPARCEL_SIGNING_KEY';
export const PASSPHRASE_VARIABLE = 'KUBEPARCEL_SIGNING_PASSPHRASE';

const MAX_KEY_FILE_BYTES = 4 << 20;
const MAX_PASSPHRASE_BYTES = 1 << 16;

/**
 * Reads a private key file. Rejects a file that other users can read.
 *
 * @throws KubeparcelError of kind 'io' if it is unreadable, 'usage' if other users can read it or it is not a key file
 */
export async function readKeyFile(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r');
    try {
      const facts = await file.stat();
      if (!facts.isFile() || facts.size > MAX_KEY_FILE_BYTES) {
        throw new KubeparcelError('usage', 'not a key file', { where: path });
      }
      const bytes = await file.readFile();
      // The caller rejects a public key with its own message.
      const isPublic = bytes.includes(' PUBLIC KEY BLOCK') && !bytes.includes(' PRIVATE KEY BLOCK');
      // On Windows, Node reports mode 0666 for every writable file.
      if (!isPublic && (facts.mode & 0o077) !== 0 && process.platform !== 'win32') {
        throw new KubeparcelError('usage', 'other users can read this private key', {
          where: `${path}, mode ${(facts.mode & 0o777).toString(8).padStart(4, '0')}`,
          hint: `run chmod 600 ${path}; if other users could have read the key, replace it`,
        });
      }
      return bytes;
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof KubeparcelError) throw cause;
    throw new KubeparcelError('io', 'cannot read the signing key', { where: path, cause });
  }
}

/** Sources of passphrases: a file or an open file descriptor, one passphrase per line. */
export interface PassphraseSource {
  readonly passphraseFile?: string | undefined;
  readonly passphraseFd?: number | undefined;
}

/**
 * Reads the passphrases to try, in order: from the file, the file descriptor and the environment. There is no option for a
 * passphrase, because other users can see command lines.
 *
 * @throws KubeparcelError of kind 'io' if the file is unreadable, 'usage' if it has no passphrase or is too large
 */
export async function readPassphrases(source: PassphraseSource, environment: Environment): Promise<string[]> {
  const { passphraseFile, passphraseFd } = source;
  const found: string[] = [];
  if (passphraseFile !== undefined) {
    found.push(...linesOf(await readPassphraseFile(passphraseFile, passphraseFile), passphraseFile));
  }
  if (passphraseFd !== undefined) {
    const where = `file descriptor ${passphraseFd}`;
    found.push(...linesOf(await readPassphraseFile(`/dev/fd/${passphraseFd}`, where), where));
  }
  const fromEnvironment = environment[PASSPHRASE_VARIABLE];
  if (fromEnvironment !== undefined && fromEnvironment !== '') found.push(fromEnvironment);
  return found;
}

async function readPassphraseFile(path: string, where: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new KubeparcelError('io', 'cannot read the passphrase', { where, cause });
  }
}

function linesOf(bytes: Buffer, where: string): string[] {
  const lines = bytes.length > MAX_PASSPHRASE_BYTES ? [] : bytes.toString('utf8').split(/\r?\n/);
  const passphrases = lines.filter((line) => line !== '');
  if (passphrases.length === 0) {
    throw new KubeparcelError('usage', 'no passphrase in the file', {
      where,
      hint: 'write the passphrase to the first line',
    });
  }
  return passphrases;
}

export function noKey(): KubeparcelError {
  return new KubeparcelError('usage', 'no key to sign with', {
    hint: `use --key FILE or set ${KEY_VARIABLE}; "kubeparcel keys new" creates a key`,
  });
}
