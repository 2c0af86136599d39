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
 * Starts a container for each host that packages are assembled on, its image made first where it is not here, and hands
 * over what packs in them. They are removed whatever happens.
 *
 * @throws KubeparcelError of kind 'usage' without an engine, and where no host will do
 */
export async function withAssembler<T>(
  { catalog, tasks }: Pick<Prepared, 'catalog' | 'tasks'>,
  { onEvent, signal }: { readonly onEvent?: OnProgressEvent; readonly signal?: AbortSignal },
  make: (pack: Pack) => Promise<T>,
): Promise<T> {
  const engine = await findEngine();
  await engine.clean('dead-runs');
  const all = await loadHosts(catalog);
  const answering = await answeringRegistries(all);
  const obtainable = ({ local, vendor }: HostImage) =>
    local !== undefined || (vendor !== undefined && answering.has(registryOf(vendor.image)));
  const chosen = new Map<string, HostImage>();
  for (const task of tasks) {
    const { id } = task.target;
    if (chosen.has(id)) continue;
    const { host, reason } = chooseAssemblyHost(task, catalog, all, obtainable);
    onEvent?.({ kind: 'assembling', target: id, host: host.title, reason });
    chosen.set(id, host);
  }
  const listening = { ...(onEvent === undefined ? {} : { onEvent }), ...(signal === undefined ? {} : { signal }) };
  const images = await prepareImages(engine, [...new Set(chosen.values())], { images: 'auto', ...listening });
  const containers = new Map<HostImage, Container>();
  const run = randomBytes(4).toString('hex');
  try {
    for (const { host, image } of images) {
      const name = `kubeparcel-${run}-${host.id}-assemble`;
      const labels = { host: host.id, scenario: 'assemble' };
      containers.set(host, await engine.start({ image, name, init: 'none', labels, ...(signal && { signal }) }));
    }
    return await make((job, options) => {
      const host = chosen.get(job.task.target.id);
      const container = host && containers.get(host);
      if (container === undefined) throw new Error(`no container for ${job.task.target.id}`);
      return assembleIn(container, job, options);
    });
  } finally {
    await Promise.allSettled([...containers.values()].map((container) => container.remove()));
  }
}

async function answeringRegistries(hosts: readonly HostImage[]): Promise<Set<string>> {
  const registries = new Set(hosts.flatMap(({ vendor }) => (vendor === undefined ? [] : [registryOf(vendor.image)])));
  const answers = await Promise.all([...registries].map(async (each) => ((await registryAnswers(each)) ? [each] : [])));
  return new Set(answers.flat());
}
