import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { debTree } from '../deb/binary-layout.ts';
import { type TreeItem, verifiedContent, writeTree } from '../layout/tree.ts';
import { validateLayout } from '../layout/validate.ts';
import type { Compression } from '../model/compression.ts';
import type { ObjectReader } from '../model/content.ts';
import type { Layout } from '../model/layout.ts';
import { rpmTree } from '../rpm/binary-layout.ts';
import { untilAborted } from '../support/abort.ts';

export interface WrittenLayout {
  readonly directory: string;
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
 * Writes a layout below `out` for the distribution's own tool, in a directory named after the package's file.
 *
 * @throws KubeparcelError of kind 'io' when that directory is there already
 */
export async function writeBinaryLayout(
  layout: Layout,
  { file, out, ...options }: LayoutOptions,
): Promise<WrittenLayout> {
  const objects = {
    ...options.objects,
    open: (sha256: string) => untilAborted(options.objects.open(sha256), options.signal),
  };
  const directory = join(out, file.replace(/\.(deb|rpm)$/, ''));
  await writeTree(directory, await binaryTree(layout, objects), objects);
  return { directory, command: layoutCommand(layout, directory) };
}

/**
 * What the distribution's own tool packs, as the items of a tree: DEBIAN/ and the root beside it for dpkg-deb, a %_topdir
 * for rpmbuild.
 *
 * @throws KubeparcelError of kind 'format' for a layout that cannot be written down so
 */
export async function binaryTree(layout: Layout, objects: ObjectReader): Promise<TreeItem[]> {
  validateLayout(layout);
  return layout.format === 'deb' ? debTree(layout, await md5Sums(layout, objects)) : rpmTree(layout);
}

/** The tool and its arguments that pack the tree in `directory`. */
function layoutCommand(layout: Layout, directory: string): string[] {
  if (layout.format === 'deb') return [...atDate(layout), 'dpkg-deb', '--root-owner-group', '--build', directory];
  return [...atDate(layout), ...rpmbuild(layout, resolve(directory)), `${directory}/SPECS/${layout.name}.spec`];
}

function rpmbuild(layout: Layout, topdir: string): string[] {
  return ['rpmbuild', '-bb', '--target', `${layout.architecture}-linux`, '--define', `_topdir ${topdir}`];
}

/** How %_binary_payload of rpmbuild names the codecs; dpkg-deb(1) names them as we do. */
const RPM_CODECS = { none: 'ufdio', gzip: 'gzdio', xz: 'xzdio', zstd: 'zstdio' } as const;

/**
 * As `kubeparcel layout` says it, with the codec that the package is to have.
 *
 * @param directory where the tree is, absolute
 * @param file the package's file name
 * @returns the command, and where the package is after it
 */
export function packCommand(
  layout: Layout,
  { codec, level }: Compression,
  { directory, file }: { readonly directory: string; readonly file: string },
): { readonly command: readonly string[]; readonly result: string } {
  if (layout.format === 'deb') {
    const result = `${directory}.deb`;
    const flags = [`-Z${codec}`, ...(codec === 'none' ? [] : [`-z${level}`])];
    return {
      command: [...atDate(layout), 'dpkg-deb', '--root-owner-group', ...flags, '--build', directory, result],
      result,
    };
  }
  const payload = ['--define', `_binary_payload w${codec === 'none' ? '' : level}.${RPM_CODECS[codec]}`];
  return {
    command: [
      ...atDate(layout),
      ...rpmbuild(layout, directory),
      '--quiet',
      ...payload,
      `${directory}/SPECS/${layout.name}.spec`,
    ],
    result: `${directory}/RPMS/${layout.architecture}/${file}`,
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
