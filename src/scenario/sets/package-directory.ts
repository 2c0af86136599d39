import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { packageArchitecture } from '../../model/architecture.ts';
import { contentSize } from '../../model/content.ts';
import type { Layout } from '../../model/layout.ts';
import { readPackage } from '../../pipeline/read-package.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { isErrno } from '../../support/file-system.ts';
import type { ScenarioHost } from '../model/host.ts';

/** A package file, and what it says of itself. */
export interface PackageFile {
  readonly path: string;
  readonly layout: Layout;
}

/**
 * Reads every .deb and .rpm of a directory (not of those below it); source packages are passed over.
 *
 * @throws KubeparcelError of kind 'format' for one that is damaged, of kind 'io' for no directory
 */
export async function readPackageDirectory(directory: string): Promise<PackageFile[]> {
  const names = await readdir(directory).catch((cause: unknown) => {
    if (!isErrno(cause, 'ENOENT') && !isErrno(cause, 'ENOTDIR')) throw cause;
    throw new KubeparcelError('io', 'no directory of packages', { where: directory, cause });
  });
  const files = names.filter((name) => /\.(deb|rpm)$/.test(name) && !name.endsWith('.src.rpm')).sort();
  const read: PackageFile[] = [];
  // One at a time: each is unpacked as it is read.
  for (const name of files) {
    const path = join(directory, name);
    read.push({ path, layout: (await readPackage(path)).layout });
  }
  return read;
}

/**
 * Which of the packages a host takes: of its format and architecture, and of several files for one package the one made
 * for its distribution (by the suffix of its revision), else the one for the family.
 *
 * @returns one for each package, sorted by name
 * @throws KubeparcelError of kind 'usage' for two that are equally good
 */
export function packagesFor(host: ScenarioHost, files: readonly PackageFile[]): PackageFile[] {
  const { format, suffix } = host.distribution;
  const own = packageArchitecture(format, host.architecture);
  const fitting = files.filter(
    ({ layout }) => layout.format === format && [own, 'all', 'noarch'].includes(layout.architecture),
  );
  const names = [...new Set(fitting.map(({ layout }) => layout.name))].sort();
  return names.flatMap((name) => {
    const named = fitting.filter(({ layout }) => layout.name === name);
    const tailored = named.filter(({ layout }) => layout.version.revision.endsWith(suffix));
    const family = named.filter(({ layout }) => !FOR_ONE.test(layout.version.revision));
    const [best, rival] = tailored.length > 0 ? tailored : family;
    if (best !== undefined && rival !== undefined) {
      throw new KubeparcelError('usage', `two packages ${name} for ${host.id}`, {
        where: `${basename(best.path)}, ${basename(rival.path)}`,
        hint: 'leave one version of each in the directory',
      });
    }
    return best === undefined ? [] : [best];
  });
}

/** A revision that says which distribution it is for: 1~debian12, 1.el9. Official ones are 1.1 and 150500.1.1. */
const FOR_ONE = /^[0-9.]+[~+.][a-z]/;

/** Stand-ins are some kilobytes of shell. */
const SMALLEST_PROGRAM = 1 << 20;

/** Whether the kubelet in there is a program, or one of the sample's stand-ins. */
export function payloadOf(files: readonly PackageFile[]): 'sample' | 'real' {
  const entries = files.filter(({ layout }) => layout.name === 'kubelet').flatMap(({ layout }) => layout.entries);
  const kubelet = entries.find(({ path }) => path === '/usr/bin/kubelet');
  return kubelet?.kind === 'file' && contentSize(kubelet.content) >= SMALLEST_PROGRAM ? 'real' : 'sample';
}

/** As dpkg and rpm print it. */
export function printedVersion({ version }: Layout): string {
  const { epoch, upstream, revision } = version;
  return `${epoch === 0 ? '' : `${epoch}:`}${upstream}${revision === '' ? '' : `-${revision}`}`;
}

/** Kubernetes' own version of a package of the set: 1.37.0~rc.1 -> 1.37.0-rc.1. */
export function plainVersion({ version }: Layout): string {
  return version.upstream.replace('~', '-');
}
