import { readFile } from 'node:fs/promises';
import type { CommandModule } from 'yargs';
import { EXIT_STATUS, KubeparcelError } from '../support/errors.ts';
import { interruptible } from './interruption.ts';
import { directory } from './repo-options.ts';
import { WORD } from './settings.ts';

interface VerifyArguments {
  dir: string;
  quick: boolean;
  keyring: string | undefined;
  json: boolean;
}

export const repoVerifyCommand: CommandModule<object, VerifyArguments> = {
  command: 'verify <dir>',
  describe: 'Prove that a repository is whole and signed',
  builder: (yargs) =>
    directory(yargs)
      .option('quick', { type: 'boolean', default: false, describe: 'Sizes of packages, not their digests' })
      .option('keyring', {
        ...WORD,
        describe: 'File of the public keys that must have signed',
        defaultDescription: "the repository's own",
      })
      .option('json', { type: 'boolean', default: false, describe: 'As JSON' })
      .example('$0 repo verify site', 'Ends with status 5 when anything is not as it must be')
      .example('$0 repo verify site --keyring packages.asc', 'Also says that it is yours'),
  handler: async (args) => {
    const { verifyRepository } = await import('../repo/verify.ts');
    const { renderVerified } = await import('./render/repo.ts');
    const signal = interruptible();
    const keys = args.keyring === undefined ? {} : { keys: await readKeyring(args.keyring) };
    const report = await verifyRepository(args.dir, { quick: args.quick, ...keys, signal });
    process.stdout.write(`${args.json ? JSON.stringify(report) : renderVerified(args.dir, report)}\n`);
    if (report.findings.some(({ kind }) => kind !== 'link')) process.exitCode = EXIT_STATUS.verification;
  },
};

async function readKeyring(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new KubeparcelError('io', 'the public keys cannot be read', { where: file, cause });
  }
}
