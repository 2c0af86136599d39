import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDir, outputFile } from 'fs-extra/esm';
import { KubeparcelError } from '../../support/errors.ts';
import { writeAtomically } from '../../support/write-atomically.ts';
import { lastLine } from '../cli-container.ts';
import { runCommand } from '../command.ts';
import type { Engine } from '../engine.ts';
import type { HostImage, LocalRecipe } from './hosts.ts';
import { type BuildOptions, prepareContainer } from './prepare-container.ts';
import { providesRpm } from './provides-rpm.ts';
import { imageReference } from './recipe.ts';

/** Directory in the container for files that the build needs. */
const STAGE = '/kubeparcel-stage';

/**
 * Builds the image of a host from Debian packages: root file system by mmdebstrap, then files and commands of the recipe.
 *
 * @throws KubeparcelError of kind 'io' if mmdebstrap is not installed, of kind 'network' if it fails
 */
export async function buildLocalImage(
  engine: Engine,
  host: HostImage,
  recipe: LocalRecipe,
  options: BuildOptions,
): Promise<string> {
  const { onStep = () => {}, signal } = options;
  const directory = await mkdtemp(join(tmpdir(), 'kubeparcel-image-'));
  const base = `localhost/kubeparcel/${host.id}:base-${process.pid}`;
  try {
    const tar = join(directory, 'root.tar');
    await debootstrap(host, recipe, tar, options);
    onStep('import the root file system');
    await engine.importImage(tar, base, { host: host.id }, signal);
    await rm(tar);
    onStep('run the recipe');
    const stage = join(directory, 'stage');
    await writeStage(stage, recipe, directory);
    return await prepareContainer(engine, base, imageReference(host, 'local'), {
      ...options,
      network: 'none',
      stage: { directory: stage, target: STAGE },
      environment: { SYSTEMD_OFFLINE: '1' },
      commands: [
        ['cp', '--recursive', '--no-target-directory', '--remove-destination', `${STAGE}/stage/root`, '/'],
        ...(recipe.provides.length === 0 ? [] : [['rpm', '--install', `${STAGE}/stage/provides.rpm`]]),
        ['rm', '-r', STAGE],
        ...recipe.commands,
      ],
    });
  } finally {
    await engine.removeImage(base).catch(() => {});
    await rm(directory, { recursive: true, force: true });
  }
}

async function debootstrap({ id }: HostImage, { suite, packages }: LocalRecipe, tar: string, options: BuildOptions) {
  const { onStep = () => {}, signal } = options;
  const result = await runCommand(
    [
      'mmdebstrap',
      '--variant=minbase',
      '--format=tar',
      ...(packages.length === 0 ? [] : [`--include=${packages.join(',')}`]),
      suite,
      tar,
      await debianMirror(),
    ],
    {
      onErrorLine: (line) => {
        if (line.startsWith('I: ')) onStep(line.slice('I: '.length));
      },
      signal,
    },
  );
  if (result.status === 0) return;
  if (result.status === undefined && /ENOENT/.test(result.stderr)) {
    throw new KubeparcelError('io', 'mmdebstrap, which builds hosts from Debian packages, is not installed', {
      where: id,
      hint: 'sudo apt-get install --no-install-recommends mmdebstrap',
    });
  }
  const errors = `${result.stdout}\n${result.stderr}`
    .split('\n')
    .filter((line) => /^(E|W): /.test(line))
    .slice(-5);
  throw new KubeparcelError('network', `mmdebstrap failed: ${errors.join('; ') || lastLine(result)}`, {
    where: id,
    hint: 'set KUBEPARCEL_DEBIAN_MIRROR to use another mirror',
  });
}

async function writeStage(stage: string, { files, provides }: LocalRecipe, spoolDirectory: string): Promise<void> {
  await ensureDir(join(stage, 'root'));
  for (const [path, text] of Object.entries(files)) await outputFile(join(stage, 'root', path), text);
  if (provides.length > 0) await writeAtomically(join(stage, 'provides.rpm'), providesRpm(provides, spoolDirectory));
}

/** The Debian mirror: KUBEPARCEL_DEBIAN_MIRROR, else the mirror that apt on this machine uses, else deb.debian.org. */
async function debianMirror(): Promise<string> {
  if (process.env.KUBEPARCEL_DEBIAN_MIRROR) return process.env.KUBEPARCEL_DEBIAN_MIRROR;
  const format = '$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)';
  const result = await runCommand(['apt-get', 'indextargets', '--format', format, 'Created-By: Packages'], {
    timeout: 20_000,
  });
  return mirrorOf(result.stdout) ?? 'http://deb.debian.org/debian';
}

/**
 * Finds the Debian mirror in apt's list of index files.
 *
 * @param targets lines of `URI|RELEASE|COMPONENT|ORIGIN`, as apt-get(8) prints them
 */
export function mirrorOf(targets: string): string | undefined {
  for (const line of targets.split('\n')) {
    const [uri = '', release = '', component, origin] = line.split('|');
    // Excludes updates and security updates: they are in separate archives.
    const isMain = /^[a-z]+$/.test(release) && component === 'main' && !/security/.test(uri);
    if (isMain && origin === 'Debian' && /^(https?|file|copy):/.test(uri)) return uri.replace(/\/+$/, '');
  }
  return undefined;
}
