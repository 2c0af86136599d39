import { readPassphrases } from '../../../sign/secrets.ts';
import { KubeparcelError } from '../../../support/errors.ts';
import { askPassphrase, canAsk } from '../../options/ask-passphrase.ts';
import { choice, defineCommand, toggle, VALUE } from '../../options/flags.ts';
import { passphraseOptions, type SigningArguments } from '../../options/signing-options.ts';

export const keysNewCommand = defineCommand({
  command: 'new',
  describe: 'Create a signing key',
  builder: (yargs) =>
    passphraseOptions(yargs)
      .option('user-id', { ...VALUE, demandOption: true, describe: 'User ID, usually "Name <address>"' })
      .option('algorithm', {
        ...choice(['rsa4096', 'ed25519']),
        default: 'rsa4096',
        describe: 'Algorithm; every rpm and apt supports RSA',
      })
      .option('expires', { ...VALUE, default: '3y', describe: '3y, 18m, 90d or never' })
      .option('out', { ...VALUE, default: 'signing.key', describe: 'File for the private key' })
      .option('no-passphrase', toggle('Do not encrypt the private key'))
      // Otherwise yargs reads --no-passphrase as the negation of --passphrase.
      .parserConfiguration({ 'boolean-negation': false })
      .example('$0 keys new --user-id "Packages <p@example.org>"', 'Ask for a passphrase and create signing.key'),
  handler: async (args) => {
    const { newKey } = await import('../../../sign/new-key.ts');
    const { renderNewKey } = await import('../../render/keys.ts');
    const lifetime = parseLifetime(args.expires);
    const files = { key: args.out, revocation: `${args.out}.revocation` };
    for (const file of Object.values(files)) await checkNotExisting(file);
    const passphrase = args['no-passphrase'] ? undefined : await newPassphrase(args);
    const date = Math.floor(Date.now() / 1000);
    const key = await newKey({ userId: args['user-id'], algorithm: args.algorithm, lifetime, passphrase, date });
    const { writeAtomically } = await import('../../../support/write-atomically.ts');
    await writeAtomically(files.revocation, [Buffer.from(key.revocation)], { mode: 0o600 });
    await writeAtomically(files.key, [Buffer.from(key.privateKey)], { mode: 0o600 });
    process.stdout.write(`${renderNewKey(key, files, lifetime === 0 ? undefined : date + lifetime)}\n`);
  },
});

const DAY = 86_400;
const UNITS: Readonly<Record<string, number>> = { d: DAY, m: 30 * DAY, y: 365 * DAY };

/** Seconds; 0 for never. */
function parseLifetime(text: string): number {
  if (text === 'never') return 0;
  const [, count, unit] = /^(\d{1,4})([dmy])$/.exec(text) ?? [];
  const lifetime = Number(count) * (UNITS[unit ?? ''] ?? 0);
  // The lifetime has 32 bits (RFC 9580, section 5.2.3.13), and OpenPGP's times end in 2106.
  if (lifetime > 0 && lifetime <= 50 * 365 * DAY) return lifetime;
  throw new KubeparcelError('usage', `invalid lifetime ${JSON.stringify(text)}`, {
    where: '--expires',
    hint: 'expected 3y, 18m, 90d or never, at most 50 years',
  });
}

async function checkNotExisting(path: string): Promise<void> {
  const { lstat } = await import('node:fs/promises');
  try {
    await lstat(path);
  } catch {
    return;
  }
  throw new KubeparcelError('usage', 'the file already exists; keys are never overwritten', {
    where: path,
    hint: 'choose another file with --out',
  });
}

async function newPassphrase(args: Pick<SigningArguments, 'passphrase-file' | 'passphrase-fd'>): Promise<string> {
  const source = { passphraseFile: args['passphrase-file'], passphraseFd: args['passphrase-fd'] };
  const [given] = await readPassphrases(source, process.env);
  if (given !== undefined) return given;
  if (!canAsk()) {
    throw new KubeparcelError('usage', 'no passphrase for the new key', {
      hint: 'set KUBEPARCEL_SIGNING_PASSPHRASE, or use --passphrase-file or --no-passphrase',
    });
  }
  const first = await askPassphrase('Passphrase for the new key');
  if (first === '' || first !== (await askPassphrase('Repeat the passphrase'))) {
    throw new KubeparcelError('usage', first === '' ? 'the passphrase is empty' : 'the passphrases do not match', {
      hint: 'try again or use --no-passphrase',
    });
  }
  return first;
}
