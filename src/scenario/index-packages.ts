import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Format } from '../layout/layout.ts';
import { KubeparcelError } from '../support/errors.ts';

/**
 * Writes what a package manager wants to find beside the packages of a folder: Packages (deb-src flat repository, unsigned)
 * or repodata/. By the tools that people use; the repository room's own writer can stand here in their place.
 *
 * @throws KubeparcelError of kind 'usage' when the tool is not installed
 */
export async function indexPackages(folder: string, format: Format, signal?: AbortSignal): Promise<void> {
  const [tool = '', ...parameters] =
    format === 'deb'
      ? ['apt-ftparchive', 'packages', '.']
      : ['createrepo_c', '--quiet', '--general-compress-type=gz', '.'];
  const result = await execa(tool, parameters, {
    cwd: folder,
    reject: false,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  signal?.throwIfAborted();
  if (result.code === 'ENOENT') {
    throw new KubeparcelError('usage', `${tool} is needed to make a repository for the tests, and is not installed`, {
      todo: 'on Debian and Ubuntu: sudo apt-get install --no-install-recommends apt-utils createrepo-c',
    });
  }
  if (result.failed) {
    throw new KubeparcelError('io', `${tool} made no index: ${result.stderr.trim() || result.message}`, {
      where: folder,
    });
  }
  if (format === 'deb') await writeFile(join(folder, 'Packages'), result.stdout === '' ? '' : `${result.stdout}\n`);
}
