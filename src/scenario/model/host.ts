import type { Distribution } from '../../catalog/distribution.ts';
import type { Catalog } from '../../catalog/model.ts';
import type { Manager } from '../../container/images/hosts.ts';
import type { PreparedImage } from '../../container/images/prepare-images.ts';
import type { Architecture } from '../../model/architecture.ts';
import { KubeparcelError } from '../../support/errors.ts';

/** A kind of host that scenarios run on. */
export interface ScenarioHost {
  /** debian-12, dnf-on-debian-12: unique; part of container names. */
  readonly id: string;
  /** Image reference or ID. */
  readonly image: string;
  readonly manager: Manager;
  /** Program of the package manager: dnf, or yum on old hosts. */
  readonly program: string;
  /** The distribution whose paths and names apply. */
  readonly distribution: Distribution;
  readonly architecture: Architecture;
}

/** Mount point of the runner's directories in every container; read-only. */
export const MOUNT = '/srv/kubeparcel';
/** Where checks store snapshots in the container. */
export const NOTES = '/run/kubeparcel';

/**
 * A host with a ready image and the profile of its distribution.
 *
 * @param architecture that of this machine, because containers run on its kernel
 */
export function scenarioHost(
  { host, image }: PreparedImage,
  catalog: Catalog,
  architecture: Architecture,
): ScenarioHost {
  const distribution = catalog.distributions.find(({ id }) => id === host.distribution);
  if (distribution === undefined) {
    throw new KubeparcelError('config', `unknown distribution ${host.distribution}`, { where: host.id });
  }
  const { id, manager, program } = host;
  return { id, image, manager, program, distribution, architecture };
}
