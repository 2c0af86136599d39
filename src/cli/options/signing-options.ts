import type { Argv } from 'yargs';
import type { OpenSignersOptions } from '../../sign/open-signers.ts';
import type { Signer } from '../../sign/signer.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { askPassphrase, canAsk } from './ask-passphrase.ts';
import { WORD } from './release-options.ts';

/** The flags of commands that sign. */
export interface SigningArguments {
  key: string[] | undefined;
  'passphrase-file': string | undefined;
  'passphrase-fd': number | undefined;
  date: number | undefined;
}

/** Flags that name keys. A passphrase is never one of them: everybody on a machine sees command lines. */
export function signingOptions<T>(yargs: Argv<T>): Argv<T & SigningArguments> {
  return passphraseOptions(yargs)
    .option('key', {
      ...KEYS,
      describe: 'Key file, or gpg:FINGERPRINT; several to rotate keys',
      defaultDescription: '$KUBEPARCEL_SIGNING_KEY',
    })
    .option('date', {
      ...WORD,
      type: 'number',
      describe: 'When it is signed, seconds since 1970',
      defaultDescription: 'SOURCE_DATE_EPOCH, or now',
    });
}

/** One key a flag: file names may have commas. */
const KEYS = { type: 'string', array: true, nargs: 1, requiresArg: true } as const;

export function passphraseOptions<T>(yargs: Argv<T>) {
  return yargs
    .option('passphrase-file', {
      ...WORD,
      describe: 'File with the passphrase',
      defaultDescription: '$KUBEPARCEL_SIGNING_PASSPHRASE',
    })
    .option('passphrase-fd', { ...WORD, type: 'number', describe: 'Open file descriptor with the passphrase' });
}

/** What signs, and the time that signatures state. */
export interface SigningSession {
  /** At least one; where only one can sign, the first does. */
  readonly signers: readonly [Signer, ...Signer[]];
  /** Seconds since 1970-01-01 UTC. */
  readonly date: number;
}

/**
 * Opens the keys that the flags or the environment name, and warns on standard error of those that end soon.
 *
 * @throws KubeparcelError of kind 'usage' when there is none
 */
export async function openSigning(args: SigningArguments): Promise<SigningSession> {
  const { openSigners } = await import('../../sign/open-signers.ts');
  const { signatureDate } = await import('../../sign/sign-together.ts');
  const { expiryWarning } = await import('../../sign/check-key.ts');
  const { sourceDateEpoch } = await import('../../support/source-date-epoch.ts');
  const now = Math.floor(Date.now() / 1000);
  const epoch = sourceDateEpoch(process.env);
  checkDateFlag(args.date);
  const [first, ...others] = await openSigners(args.key ?? [], { ...passphraseSource(args), now });
  if (first === undefined) {
    throw new KubeparcelError('usage', 'there is no key to sign with', {
      hint: 'name one with --key, or put it into KUBEPARCEL_SIGNING_KEY; kubeparcel keys new makes one',
    });
  }
  const signers = [first, ...others] as const;
  for (const signer of signers) {
    const warning = expiryWarning(signer, now);
    if (warning !== undefined) process.stderr.write(`kubeparcel: warning: ${warning}\n`);
  }
  return { signers: [first, ...others], date: signatureDate(signers, { asked: args.date, epoch, now }) };
}

/** Where passphrases come from; a person at a terminal is asked when they do not suffice. */
function passphraseSource(
  args: Pick<SigningArguments, 'passphrase-file' | 'passphrase-fd'>,
): Pick<OpenSignersOptions, 'passphraseFile' | 'passphraseFd' | 'ask'> {
  return {
    passphraseFile: args['passphrase-file'],
    passphraseFd: args['passphrase-fd'],
    ask: canAsk() ? (key) => askPassphrase(`Passphrase of ${key}`) : undefined,
  };
}

function checkDateFlag(date: number | undefined): void {
  if (date === undefined || (Number.isInteger(date) && date >= 0 && date <= 0xffffffff)) return;
  throw new KubeparcelError('usage', 'this is no time', { where: '--date', hint: 'give seconds since 1970' });
}
