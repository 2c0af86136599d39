import type { CommandModule } from 'yargs';
import { KubeparcelError } from '../../../support/errors.ts';
import { WORD } from '../../options/release-options.ts';
import { directory, LIST } from '../../options/repo-options.ts';
import { interruptible } from '../../session/interruption.ts';

interface PublishArguments {
  dir: string;
  target: string;
  'dry-run': boolean;
  keep: boolean;
  quick: boolean;
  unchecked: boolean;
  distro: string[] | undefined;
  endpoint: string | undefined;
  region: string | undefined;
  json: boolean;
}

export const repoPublishCommand: CommandModule<object, PublishArguments> = {
  command: 'publish <dir> <target>',
  describe: 'Bring a repository to where hosts get it',
  builder: (yargs) =>
    directory(yargs)
      .positional('target', {
        type: 'string',
        demandOption: true,
        describe: 's3://BUCKET/PREFIX, rsync://HOST/MODULE/PATH, USER@HOST:PATH, a directory',
      })
      .option('dry-run', { type: 'boolean', default: false, describe: 'Say what would be sent and deleted, and stop' })
      .option('keep', { type: 'boolean', default: false, describe: 'Delete nothing at the target' })
      .option('quick', { type: 'boolean', default: false, describe: 'Verify sizes of packages, not their digests' })
      .option('unchecked', {
        type: 'boolean',
        default: false,
        describe: 'Publish what cannot be installed (repo check)',
      })
      .option('distro', { ...LIST, describe: 'Distributions to check for', defaultDescription: 'all that are known' })
      .option('endpoint', { ...WORD, describe: "URL of an S3 storage that is not Amazon's" })
      .option('region', { ...WORD, describe: 'Region of the bucket', defaultDescription: "the environment's" })
      .option('json', { type: 'boolean', default: false, describe: 'What was done as JSON' })
      .example('$0 repo publish site s3://packages/kubernetes --dry-run', 'What would be sent')
      .example('$0 repo publish site s3://b --endpoint http://minio.example:9000', 'Any S3-compatible storage')
      .example('$0 repo publish site www@host.example:/srv/packages', 'With rsync over ssh')
      .example('$0 repo publish site /srv/www/packages', "A directory, as a web server's")
      .epilogue('Packages go first, what clients ask for first goes last; deletions come at the very end.'),
  handler: async (args) => {
    const { openTarget } = await import('../../../repo/publish/open-target.ts');
    const { publishRepository } = await import('../../../repo/publish/publish-repository.ts');
    const { renderPublished, publishedJson } = await import('../../render/repo-publish.ts');
    const signal = interruptible();
    const target = await openTarget(args.target, { endpoint: args.endpoint, region: args.region });
    try {
      const plan = await publishRepository(args.dir, target, {
        dryRun: args['dry-run'],
        keep: args.keep,
        quick: args.quick,
        unchecked: args.unchecked,
        distributions: args.distro,
        signal,
      });
      const { name } = target;
      process.stdout.write(
        `${args.json ? JSON.stringify(publishedJson(plan, name, args['dry-run'])) : renderPublished(plan, name, args['dry-run'])}\n`,
      );
    } catch (error) {
      if (signal.aborted) throw new KubeparcelError('io', 'interrupted; the next run goes on from here');
      throw error;
    } finally {
      await target.close();
    }
  },
};
