import type { HostImage } from '../../container/images/hosts.ts';
import type { ImageChoice } from '../../container/images/prepare-images.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { plural } from '../../support/plural.ts';
import { defineCommand, IMAGES, JSON_OUTPUT, toggle } from '../options/flags.ts';
import { interruptible } from '../session/interruption.ts';

export const imagesCommand = defineCommand({
  command: 'images <action> [names..]',
  describe: 'Manage images of test hosts',
  builder: (yargs) =>
    yargs
      .positional('action', {
        choices: ['ls', 'build', 'pin', 'rm'],
        demandOption: true,
        describe: 'List images, build them, pin their digests, or remove them',
      })
      .positional('names', {
        type: 'string',
        array: true,
        default: [],
        describe: 'Hosts (for pin: distributions)',
        defaultDescription: 'all',
      })
      .option('images', { ...IMAGES, describe: `build, rm: ${IMAGES.describe}` })
      .option('dry-run', toggle('pin: Show the digests; write nothing'))
      .option('json', JSON_OUTPUT)
      .example('$0 images ls', 'List the hosts and whether they are ready')
      .example('$0 images build --images local', 'Build from Debian packages, without a registry')
      .example('$0 images build debian-12 dnf-on-debian-12', 'Build only these two hosts')
      .example('$0 images pin', 'Update the digests in packaging/distributions')
      .epilogue('Needs podman or docker; --images local also needs mmdebstrap. See docs/containers.md.'),
  handler: async ({ action, names, images, 'dry-run': dryRun, json }) => {
    if (action === 'pin') return await pin(names, dryRun, json);
    const hosts = await hostsByName(names);
    if (action === 'build') await build(hosts, names.length > 0, images, json);
    else if (action === 'rm') await remove(hosts, images);
    else await list(hosts, json);
  },
});

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
    id: host.id,
    title: host.title,
    manager: host.manager,
    distribution: host.distribution,
    local: state(host, 'local'),
    vendor: state(host, 'vendor'),
  }));
  const { name, version, notes } = engine;
  process.stdout.write(`${JSON.stringify({ engine: { name, version, notes }, hosts: described }, undefined, 2)}\n`);
}

/** @param named whether the user named the hosts; otherwise those that are not available are left out */
async function build(hosts: readonly HostImage[], named: boolean, images: ImageChoice, json: boolean): Promise<void> {
  const { findEngine } = await import('../../container/find-engine.ts');
  const { prepareImages } = await import('../../container/images/prepare-images.ts');
  const { imageProgress } = await import('../render/images.ts');
  const { availableHosts } = await import('../options/hosts.ts');
  const signal = interruptible();
  const engine = await findEngine();
  const available = await availableHosts(hosts, images, () => named);
  const progress = imageProgress({ json });
  try {
    const prepared = await prepareImages(engine, available, { images, onEvent: progress.onEvent, signal });
    progress.stop();
    const missing = hosts.length - available.length;
    const note = missing === 0 ? '' : `; ${plural(missing, 'host')} skipped, their registries do not answer`;
    if (!json) process.stdout.write(`${plural(prepared.length, 'host')} ready${note}\n`);
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
  const distributions = names.length === 0 ? undefined : names;
  const pins = await pinImages({ distributions, dryRun, signal: interruptible() });
  process.stdout.write(json ? `${JSON.stringify(pins, undefined, 2)}\n` : `${renderPins(pins, dryRun)}\n`);
}

/** @throws KubeparcelError of kind 'usage' for an unknown host */
async function hostsByName(names: readonly string[]): Promise<HostImage[]> {
  const { loadCatalog } = await import('../../catalog/catalog.ts');
  const { loadHosts } = await import('../../container/images/hosts.ts');
  const hosts = await loadHosts(await loadCatalog());
  if (names.length === 0) return hosts;
  return names.map((name) => {
    const host = hosts.find(({ id }) => id === name);
    if (host !== undefined) return host;
    throw new KubeparcelError('usage', `unknown host ${JSON.stringify(name)}`, {
      hint: `expected ${hosts.map(({ id }) => id).join(', ')}`,
    });
  });
}
