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
  /** The command of the distribution's tool that builds the package, with the date of the layout. */
  readonly command: readonly string[];
}

interface LayoutOptions {
  /** The package's file name. */
  readonly file: string;
  readonly out: string;
  readonly objects: ObjectReader;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes a layout as a tree for the distribution's tool, in a directory below `out` named like the package file.
 *
 * @throws KubeparcelError of kind 'io' if that directory exists
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
 * Returns the tree that the distribution's tool packs: DEBIAN/ and the files for dpkg-deb, a %_topdir for rpmbuild.
 *
 * @throws KubeparcelError of kind 'format' for a layout that the tool cannot express
 */
export async function binaryTree(layout: Layout, objects: ObjectReader): Promise<TreeItem[]> {
  validateLayout(layout);
  return layout.format === 'deb' ? debTree(layout, await md5Sums(layout, objects)) : rpmTree(layout);
}

function layoutCommand(layout: Layout, directory: string): string[] {
  if (layout.format === 'deb') return [...withDate(layout), 'dpkg-deb', '--root-owner-group', '--build', directory];
  return [...withDate(layout), ...rpmbuild(layout, resolve(directory)), `${directory}/SPECS/${layout.name}.spec`];
}

function rpmbuild(layout: Layout, topdir: string): string[] {
  return ['rpmbuild', '-bb', '--target', `${layout.architecture}-linux`, '--define', `_topdir ${topdir}`];
}

/** Codec names in %_binary_payload of rpmbuild; dpkg-deb(1) uses the same names as kubeparcel. */
const RPM_CODECS = { none: 'ufdio', gzip: 'gzdio', xz: 'xzdio', zstd: 'zstdio' } as const;

/**
 * The command that packs a tree with the given compression.
 *
 * @param directory the tree, as an absolute path
 * @param file the package's file name
 * @returns the command, and the path of the package that it writes
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
      command: [...withDate(layout), 'dpkg-deb', '--root-owner-group', ...flags, '--build', directory, result],
      result,
    };
  }
  const payload = ['--define', `_binary_payload w${codec === 'none' ? '' : level}.${RPM_CODECS[codec]}`];
  return {
    command: [
      ...withDate(layout),
      ...rpmbuild(layout, directory),
      '--quiet',
      ...payload,
      `${directory}/SPECS/${layout.name}.spec`,
    ],
    result: `${directory}/RPMS/${layout.architecture}/${file}`,
  };
}

/** Without it, both tools use the current time. */
function withDate(layout: Layout): string[] {
  return ['env', `SOURCE_DATE_EPOCH=${layout.date}`];
}

/** Computes the MD5 of every file for DEBIAN/md5sums (deb-md5sums(5)). */
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
