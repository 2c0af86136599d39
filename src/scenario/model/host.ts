import type { Distribution } from '../../catalog/distribution.ts';
import type { Catalog } from '../../catalog/model.ts';
import type { Manager } from '../../container/images/hosts.ts';
import type { PreparedImage } from '../../container/images/prepare-images.ts';
import type { Architecture } from '../../model/architecture.ts';
import { KubeparcelError } from '../../support/errors.ts';

/** A kind of host that scenarios run on. */
export interface ScenarioHost {
  /** debian-12, dnf-on-debian-12: unique, also part of names of containers. */
  readonly id: string;
  /** What the engine starts: a reference or an ID. */
  readonly image: string;
  readonly manager: Manager;
  /** The package manager's program: dnf, or yum where there is no dnf yet. */
  readonly program: string;
  /** Whose paths and names hold there. */
  readonly distribution: Distribution;
  readonly architecture: Architecture;
}

/** Where the runner's directories are in every container; read-only. */
export const MOUNT = '/srv/kubeparcel';
/** Where checks keep what they remember, in the container. */
export const NOTES = '/run/kubeparcel';

/**
 * A host whose image is ready, with the profile of its distribution.
 *
 * @param architecture this machine's, since containers run on its kernel
 */
export function scenarioHost(
  { host, image }: PreparedImage,
  catalog: Catalog,
  architecture: Architecture,
): ScenarioHost {
  const distribution = catalog.distributions.find(({ id }) => id === host.distribution);
  if (distribution === undefined) {
    throw new KubeparcelError('config', `there is no distribution ${host.distribution}`, { where: host.id });
  }
  const { id, manager, program } = host;
  return { id, image, manager, program, distribution, architecture };
}
