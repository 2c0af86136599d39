import { readFile } from 'node:fs/promises';
import type { GeneratorData } from '../confgen/model/data.ts';
import type { Architecture } from '../model/architecture.ts';
import { KubeparcelError } from '../support/errors.ts';
import { bundleFile, findRunner } from './find-runner.ts';
import { embed } from './slot.ts';

/**
 * Returns kubelet-confgen as an executable for each architecture: a runner with the bundle and the data embedded.
 * The same inputs always give the same bytes.
 *
 * @throws KubeparcelError of kind 'config' if there is no runner or no bundle
 */
export async function confgenPrograms(
  architectures: readonly Architecture[],
  data: GeneratorData,
): Promise<ReadonlyMap<Architecture, Uint8Array>> {
  const programs = new Map<Architecture, Uint8Array>();
  for (const each of architectures) programs.set(each, await program(each, data));
  return programs;
}

async function program(architecture: Architecture, data: GeneratorData): Promise<Uint8Array> {
  const runner = await findRunner(architecture);
  if (runner === undefined) {
    throw new KubeparcelError('config', `no runner of kubelet-confgen for ${architecture}`, {
      hint: [
        'run `npm run runners` in a checkout of kubeparcel on Debian or Ubuntu, or build without the generator:',
        '--without-confgen, or confgen: false in kubeparcel.yaml',
      ].join(' '),
    });
  }
  return embed(await readFile(runner), await readBundle(), JSON.stringify(data));
}

async function readBundle(): Promise<string> {
  try {
    return await readFile(bundleFile(), 'utf8');
  } catch (cause) {
    throw new KubeparcelError('config', 'the bundle of kubelet-confgen is missing', {
      where: bundleFile(),
      hint: 'run `npm run compile`, or build with --without-confgen',
      cause,
    });
  }
}
