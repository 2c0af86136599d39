import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { debTree } from '../deb/binary-layout.ts';
import type { Layout } from '../layout/layout.ts';
import type { ObjectReader } from '../layout/objects.ts';
import { verifiedContent, writeTree } from '../layout/tree.ts';
import { validateLayout } from '../layout/validate.ts';
import { rpmTree } from '../rpm/binary-layout.ts';

export interface WrittenLayout {
  readonly folder: string;
  /** The distribution's own command that makes the package of it, with the date that the layout states. */
  readonly command: readonly string[];
}

interface LayoutOptions {
  /** The package's file name. */
  readonly file: string;
  readonly out: string;
  readonly objects: ObjectReader;
  readonly signal?: AbortSignal;
}

/**
 * Writes a layout below `out` for the distribution's own tool, in a folder named after the package's file.
 *
 * @throws KubeparcelError of kind 'io' when that folder is there already
 */
export async function writeBinaryLayout(
  layout: Layout,
  { file, out, ...options }: LayoutOptions,
): Promise<WrittenLayout> {
  validateLayout(layout);
  const objects = untilAborted(options.objects, options.signal);
  const folder = join(out, file.replace(/\.(deb|rpm)$/, ''));
  if (layout.format === 'deb') {
    await writeTree(folder, debTree(layout, await md5Sums(layout, objects)), objects);
    return { folder, command: [...atDate(layout), 'dpkg-deb', '--root-owner-group', '--build', folder] };
  }
  await writeTree(folder, rpmTree(layout), objects);
  const target = `${layout.architecture}-linux`;
  return {
    folder,
    command: [
      ...atDate(layout),
      'rpmbuild',
      '-bb',
      '--target',
      target,
      '--define',
      `_topdir ${resolve(folder)}`,
      `${folder}/SPECS/${layout.name}.spec`,
    ],
  };
}

function untilAborted(objects: ObjectReader, signal: AbortSignal | undefined): ObjectReader {
  return {
    async *open(sha256) {
      for await (const chunk of objects.open(sha256)) {
        signal?.throwIfAborted();
        yield chunk;
      }
    },
  };
}

/** Both tools state the time at which they run otherwise. */
function atDate(layout: Layout): string[] {
  return ['env', `SOURCE_DATE_EPOCH=${layout.date}`];
}

/** MD5 by path of every file: DEBIAN/md5sums states them (deb-md5sums(5)), and no layout knows them. */
async function md5Sums(layout: Layout, objects: ObjectReader): Promise<(path: string) => string> {
  const sums = new Map<string, string>();
  for (const entry of layout.entries) {
    if (entry.kind !== 'file') continue;
    const hash = createHash('md5');
    for await (const chunk of verifiedContent(entry.content, objects)) hash.update(chunk);
    sums.set(entry.path, hash.digest('hex'));
  }
  return (path) => sums.get(path) ?? '';
}
