import type { CommandModule } from 'yargs';
import type { RepositorySettings } from '../../../repo/model/repository.ts';
import { KubeparcelError } from '../../../support/errors.ts';
import { WORD } from '../../options/release-options.ts';
import { type RepoWriteArguments, repoWriteOptions, writeOptions } from '../../options/repo-options.ts';

interface IndexArguments extends RepoWriteArguments {
  origin: string | undefined;
  label: string | undefined;
  'valid-days': number | undefined;
  'rpm-compression': string | undefined;
  reread: boolean;
}

export const repoIndexCommand: CommandModule<object, IndexArguments> = {
  command: 'index <dir>',
  describe: 'Write the indices anew, with other settings too',
  builder: (yargs) =>
    repoWriteOptions(yargs)
      .option('origin', { ...WORD, describe: 'Who publishes: Origin of Release files' })
      .option('label', { ...WORD, describe: 'What it is: Label of Release files' })
      .option('valid-days', { ...WORD, type: 'number', describe: 'How long Release files hold; 0 for ever' })
      .option('rpm-compression', { ...WORD, choices: ['gz', 'zst'], describe: 'zst: not for yum and old zypper' })
      .option('reread', { type: 'boolean', default: false, describe: 'Read every package again' })
      .example('$0 repo index site --valid-days 14 --key packages.key', 'To be repeated within 14 days')
      .example('$0 repo index site --reread', 'Trusts nothing but the packages'),
  handler: async (args) => {
    const settings = settingsFrom(args);
    const { indexRepository } = await import('../../../repo/operations/reindex.ts');
    const { renderChange } = await import('../../render/repo.ts');
    const options = { ...(await writeOptions(args)), settings, reread: args.reread, all: true };
    const result = await indexRepository(args.dir, options);
    process.stdout.write(`${args.json ? JSON.stringify(result) : renderChange(result)}\n`);
  },
};

function settingsFrom(args: IndexArguments): Partial<RepositorySettings> {
  const { origin, label } = args;
  for (const [flag, text] of Object.entries({ origin, label })) {
    if (text !== undefined && !/^[\x20-\x7e]+$/.test(text)) {
      throw new KubeparcelError('usage', 'one line of plain characters is needed', { where: `--${flag}` });
    }
  }
  const days = args['valid-days'];
  if (days !== undefined && (!Number.isInteger(days) || days < 0)) {
    throw new KubeparcelError('usage', 'a count of days is needed', {
      where: '--valid-days',
      hint: '0 means for ever',
    });
  }
  const compression = args['rpm-compression'];
  return {
    ...(origin === undefined ? {} : { origin }),
    ...(label === undefined ? {} : { label }),
    ...(days === undefined ? {} : { validDays: days === 0 ? undefined : days }),
    ...(compression === 'gz' || compression === 'zst' ? { rpmCompression: compression } : {}),
  };
}

export const repoSignCommand: CommandModule<object, RepoWriteArguments> = {
  command: 'sign <dir>',
  describe: 'Sign all indices anew, with other keys too',
  builder: (yargs) =>
    repoWriteOptions(yargs)
      .example('$0 repo sign site --key packages.key', 'Indices that were not signed yet')
      .example('$0 repo sign site --key new.key --key old.key', 'Two signatures, while hosts change their keys'),
  handler: async (args) => {
    const { indexRepository } = await import('../../../repo/operations/reindex.ts');
    const { renderChange } = await import('../../render/repo.ts');
    const options = await writeOptions(args);
    if ((options.signers ?? []).length === 0) {
      throw new KubeparcelError('usage', 'there is no key to sign with', {
        hint: 'name one with --key, or put it into KUBEPARCEL_SIGNING_KEY; kubeparcel keys new makes one',
      });
    }
    const result = await indexRepository(args.dir, { ...options, all: true });
    process.stdout.write(`${args.json ? JSON.stringify(result) : renderChange(result)}\n`);
  },
};
