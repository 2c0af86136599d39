import { KubeparcelError } from '../../support/errors.ts';
import { defineCommand, VALUE } from '../options/flags.ts';

interface PruneArguments {
  keep: string | undefined;
  all: boolean | undefined;
}

export const cacheCommand = defineCommand({
  command: 'cache',
  describe: 'Manage the build cache',
  builder: (yargs) =>
    yargs
      .command({ command: 'ls', describe: 'Show number and size of the cached files', handler: list })
      .command<PruneArguments>({
        command: 'prune',
        describe: 'Remove the least recently used compressed blocks',
        builder: (prune) =>
          prune
            .option('keep', { ...VALUE, describe: 'Size to keep: 2G, 500M', defaultDescription: '5G' })
            .option('all', { type: 'boolean', describe: 'Also remove artifacts, downloads and records; keep runners' })
            .conflicts('keep', 'all')
            .example('$0 cache prune --keep 1G', 'Keep 1 GB of the most recently used blocks')
            .example('$0 cache prune --all', 'The next build downloads and compresses everything'),
        handler: prune,
      })
      .command({ command: 'verify', describe: 'Read all files and remove damaged ones', handler: verify })
      .demandCommand(1, 'missing command: ls, prune or verify')
      .example('$0 cache ls', 'Artifacts, compressed blocks and their sizes'),
  handler: () => {},
});

async function list(): Promise<void> {
  const { defaultStoreDirectory } = await import('../../payload/store/content-store.ts');
  const { listCache } = await import('../../payload/cache.ts');
  const { renderCache } = await import('../render/cache.ts');
  const directory = defaultStoreDirectory();
  process.stdout.write(`${renderCache(directory, listCache(directory))}\n`);
}

async function prune({ keep, all }: PruneArguments): Promise<void> {
  const { defaultStoreDirectory } = await import('../../payload/store/content-store.ts');
  const { selectForPrune, emptyCache, listCache, removeCached, DEFAULT_BLOCK_LIMIT } = await import(
    '../../payload/cache.ts'
  );
  const { renderRemoved } = await import('../render/cache.ts');
  const directory = defaultStoreDirectory();
  const files = listCache(directory);
  const size = keep === undefined ? DEFAULT_BLOCK_LIMIT : parseSize(keep);
  const removed = all ? files : selectForPrune(files, size);
  await (all ? emptyCache(directory) : removeCached(directory, removed));
  process.stdout.write(`${renderRemoved(removed)}\n`);
}

async function verify(): Promise<void> {
  const { defaultStoreDirectory } = await import('../../payload/store/content-store.ts');
  const { isIntact, listCache, removeCached } = await import('../../payload/cache.ts');
  const { renderVerified } = await import('../render/cache.ts');
  const directory = defaultStoreDirectory();
  const files = listCache(directory);
  const damaged = [];
  for (const file of files) {
    if (!(await isIntact(directory, file))) damaged.push(file);
  }
  await removeCached(directory, damaged);
  process.stdout.write(`${renderVerified(files, damaged)}\n`);
}

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

function parseSize(text: string): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?$/i.exec(text) ?? [];
  const factor = UNITS[unit.toUpperCase()];
  if (digits === undefined || factor === undefined) {
    throw new KubeparcelError('usage', `invalid size ${JSON.stringify(text)}`, {
      where: '--keep',
      hint: 'expected a size like 2G or 500M',
    });
  }
  return Number(digits) * factor;
}
