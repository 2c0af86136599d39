import { KubeparcelError } from '../../../support/errors.ts';
import { plural } from '../../../support/plural.ts';
import { defineCommand, VALUE } from '../../options/flags.ts';
import { repoDirectory } from '../../options/repo-options.ts';
import { interruptible } from '../../session/interruption.ts';

export const repoSiteCommand = defineCommand({
  command: 'site <dir>',
  describe: 'Write web pages for the repository',
  builder: (yargs) =>
    repoDirectory(yargs)
      .option('url', { ...VALUE, demandOption: true, describe: 'URL of the published repository' })
      .example(
        '$0 repo site site --url https://packages.example.org',
        'Write index.html and site/ with packages and instructions',
      )
      .epilogue('Run this after each change of the repository and before repo publish.'),
  handler: async ({ dir, url }) => {
    const { writeSite } = await import('../../../repo/site/write-site.ts');
    if (!/^https?:\/\/[A-Za-z0-9.:[\]_-]+(\/[A-Za-z0-9._~:@%+-]+)*\/?$/.test(url)) {
      throw new KubeparcelError('usage', 'invalid URL', {
        where: `--url ${url}`,
        hint: 'expected a URL like https://packages.example.org/kubernetes',
      });
    }
    const pages = await writeSite(dir, url, { signal: interruptible() });
    process.stdout.write(`${plural(pages.length, 'file')} written; the start page is ${dir}/index.html\n`);
  },
});
