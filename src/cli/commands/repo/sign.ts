import { noKey } from '../../../sign/secrets.ts';
import { defineCommand } from '../../options/flags.ts';
import { repoWriteOptions, writeOptions } from '../../options/repo-options.ts';

export const repoSignCommand = defineCommand({
  command: 'sign <dir>',
  describe: 'Sign all indices again',
  builder: (yargs) =>
    repoWriteOptions(yargs)
      .example('$0 repo sign site --key packages.key', 'Sign a repository that is not signed yet')
      .example('$0 repo sign site --key new.key --key old.key', 'Two signatures, for a key rotation'),
  handler: async (args) => {
    const { indexRepository } = await import('../../../repo/operations/reindex.ts');
    const { renderChange } = await import('../../render/repo.ts');
    const options = await writeOptions(args);
    if ((options.signers ?? []).length === 0) throw noKey();
    const result = await indexRepository(args.dir, { ...options, all: true });
    process.stdout.write(`${args.json ? JSON.stringify(result) : renderChange(result)}\n`);
  },
});
