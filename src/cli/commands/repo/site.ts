import type { CommandModule } from 'yargs';
import { KubeparcelError } from '../../../support/errors.ts';
import { WORD } from '../../options/release-options.ts';
import { directory } from '../../options/repo-options.ts';
import { interruptible } from '../../session/interruption.ts';

interface SiteArguments {
  dir: string;
  url: string;
}

export const repoSiteCommand: CommandModule<object, SiteArguments> = {
  command: 'site <dir>',
  describe: 'Write pages of what there is and how to install it',
  builder: (yargs) =>
    directory(yargs)
      .option('url', { ...WORD, demandOption: true, describe: 'Where the repository will be, for the instructions' })
      .example('$0 repo site site --url https://packages.example.org', 'index.html and site/ in the repository')
      .epilogue('Write them again after each change, before repo publish.'),
  handler: async ({ dir, url }) => {
    const { writeSite } = await import('../../../repo/site/write-site.ts');
    if (!/^https?:\/\/[A-Za-z0-9.:[\]_-]+(\/[A-Za-z0-9._~:@%+-]+)*\/?$/.test(url)) {
      throw new KubeparcelError('usage', 'not a URL that instructions can have', {
        where: `--url ${url}`,
        hint: 'write one like https://packages.example.org/kubernetes',
      });
    }
    const pages = await writeSite(dir, url, { signal: interruptible() });
    process.stdout.write(`${pages.length} files, the first page in ${dir}/index.html\n`);
  },
};
