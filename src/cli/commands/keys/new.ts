import type { CommandModule } from 'yargs';
import type { KeyAlgorithm } from '../../../sign/new-key.ts';
import { readPassphrases } from '../../../sign/secrets.ts';
import { KubeparcelError } from '../../../support/errors.ts';
import { askPassphrase, canAsk } from '../../options/ask-passphrase.ts';
import { WORD } from '../../options/release-options.ts';
import { passphraseOptions, type SigningArguments } from '../../options/signing-options.ts';

interface NewArguments extends Pick<SigningArguments, 'passphrase-file' | 'passphrase-fd'> {
  'user-id': string;
  algorithm: KeyAlgorithm;
  expires: string;
  out: string;
  'no-passphrase': boolean;
}

export const keysNewCommand: CommandModule<object, NewArguments> = {
  command: 'new',
  describe: 'Make a key',
  builder: (yargs) =>
    passphraseOptions(yargs)
      .option('user-id', { ...WORD, demandOption: true, describe: '"Name <address>", which hosts show' })
      .option('algorithm', {
        ...WORD,
        choices: ['rsa4096', 'ed25519'] as const,
        default: 'rsa4096' as const,
        describe: 'Every rpm and apt reads RSA',
      })
      .option('expires', { ...WORD, default: '3y', describe: '3y, 18m, 90d or never' })
      .option('out', { ...WORD, default: 'signing.key', describe: 'File for the private key, mode 0600' })
      .option('no-passphrase', { type: 'boolean', default: false, describe: 'Whoever has the file can sign' })
      // yargs would take --no-passphrase for the opposite of --passphrase.
      .parserConfiguration({ 'boolean-negation': false })
      .example('$0 keys new --user-id "Packages <p@example.org>"', 'Asks for a passphrase'),
  handler: async (args) => {
    const { newKey } = await import('../../../sign/new-key.ts');
    const { renderNewKey } = await import('../../render/keys.ts');
    const lifetime = parseLifetime(args.expires);
    const files = { key: args.out, revocation: `${args.out}.revocation` };
    for (const file of Object.values(files)) await refuseExisting(file);
    const passphrase = args['no-passphrase'] ? undefined : await newPassphrase(args);
    const date = Math.floor(Date.now() / 1000);
    const key = await newKey({ userId: args['user-id'], algorithm: args.algorithm, lifetime, passphrase, date });
    const { writeAtomically } = await import('../../../support/write-atomically.ts');
    await writeAtomically(files.revocation, [Buffer.from(key.revocation)], { mode: 0o600 });
    await writeAtomically(files.key, [Buffer.from(key.privateKey)], { mode: 0o600 });
    process.stdout.write(`${renderNewKey(key, files, lifetime === 0 ? undefined : date + lifetime)}\n`);
  },
};

const DAY = 86_400;
const UNITS: Readonly<Record<string, number>> = { d: DAY, m: 30 * DAY, y: 365 * DAY };

/** Seconds; 0 for never. */
function parseLifetime(text: string): number {
  if (text === 'never') return 0;
  const [, count, unit] = /^(\d{1,4})([dmy])$/.exec(text) ?? [];
  const lifetime = Number(count) * (UNITS[unit ?? ''] ?? 0);
  // 32 bits hold the lifetime (RFC 9580, section 5.2.3.13), and 2106 is the end of OpenPGP's times.
  if (lifetime > 0 && lifetime <= 50 * 365 * DAY) return lifetime;
  throw new KubeparcelError('usage', `no time to live: ${JSON.stringify(text)}`, {
    where: '--expires',
    hint: 'write 3y, 18m, 90d or never; up to 50 years',
  });
}

async function refuseExisting(path: string): Promise<void> {
  const { lstat } = await import('node:fs/promises');
  try {
    await lstat(path);
  } catch {
    return;
  }
  throw new KubeparcelError('usage', 'there is something of this name, and keys are never overwritten', {
    where: path,
    hint: 'name another file with --out',
  });
}

async function newPassphrase(args: NewArguments): Promise<string> {
  const source = { passphraseFile: args['passphrase-file'], passphraseFd: args['passphrase-fd'] };
  const [given] = await readPassphrases(source, process.env);
  if (given !== undefined) return given;
  if (!canAsk()) {
    throw new KubeparcelError('usage', 'there is no passphrase to lock the key with', {
      hint: 'set KUBEPARCEL_SIGNING_PASSPHRASE, name a --passphrase-file, or say --no-passphrase',
    });
  }
  const first = await askPassphrase('Passphrase for the new key');
  if (first === '' || first !== (await askPassphrase('Once more'))) {
    throw new KubeparcelError('usage', first === '' ? 'the passphrase is empty' : 'these are two passphrases', {
      hint: 'try again, or say --no-passphrase',
    });
  }
  return first;
}
