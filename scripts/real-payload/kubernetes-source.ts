import { dirname, join } from 'node:path';
import { copy, emptyDir, ensureDir } from 'fs-extra/esm';
import { type ArchivePackage, type Debian, unpackSource } from './debian.ts';
import { RECIPE } from './recipe.ts';

/**
 * Makes work/gopath/src/k8s.io/kubernetes, ready to compile, of Debian's source package.
 *
 * @param root where the package of reflect2 is unpacked
 */
export async function unpackKubernetes(
  debian: Debian,
  source: ArchivePackage,
  root: string,
  work: string,
): Promise<void> {
  const tree = join(work, 'gopath/src/k8s.io/kubernetes');
  await ensureDir(dirname(tree));
  await unpackSource(debian, source, tree);
  // The vendored 1.0.1 reads the runtime's maps by a layout that Go changed with 1.18: it crashes.
  const vendored = join(tree, 'vendor/github.com/modern-go/reflect2');
  await emptyDir(vendored);
  await copy(join(root, RECIPE.reflect2.directory), vendored);
}
