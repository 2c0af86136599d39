import type { Catalog } from '../catalog/model.ts';
import type { HostImage } from '../container/images/hosts.ts';
import type { BuildTask } from '../pipeline/plan.ts';
import { KubeparcelError } from '../support/errors.ts';

/** The host that assembles the packages of a target, and why it was chosen. */
export interface AssemblyHost {
  readonly host: HostImage;
  readonly reason: string;
}

/**
 * Chooses the host that assembles the packages of a target: the first available host of the target's distributions, in the
 * order of packaging/distributions, that supports the package's compression; otherwise another host of the same format.
 * Pure.
 *
 * @param isAvailable whether an image of the host exists or can be built
 * @throws KubeparcelError of kind 'usage' if there is no such host
 */
export function chooseAssemblyHost(
  { target, compression: { codec } }: Pick<BuildTask, 'target' | 'compression'>,
  catalog: Catalog,
  hosts: readonly HostImage[],
  isAvailable: (host: HostImage) => boolean,
): AssemblyHost {
  const supported = catalog.distributions
    .filter(({ compression }) => compression.some((each) => each.codec === codec))
    .flatMap(({ id }) => [
      ...hosts.filter((host) => host.id === id),
      // Hosts that are built from Debian packages come after the distribution itself.
      ...hosts.filter((host) => host.id !== id && host.distribution === id),
    ])
    .filter(({ format }) => format === target.format);
  const ids = target.distributions.map(({ id }) => id);
  const targetHosts = supported.filter(({ distribution }) => ids.includes(distribution));
  const host = targetHosts.find(isAvailable);
  if (host !== undefined) {
    const reason =
      host.id === target.id ? 'the distribution itself' : `the first host of ${target.id} that supports ${codec}`;
    return { host, reason };
  }
  const fallback = supported.find(isAvailable);
  if (fallback !== undefined) return { host: fallback, reason: `no host of ${target.id} is available here` };
  throw new KubeparcelError('usage', `no host can build ${target.format} packages compressed with ${codec}`, {
    where: target.id,
    hint: 'choose another --compression, or build without --assemble; kubeparcel images ls lists the hosts',
  });
}
