import type { CommandModule } from 'yargs';
import type { HostImage } from '../../container/images/hosts.ts';
import type { ImageChoice } from '../../container/images/prepare-images.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { WORD } from '../options/release-options.ts';
import { interruptible } from '../session/interruption.ts';

interface ImagesArguments {
  action: string;
  names: string[];
  images: string;
  'dry-run': boolean;
  json: boolean;
}

export const imagesCommand: CommandModule<object, ImagesArguments> = {
  command: 'images <action> [names..]',
  describe: 'The hosts in containers that packages are tested on',
  builder: (yargs) =>
    yargs
      .positional('action', {
        choices: ['ls', 'build', 'pin', 'rm'],
        demandOption: true,
        describe: 'List them, make them ready, ask the registries for digests, remove',
      })
      .positional('names', {
        type: 'string',
        array: true,
        default: [],
        describe: 'Hosts; pin: distributions',
        defaultDescription: 'all',
      })
      .option('images', {
        ...WORD,
        choices: ['auto', 'vendor', 'local'],
        default: 'auto',
        describe: "build, rm: the vendor's, made here, or (auto) the vendor's where a registry answers",
      })
      .option('dry-run', { type: 'boolean', default: false, describe: 'pin: ask, but write nothing' })
      .option('json', { type: 'boolean', default: false, describe: 'As JSON' })
      .example('$0 images ls', 'Which hosts there are, and which are ready')
      .example('$0 images build --images local', 'All that can be made of Debian packages; no registry')
      .example('$0 images build debian-12 dnf-on-debian-12', 'Only these')
      .example('$0 images pin', 'Write the digests to packaging/distributions')
      .epilogue('podman or docker is needed, and mmdebstrap for --images local: docs/containers.md'),
  handler: async ({ action, names, images, 'dry-run': dryRun, json }) => {
    if (action === 'pin') return await pin(names, dryRun, json);
    const hosts = await chosenHosts(names);
    const choice = images as ImageChoice;
    if (action === 'build') await build(hosts, names.length > 0, choice, json);
    else if (action === 'rm') await remove(hosts, choice);
    else await list(hosts, json);
  },
};

async function list(hosts: readonly HostImage[], json: boolean): Promise<void> {
  const { findEngine } = await import('../../container/find-engine.ts');
  const { imageOf, renderImages } = await import('../render/images.ts');
  const { recipeDigest } = await import('../../container/images/recipe.ts');
  const engine = await findEngine();
  const images = await engine.listImages();
  if (!json) {
    process.stdout.write(`${renderImages(hosts, images)}\n\n${engine.notes.join('\n')}\n`);
    return;
  }
  const state = (host: HostImage, source: 'local' | 'vendor') => {
    const digest = recipeDigest(host, source);
    const image = imageOf(host, source, images);
    return digest === undefined
      ? undefined
      : { id: image?.id, size: image?.size, ready: image?.labels.recipe === digest };
  };
  const described = hosts.map((host) => ({
    ...{ id: host.id, title: host.title, manager: host.manager, distribution: host.distribution },
    local: state(host, 'local'),
    vendor: state(host, 'vendor'),
  }));
  const { name, version, notes } = engine;
  process.stdout.write(`${JSON.stringify({ engine: { name, version, notes }, hosts: described }, undefined, 2)}\n`);
}

async function build(hosts: readonly HostImage[], named: boolean, images: ImageChoice, json: boolean): Promise<void> {
  const { findEngine } = await import('../../container/find-engine.ts');
  const { prepareImages } = await import('../../container/images/prepare-images.ts');
  const { imageProgress } = await import('../render/images.ts');
  const { registryAnswers, registryOf } = await import('../../container/images/registry.ts');
  const signal = interruptible();
  const engine = await findEngine();
  // Without names: all that can be had of this choice.
  const registries = new Map<string, Promise<boolean>>();
  const reachable = async ({ vendor }: HostImage) => {
    if (vendor === undefined || images === 'local') return false;
    const registry = registryOf(vendor.image);
    const answer = registries.get(registry) ?? registryAnswers(registry);
    registries.set(registry, answer);
    return await answer;
  };
  const possible = await Promise.all(
    hosts.map(async (host) => named || (images !== 'vendor' && host.local !== undefined) || (await reachable(host))),
  );
  const progress = imageProgress({ json });
  try {
    const wanted = hosts.filter((_, index) => possible[index]);
    const prepared = await prepareImages(engine, wanted, { images, onEvent: progress.onEvent, signal });
    progress.stop();
    const left = hosts.length - wanted.length;
    const more = left === 0 ? '' : `; ${left} more need a registry that answers`;
    if (!json) process.stdout.write(`${prepared.length} hosts are ready${more}\n`);
  } finally {
    progress.stop();
  }
}

async function remove(hosts: readonly HostImage[], images: ImageChoice): Promise<void> {
  const { findEngine } = await import('../../container/find-engine.ts');
  const { imageOf } = await import('../render/images.ts');
  const { imageReference } = await import('../../container/images/recipe.ts');
  const engine = await findEngine();
  const present = await engine.listImages();
  for (const host of hosts) {
    for (const source of ['local', 'vendor'] as const) {
      if ((images !== 'auto' && images !== source) || imageOf(host, source, present) === undefined) continue;
      await engine.removeImage(imageReference(host, source));
      process.stdout.write(`removed  ${imageReference(host, source)}\n`);
    }
  }
}

async function pin(names: readonly string[], dryRun: boolean, json: boolean): Promise<void> {
  const { pinImages } = await import('../../container/images/pin-images.ts');
  const { renderPins } = await import('../render/images.ts');
  const pins = await pinImages({
    ...(names.length === 0 ? {} : { distributions: names }),
    dryRun,
    signal: interruptible(),
  });
  process.stdout.write(json ? `${JSON.stringify(pins, undefined, 2)}\n` : `${renderPins(pins, dryRun)}\n`);
}

/** @throws KubeparcelError of kind 'usage' for a name that no host has */
async function chosenHosts(names: readonly string[]): Promise<HostImage[]> {
  const { loadCatalog } = await import('../../catalog/catalog.ts');
  const { loadHosts } = await import('../../container/images/hosts.ts');
  const hosts = await loadHosts(await loadCatalog());
  if (names.length === 0) return hosts;
  return names.map((name) => {
    const host = hosts.find(({ id }) => id === name);
    if (host !== undefined) return host;
    throw new KubeparcelError('usage', `there is no host ${name}`, {
      hint: `there are ${hosts.map(({ id }) => id).join(', ')}`,
    });
  });
}
