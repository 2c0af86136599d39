import type { Argv } from 'yargs';
import type { OpenSignersOptions } from '../../sign/open-keys.ts';
import { noKey } from '../../sign/secrets.ts';
import type { Signer } from '../../sign/signer.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { askPassphrase, canAsk } from './ask-passphrase.ts';
import { type ArgumentsOf, NUMBER, VALUE } from './flags.ts';

/** Flags of commands that sign. */
export type SigningArguments = ArgumentsOf<typeof signingOptions<object>>;

/** Adds the flags for keys. There is no flag for a passphrase: every user of a machine can read command lines. */
export function signingOptions<T>(yargs: Argv<T>) {
  return passphraseOptions(yargs)
    .option('key', {
      // Not comma-separated: file names may contain commas.
      ...{ type: 'string', array: true, nargs: 1, requiresArg: true },
      describe: 'Key file or gpg:FINGERPRINT; repeat it to rotate keys',
      defaultDescription: '$KUBEPARCEL_SIGNING_KEY',
    })
    .option('date', {
      ...NUMBER,

      describe: 'Date of signatures in seconds since 1970',
      defaultDescription: '$SOURCE_DATE_EPOCH or now',
    });
}

export function passphraseOptions<T>(yargs: Argv<T>) {
  return yargs
    .option('passphrase-file', {
      ...VALUE,
      describe: 'File that contains the passphrase',
      defaultDescription: '$KUBEPARCEL_SIGNING_PASSPHRASE',
    })
    .option('passphrase-fd', {
      ...NUMBER,

      describe: 'Open file descriptor to read the passphrase from',
    });
}

export const KEYS_POSITIONAL = {
  type: 'string',
  array: true,
  describe: 'Files with public or private keys, gpg:FINGERPRINT',
  defaultDescription: '$KUBEPARCEL_SIGNING_KEY',
} as const;

/** Open keys and the date of their signatures. */
export interface SigningSession {
  /** The first one signs where a format allows only one signature. */
  readonly signers: readonly [Signer, ...Signer[]];
  /** Seconds since 1970-01-01 UTC. */
  readonly date: number;
}

/**
 * Opens the keys that the flags or the environment name. Prints a warning for each key that expires soon.
 *
 * @throws KubeparcelError of kind 'usage' when no key is given
 */
export async function openSigning(args: SigningArguments): Promise<SigningSession> {
  const { openSigners } = await import('../../sign/open-keys.ts');
  const { signatureDate } = await import('../../sign/signatures.ts');
  const { expiryWarning } = await import('../../sign/check-key.ts');
  const { sourceDateEpoch } = await import('../../support/source-date-epoch.ts');
  const now = Math.floor(Date.now() / 1000);
  const epoch = sourceDateEpoch(process.env);
  checkDateFlag(args.date);
  const [first, ...others] = await openSigners(args.key ?? [], { ...passphraseSource(args), now });
  if (first === undefined) throw noKey();
  const signers = [first, ...others] as const;
  for (const signer of signers) {
    const warning = expiryWarning(signer, now);
    if (warning !== undefined) process.stderr.write(`kubeparcel: warning: ${warning}\n`);
  }
  return { signers, date: signatureDate(signers, { given: args.date, epoch, now }) };
}

/** On a terminal, asks for a passphrase if the given ones do not unlock a key. */
function passphraseSource(
  args: Pick<SigningArguments, 'passphrase-file' | 'passphrase-fd'>,
): Pick<OpenSignersOptions, 'passphraseFile' | 'passphraseFd' | 'ask'> {
  return {
    passphraseFile: args['passphrase-file'],
    passphraseFd: args['passphrase-fd'],
    ask: canAsk() ? (key) => askPassphrase(`Passphrase for ${key}`) : undefined,
  };
}

function checkDateFlag(date: number | undefined): void {
  if (date === undefined || (Number.isInteger(date) && date >= 0 && date <= 0xffffffff)) return;
  throw new KubeparcelError('usage', 'invalid date', { where: '--date', hint: 'expected seconds since 1970' });
}
