import type { Argv } from 'yargs';
import { CHANNELS } from '../../repo/model/repository.ts';
import type { WriteOptions } from '../../repo/transaction/session.ts';
import { KEY_VARIABLE } from '../../sign/secrets.ts';
import { interruptible } from '../session/interruption.ts';
import { type ArgumentsOf, choice, JSON_OUTPUT, toggle } from './flags.ts';
import { openSigning, signingOptions } from './signing-options.ts';

/** Flags of every command that changes a repository. */
export type RepoWriteArguments = ArgumentsOf<typeof repoWriteOptions>;

/** @param yargs with the positional `dir` in the name of the command */
export function repoWriteOptions(yargs: Argv) {
  return signingOptions(repoDirectory(yargs))
    .option('unsigned', toggle('Do not sign; remove existing signatures'))
    .option('json', JSON_OUTPUT);
}

export function repoDirectory(yargs: Argv) {
  return yargs.positional('dir', { type: 'string', demandOption: true, describe: 'Directory of the repository' });
}

export const CHANNEL = choice(CHANNELS);
export const PACKAGES_POSITIONAL = {
  type: 'string',
  array: true,
  describe: 'Files, NAME, NAME=VERSION, or v1.36 for a minor version',
} as const;
export const REMOVAL_DRY_RUN = toggle('Show what would be removed; change nothing');

/** Opens the keys; without a key, the change is not signed. */
export async function writeOptions(args: RepoWriteArguments): Promise<WriteOptions> {
  const hasKey = (args.key ?? []).length > 0 || (process.env[KEY_VARIABLE] ?? '') !== '';
  const signing = hasKey && !args.unsigned ? await openSigning(args) : undefined;
  return {
    signers: signing?.signers ?? [],
    date: signing?.date ?? args.date,
    unsigned: args.unsigned,
    signal: interruptible(),
  };
}
