import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { packageArchitecture } from '../../model/architecture.ts';
import { contentSize } from '../../model/content.ts';
import type { Layout } from '../../model/layout.ts';
import { readPackage } from '../../pipeline/read-package.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { isErrno } from '../../support/file-system.ts';
import type { ScenarioHost } from '../model/host.ts';

/** A package file and its contents. */
export interface PackageFile {
  readonly path: string;
  readonly layout: Layout;
}

/**
 * Reads all .deb and .rpm files of a directory, not of subdirectories. Source packages are ignored.
 *
 * @throws KubeparcelError of kind 'format' for a damaged package, of kind 'io' if the directory cannot be read
 */
export async function readPackageDirectory(directory: string): Promise<PackageFile[]> {
  const names = await readdir(directory).catch((cause: unknown) => {
    if (!isErrno(cause, 'ENOENT') && !isErrno(cause, 'ENOTDIR')) throw cause;
    throw new KubeparcelError('io', 'cannot read the directory of packages', { where: directory, cause });
  });
  const files = names.filter((name) => /\.(deb|rpm)$/.test(name) && !name.endsWith('.src.rpm')).sort();
  const read: PackageFile[] = [];
  // Reading unpacks the package, so read one at a time.
  for (const name of files) {
    const path = join(directory, name);
    read.push({ path, layout: (await readPackage(path)).layout });
  }
  return read;
}

/**
 * Selects the packages for a host by format and architecture. Of several files for a package, selects the one for the
 * distribution (by the suffix of the revision), or else the one for the family.
 *
 * @returns one file per package, sorted by name
 * @throws KubeparcelError of kind 'usage' if two files match equally well
 */
export function packagesFor(host: ScenarioHost, files: readonly PackageFile[]): PackageFile[] {
  const { format, suffix } = host.distribution;
  const own = packageArchitecture(format, host.architecture);
  const installable = files.filter(
    ({ layout }) => layout.format === format && [own, 'all', 'noarch'].includes(layout.architecture),
  );
  const names = [...new Set(installable.map(({ layout }) => layout.name))].sort();
  return names.flatMap((name) => {
    const named = installable.filter(({ layout }) => layout.name === name);
    const forDistribution = named.filter(({ layout }) => layout.version.revision.endsWith(suffix));
    const forFamily = named.filter(({ layout }) => !DISTRIBUTION_REVISION.test(layout.version.revision));
    const [best, rival] = forDistribution.length > 0 ? forDistribution : forFamily;
    if (best !== undefined && rival !== undefined) {
      throw new KubeparcelError('usage', `two files of package ${name} for ${host.id}`, {
        where: `${basename(best.path)}, ${basename(rival.path)}`,
        hint: 'keep one version of each package in the directory',
      });
    }
    return best === undefined ? [] : [best];
  });
}

/** A revision with a distribution suffix: 1~debian12, 1.el9. Official revisions are 1.1 and 150500.1.1. */
const DISTRIBUTION_REVISION = /^[0-9.]+[~+.][a-z]/;

/** Sample programs are shell scripts of a few kilobytes. */
const MIN_PROGRAM_SIZE = 1 << 20;

/** Whether the kubelet is a real program or a script of the sample. */
export function payloadOf(files: readonly PackageFile[]): 'sample' | 'real' {
  const entries = files.filter(({ layout }) => layout.name === 'kubelet').flatMap(({ layout }) => layout.entries);
  const kubelet = entries.find(({ path }) => path === '/usr/bin/kubelet');
  return kubelet?.kind === 'file' && contentSize(kubelet.content) >= MIN_PROGRAM_SIZE ? 'real' : 'sample';
}

/** As dpkg and rpm print it. */
export function printedVersion({ version }: Layout): string {
  const { epoch, upstream, revision } = version;
  return `${epoch === 0 ? '' : `${epoch}:`}${upstream}${revision === '' ? '' : `-${revision}`}`;
}

/** Kubernetes version of a package of the set: 1.37.0~rc.1 -> 1.37.0-rc.1. */
export function plainVersion({ version }: Layout): string {
  return version.upstream.replace('~', '-');
}
