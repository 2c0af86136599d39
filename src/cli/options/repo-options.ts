import type { Argv } from 'yargs';
import { CHANNELS, type Channel } from '../../repo/model/repository.ts';
import type { WriteOptions } from '../../repo/transaction/session.ts';
import { KEY_VARIABLE } from '../../sign/secrets.ts';
import { interruptible } from '../session/interruption.ts';
import { WORD } from './release-options.ts';
import { openSigning, type SigningArguments, signingOptions } from './signing-options.ts';

/** The flags of every command that changes a repository. */
export interface RepoWriteArguments extends SigningArguments {
  dir: string;
  unsigned: boolean;
  json: boolean;
}

/** @param yargs with the positional `dir` in the command's name */
export function repoWriteOptions(yargs: Argv): Argv<RepoWriteArguments> {
  return signingOptions(directory(yargs))
    .option('unsigned', { type: 'boolean', default: false, describe: 'No signatures, also where there were some' })
    .option('json', { type: 'boolean', default: false, describe: 'What was done as JSON' });
}

export function directory(yargs: Argv): Argv<{ dir: string }> {
  return yargs.positional('dir', { type: 'string', demandOption: true, describe: "The repository's directory" });
}

export const CHANNEL = { ...WORD, choices: CHANNELS } as const;

/** `--minor 1.36,1.37`, also twice. */
export const LIST = {
  type: 'string',
  array: true,
  nargs: 1,
  requiresArg: true,
  coerce: (words: string[] | undefined) => words?.flatMap((word) => word.split(',')).filter((word) => word !== ''),
} as const;

/** Keys, time and interruption for a change. A repository without a key is one without signatures. */
export async function writeOptions(args: RepoWriteArguments): Promise<WriteOptions> {
  const wantsKey = (args.key ?? []).length > 0 || (process.env[KEY_VARIABLE] ?? '') !== '';
  const signing = wantsKey && !args.unsigned ? await openSigning(args) : undefined;
  return {
    signers: signing?.signers ?? [],
    date: signing?.date ?? args.date,
    unsigned: args.unsigned,
    signal: interruptible(),
  };
}

/** What yargs has checked against CHANNELS. */
export function channelOf(word: string | undefined): Channel {
  return CHANNELS.find((channel) => channel === word) ?? 'stable';
}
