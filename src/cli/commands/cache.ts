import type { CommandModule } from 'yargs';
import { KubeparcelError } from '../../support/errors.ts';
import { WORD } from '../options/release-options.ts';

interface CacheArguments {
  keep: string | undefined;
  all: boolean | undefined;
}

export const cacheCommand: CommandModule<object, object> = {
  command: 'cache',
  describe: 'Look at and tidy what builds keep for the next one',
  builder: (yargs) =>
    yargs
      .command({
        command: 'ls',
        describe: 'How much there is of what',
        handler: async () => {
          const { defaultStoreDirectory } = await import('../../payload/store/content-store.ts');
          const { listCache } = await import('../../payload/cache.ts');
          const { renderCache } = await import('../render/cache.ts');
          const directory = defaultStoreDirectory();
          process.stdout.write(`${renderCache(directory, listCache(directory))}\n`);
        },
      })
      .command<CacheArguments>({
        command: 'prune',
        describe: 'Remove compressed blocks that were not used for the longest time',
        builder: (prune) =>
          prune
            .option('keep', { ...WORD, describe: 'How much stays: 2G, 500M', defaultDescription: '5G' })
            .option('all', { type: 'boolean', describe: 'Artifacts, downloads and records too' })
            .conflicts('keep', 'all')
            .example('$0 cache prune --keep 1G', 'The most recently used gigabyte of blocks stays')
            .example('$0 cache prune --all', 'The next build fetches and compresses everything anew'),
        handler: async (args) => {
          const { defaultStoreDirectory } = await import('../../payload/store/content-store.ts');
          const { choosePruned, emptyCache, listCache, removeCached, USUAL_BLOCKS } = await import(
            '../../payload/cache.ts'
          );
          const { renderRemoved } = await import('../render/cache.ts');
          const directory = defaultStoreDirectory();
          const files = listCache(directory);
          const keep = args.keep === undefined ? USUAL_BLOCKS : parseSize(args.keep);
          const gone = args.all ? files : choosePruned(files, keep);
          await (args.all ? emptyCache(directory) : removeCached(directory, gone));
          process.stdout.write(`${renderRemoved(gone)}\n`);
        },
      })
      .command({
        command: 'verify',
        describe: 'Read everything, and remove what is damaged',
        handler: async () => {
          const { defaultStoreDirectory } = await import('../../payload/store/content-store.ts');
          const { isSoundCached, listCache, removeCached } = await import('../../payload/cache.ts');
          const { renderVerified } = await import('../render/cache.ts');
          const directory = defaultStoreDirectory();
          const files = listCache(directory);
          const damaged = [];
          for (const file of files) {
            if (!(await isSoundCached(directory, file))) damaged.push(file);
          }
          await removeCached(directory, damaged);
          process.stdout.write(`${renderVerified(files, damaged)}\n`);
        },
      })
      .demandCommand(1, 'name what to do with the cache: ls, prune or verify')
      .example('$0 cache ls', 'Artifacts, compressed blocks, and how much they take'),
  handler: () => {},
};

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

function parseSize(text: string): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?$/i.exec(text) ?? [];
  const factor = UNITS[unit.toUpperCase()];
  if (digits === undefined || factor === undefined) {
    throw new KubeparcelError('usage', `no size: ${JSON.stringify(text)}`, {
      where: '--keep',
      hint: 'write 2G or 500M',
    });
  }
  return Number(digits) * factor;
}
