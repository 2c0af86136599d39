import { randomBytes } from 'node:crypto';
import { KubeparcelError } from '../../support/errors.ts';
import type { Engine } from '../engine.ts';

/** Milliseconds; a package installation over a slow network is the longest. */
const COMMAND_TIMEOUT = 30 * 60_000;

export interface Preparation extends BuildOptions {
  readonly network: 'none' | 'host';
  readonly environment: Readonly<Record<string, string>>;
  /** A directory of this machine to copy into a directory of the container first. */
  readonly stage?: { readonly directory: string; readonly target: string } | undefined;
  /** Run in sequence until one fails. */
  readonly commands: readonly (readonly string[])[];
}

/**
 * Runs commands in a container and makes an image of it.
 *
 * @returns the ID of the image
 * @throws KubeparcelError of kind 'io' with the failed command and the end of its output
 */
export async function prepareContainer(
  engine: Engine,
  image: string,
  reference: string,
  preparation: Preparation,
): Promise<string> {
  const { network, environment, stage, commands, labels, onStep = () => {}, signal } = preparation;
  const name = `kubeparcel-image-${labels.host ?? ''}-${randomBytes(4).toString('hex')}`;
  const container = await engine.start({ image, name, init: 'none', network, signal });
  try {
    if (stage !== undefined) await container.copyIn(stage.directory, stage.target);
    for (const command of commands) {
      onStep(command.slice(0, 2).join(' '));
      const result = await container.exec(command, { environment, timeout: COMMAND_TIMEOUT, signal });
      if (result.status !== 0) {
        const output = `${result.stdout}\n${result.stderr}`.trim().split('\n').slice(-5).join('\n  ');
        const shown = command.slice(0, 3).join(' ');
        throw new KubeparcelError('io', `${shown} failed with status ${result.status}\n  ${output}`, {
          where: reference,
        });
      }
    }
    onStep('commit the image');
    return await engine.commit(name, reference, labels);
  } finally {
    await container.remove();
  }
}

export interface BuildOptions {
  readonly labels: Readonly<Record<string, string>>;
  readonly onStep?: ((step: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}
