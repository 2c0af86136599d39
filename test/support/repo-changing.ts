import { join } from 'node:path';
import { addPackages } from '../../src/repo/operations/add.ts';
import { removePackages } from '../../src/repo/operations/remove.ts';
import { openSigners } from '../../src/sign/open-keys.ts';
import { writeReleases } from './repo-packages.ts';
import { LATER, makeKey, type TestKey } from './signing.ts';

/** A signed repository whose changes add and remove packages and a whole minor, with increasing dates. */
export interface ChangingRepository {
  readonly directory: string;
  readonly key: TestKey;
  /** Applies the next change. */
  change(): Promise<void>;
}

/** @param directory an empty one */
export async function changingRepository(directory: string): Promise<ChangingRepository> {
  const key = await makeKey(directory, 'packages');
  const signers = await openSigners([key.secret]);
  const built = join(directory, 'built');
  const first = await writeReleases(built, ['1.36.4'], ['kubelet']);
  const patch = await writeReleases(built, ['1.36.5'], ['kubelet', 'kubeadm']);
  const minor = await writeReleases(built, ['1.37.0'], ['kubelet', 'kubeadm']);
  const repository = join(directory, 'repository');
  let state = 0;
  const options = () => ({ channel: 'stable' as const, signers, date: LATER + state });
  await addPackages(repository, first, options());
  const changes = [
    () => addPackages(repository, patch, options()),
    () => addPackages(repository, minor, options()),
    () => removePackages(repository, ['kubelet=1.36.5', 'kubeadm=1.36.5'], options()),
    () => removePackages(repository, ['v1.37'], options()),
  ];
  return {
    directory: repository,
    key,
    change: async () => {
      const change = changes[state % changes.length];
      state += 1;
      await change?.();
    },
  };
}
