import type { Argv } from 'yargs';
import type { RepositorySettings } from '../../../repo/model/repository.ts';
import { KubeparcelError } from '../../../support/errors.ts';
import {
  type ArgumentsOf,
  checkWholeNumber,
  choice,
  defineCommand,
  NUMBER,
  toggle,
  VALUE,
} from '../../options/flags.ts';
import { repoWriteOptions, writeOptions } from '../../options/repo-options.ts';

function indexOptions(yargs: Argv) {
  return repoWriteOptions(yargs)
    .option('origin', { ...VALUE, describe: 'Origin field of Release files' })
    .option('label', { ...VALUE, describe: 'Label field of Release files' })
    .option('valid-days', { ...NUMBER, describe: 'Days until Release files expire; 0 for never' })
    .option('rpm-compression', {
      ...choice(['gz', 'zst']),
      describe: 'Compression of repodata; yum and old zypper do not support zst',
    })
    .option('reread', toggle('Read all packages again'))
    .example('$0 repo index site --valid-days 14 --key packages.key', 'Repeat this within 14 days')
    .example('$0 repo index site --reread', 'Do not use cached package records');
}

export const repoIndexCommand = defineCommand({
  command: 'index <dir>',
  describe: 'Write all indices again',
  builder: indexOptions,
  handler: async (args) => {
    const settings = changedSettings(args);
    const { indexRepository } = await import('../../../repo/operations/reindex.ts');
    const { renderChange } = await import('../../render/repo.ts');
    const options = { ...(await writeOptions(args)), settings, reread: args.reread, all: true };
    const result = await indexRepository(args.dir, options);
    process.stdout.write(`${args.json ? JSON.stringify(result) : renderChange(result)}\n`);
  },
});

function changedSettings(args: ArgumentsOf<typeof indexOptions>): Partial<RepositorySettings> {
  const settings: { -readonly [Name in keyof RepositorySettings]?: RepositorySettings[Name] } = {};
  for (const flag of ['origin', 'label'] as const) {
    const text = args[flag];
    if (text === undefined) continue;
    if (!/^[\x20-\x7e]+$/.test(text)) {
      throw new KubeparcelError('usage', 'invalid text', {
        where: `--${flag}`,
        hint: 'expected one line of printable ASCII characters',
      });
    }
    settings[flag] = text;
  }
  const days = args['valid-days'];
  checkWholeNumber('valid-days', days, 0);
  if (days !== undefined) settings.validDays = days === 0 ? undefined : days;
  const compression = args['rpm-compression'];
  if (compression === 'gz' || compression === 'zst') settings.rpmCompression = compression;
  return settings;
}
