import { KubeparcelError } from '../../../support/errors.ts';
import { defineCommand, ENDPOINT, JSON_OUTPUT, LIST, REGION, toggle } from '../../options/flags.ts';
import { repoDirectory } from '../../options/repo-options.ts';
import { interruptible } from '../../session/interruption.ts';

export const repoPublishCommand = defineCommand({
  command: 'publish <dir> <target>',
  describe: 'Publish to S3, rsync or a directory',
  builder: (yargs) =>
    repoDirectory(yargs)
      .positional('target', {
        type: 'string',
        demandOption: true,
        describe: 's3://BUCKET/PREFIX, rsync://HOST/MODULE/PATH, USER@HOST:PATH, a directory',
      })
      .option('dry-run', toggle('Show what would be uploaded and deleted; change nothing'))
      .option('keep', toggle('Do not delete files at the target'))
      .option('quick', toggle('Verify the sizes of packages, not their digests'))
      .option('unchecked', toggle('Publish even if packages cannot be installed (repo check)'))
      .option('distro', { ...LIST, describe: 'Distributions to check', defaultDescription: 'all known' })
      .option('endpoint', ENDPOINT)
      .option('region', REGION)
      .option('json', JSON_OUTPUT)
      .example('$0 repo publish site s3://packages/kubernetes --dry-run', 'Show what would be uploaded')
      .example(
        '$0 repo publish site s3://packages --endpoint http://minio.example:9000',
        'Publish to S3-compatible storage',
      )
      .example('$0 repo publish site www@host.example:/srv/packages', 'Publish with rsync over ssh')
      .example('$0 repo publish site /srv/www/packages', 'Publish to a directory')
      .epilogue('Uploads packages first, then indices, then InRelease and repomd.xml. Deletes files last.'),
  handler: async (args) => {
    const { openTarget } = await import('../../../repo/publish/open-target.ts');
    const { publishRepository } = await import('../../../repo/publish/publish.ts');
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
      const render = args.json ? publishedJson : renderPublished;
      process.stdout.write(`${render(plan, name, args['dry-run'])}\n`);
    } catch (error) {
      if (signal.aborted) throw new KubeparcelError('io', 'interrupted; the next run continues from here');
      throw error;
    } finally {
      await target.close();
    }
  },
});
