import { randomBytes } from 'node:crypto';
import type { Container } from '../container/engine.ts';
import { findEngine } from '../container/find-engine.ts';
import { type HostImage, loadHosts } from '../container/images/hosts.ts';
import { prepareImages } from '../container/images/prepare-images.ts';
import { registryAnswers, registryOf } from '../container/images/registry.ts';
import type { Prepared } from '../pipeline/prepare.ts';
import type { Pack } from '../pipeline/run.ts';
import { assembleIn } from './assemble.ts';
import { chooseAssemblyHost } from './assembly-host.ts';
import type { OnProgressEvent } from './events.ts';

/**
 * Starts a container for each host that assembles packages, and calls `build` with a packer that uses them. Builds missing
 * images first. Removes the containers afterwards.
 *
 * @throws KubeparcelError of kind 'usage' if there is no engine or no suitable host
 */
export async function withAssembler<T>(
  { catalog, tasks }: Pick<Prepared, 'catalog' | 'tasks'>,
  { onEvent, signal }: { readonly onEvent?: OnProgressEvent | undefined; readonly signal?: AbortSignal | undefined },
  build: (pack: Pack) => Promise<T>,
): Promise<T> {
  const engine = await findEngine();
  await engine.clean('dead-runs');
  const hosts = await loadHosts(catalog);
  const registries = await reachableRegistries(hosts);
  const isAvailable = ({ local, vendor }: HostImage) =>
    local !== undefined || (vendor !== undefined && registries.has(registryOf(vendor.image)));
  const chosen = new Map<string, HostImage>();
  for (const task of tasks) {
    const { id } = task.target;
    if (chosen.has(id)) continue;
    const { host, reason } = chooseAssemblyHost(task, catalog, hosts, isAvailable);
    onEvent?.({ kind: 'assembling', target: id, host: host.title, reason });
    chosen.set(id, host);
  }
  const images = await prepareImages(engine, [...new Set(chosen.values())], { images: 'auto', onEvent, signal });
  const containers = new Map<HostImage, Container>();
  const run = randomBytes(4).toString('hex');
  try {
    for (const { host, image } of images) {
      const name = `kubeparcel-${run}-${host.id}-assemble`;
      const labels = { host: host.id, scenario: 'assemble' };
      containers.set(host, await engine.start({ image, name, init: 'none', labels, signal }));
    }
    return await build((job, options) => {
      const host = chosen.get(job.task.target.id);
      const container = host && containers.get(host);
      if (container === undefined) throw new Error(`no container for ${job.task.target.id}`);
      return assembleIn(container, job, options);
    });
  } finally {
    await Promise.allSettled([...containers.values()].map((container) => container.remove()));
  }
}

async function reachableRegistries(hosts: readonly HostImage[]): Promise<Set<string>> {
  const registries = new Set(hosts.flatMap(({ vendor }) => (vendor === undefined ? [] : [registryOf(vendor.image)])));
  const answers = await Promise.all([...registries].map(async (each) => ((await registryAnswers(each)) ? [each] : [])));
  return new Set(answers.flat());
}
