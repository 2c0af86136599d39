import { availableParallelism } from 'node:os';
import { ownArchitecture } from '../../../scripts/runners/machines.ts';
import { buildRunners } from '../../../scripts/runners.ts';
import { loadCatalog } from '../../../src/catalog/catalog.ts';
import type { Catalog } from '../../../src/catalog/model.ts';
import type { Engine } from '../../../src/container/engine.ts';
import { findEngine } from '../../../src/container/find-engine.ts';
import { type HostImage, loadHosts } from '../../../src/container/images/hosts.ts';
import { prepareImages } from '../../../src/container/images/prepare-images.ts';
import type { Settings } from '../../../src/pipeline/prepare.ts';
import { type ScenarioHost, scenarioHost } from '../../../src/scenario/model/host.ts';

/** Hosts that can be built without a registry. */
export const DEB_HOSTS = ['debian-11', 'debian-12', 'debian-13'] as const;
const RPM_HOSTS = ['dnf-on-debian-12', 'zypper-on-debian-12'] as const;
export const HOSTS = [...DEB_HOSTS, ...RPM_HOSTS] as const;
export type HostId = (typeof HOSTS)[number];

/** Number of concurrent scenarios; they often wait. */
export const JOBS = availableParallelism() + 1;

export interface Machine {
  readonly engine: Engine;
  readonly catalog: Catalog;
  /** In the requested order. */
  readonly hosts: readonly ScenarioHost[];
}

/** An engine and hosts with images, which are built if needed. Removes containers of dead runs. */
export async function machineWith(ids: readonly HostId[]): Promise<Machine> {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const engine = await findEngine();
  await engine.clean('dead-runs');
  const catalog = await loadCatalog();
  const all = await loadHosts(catalog);
  const wanted = ids
    .map((id) => all.find((host) => host.id === id))
    .filter((host) => host !== undefined) as HostImage[];
  const images = await prepareImages(engine, wanted, {
    images: 'local',
    onEvent: (event) => {
      if (event.kind === 'image-making') say(`image of ${event.host} ...`);
      if (event.kind === 'image-made') say(`image of ${event.host}: ${(event.milliseconds / 1000).toFixed(0)} s`);
    },
  });
  const architecture = ownArchitecture();
  if (architecture === undefined) throw new Error(`no packages for this machine (${process.arch})`);
  await buildRunners([architecture], { say, fetchMusl: false });
  return { engine, catalog, hosts: images.map((image) => scenarioHost(image, catalog, architecture)) };
}

/** Settings for fast builds of the sample. */
export function sampleSettings(): Settings {
  const architecture = ownArchitecture();
  return {
    version: 'stable',
    packages: undefined,
    architectures: architecture === undefined ? [] : [architecture],
    formats: undefined,
    distributions: undefined,
    revision: '1',
    components: {},
    source: 'sample',
    servers: {},
    digests: {},
    fast: false,
    compression: { codec: 'gzip', level: 1 },
    maintainer: 'Release Team <release@example.org>',
    restart: 'none',
    kernel: undefined,
    confgen: true,
    templates: undefined,
    packaging: undefined,
    lock: undefined,
    jobs: 2,
  };
}
