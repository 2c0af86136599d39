import type { Catalog } from '../catalog/model.ts';
import type { HostImage } from '../container/images/hosts.ts';
import type { BuildTask } from '../pipeline/plan.ts';
import { KubeparcelError } from '../support/errors.ts';

/** Where the packages of a target are assembled, and why there: some words for people. */
export interface AssemblyHost {
  readonly host: HostImage;
  readonly reason: string;
}

/**
 * The host whose tools make the packages of a target: the first of the target's own distributions, in the order of
 * packaging/distributions and there the oldest first, that knows the package's compression and can be had. Where none of
 * its own can be had, one of the same format stands in. Pure.
 *
 * @param obtainable whether an image of the host is here or can be made
 * @throws KubeparcelError of kind 'usage' where no host will do
 */
export function chooseAssemblyHost(
  { target, compression: { codec } }: Pick<BuildTask, 'target' | 'compression'>,
  catalog: Catalog,
  hosts: readonly HostImage[],
  obtainable: (host: HostImage) => boolean,
): AssemblyHost {
  const able = catalog.distributions
    .filter(({ compression }) => compression.some((each) => each.codec === codec))
    .flatMap(({ id }) => [
      ...hosts.filter((host) => host.id === id),
      // Those on Debian's root come after the real one.
      ...hosts.filter((host) => host.id !== id && host.distribution === id),
    ])
    .filter(({ format }) => format === target.format);
  const ids = target.distributions.map(({ id }) => id);
  const own = able.filter(({ distribution }) => ids.includes(distribution));
  const host = own.find(obtainable);
  if (host !== undefined) {
    const reason =
      host.id === target.id ? 'the distribution itself' : `the first host of ${target.id} that writes ${codec}`;
    return { host, reason };
  }
  const standIn = able.find(obtainable);
  if (standIn !== undefined)
    return { host: standIn, reason: `it stands in for ${target.id}, which cannot be had here` };
  throw new KubeparcelError('usage', `no host can make ${target.format} packages compressed with ${codec}`, {
    where: target.id,
    hint: 'choose another --compression, see kubeparcel images ls for the hosts there are, or leave --assemble out',
  });
}
