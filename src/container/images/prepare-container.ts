import { randomBytes } from 'node:crypto';
import { KubeparcelError } from '../../support/errors.ts';
import type { Engine } from '../engine.ts';

/** Installing packages over a slow network takes its time (milliseconds). */
const COMMAND_TIMEOUT = 30 * 60_000;

export interface Preparation extends MakeOptions {
  readonly network: 'none' | 'host';
  readonly environment: Readonly<Record<string, string>>;
  /** A directory of this machine that is copied into a directory of the container first. */
  readonly stage?: { readonly directory: string; readonly target: string };
  /** The first that fails ends it. */
  readonly commands: readonly (readonly string[])[];
}

/**
 * Makes an image of another one by running commands in it.
 *
 * @returns the image's ID
 * @throws KubeparcelError of kind 'io' that names the command that failed, with what it printed last
 */
export async function prepareContainer(
  engine: Engine,
  image: string,
  reference: string,
  preparation: Preparation,
): Promise<string> {
  const { network, environment, stage, commands, labels, onStep = () => {}, signal } = preparation;
  const name = `kubeparcel-image-${labels.host ?? ''}-${randomBytes(4).toString('hex')}`;
  const container = await engine.start({
    image,
    name,
    init: 'none',
    network,
    ...(signal === undefined ? {} : { signal }),
  });
  try {
    if (stage !== undefined) await container.copyIn(stage.directory, stage.target);
    for (const command of commands) {
      onStep(command.slice(0, 2).join(' '));
      const result = await container.exec(command, {
        environment,
        timeout: COMMAND_TIMEOUT,
        ...(signal === undefined ? {} : { signal }),
      });
      if (result.status !== 0) {
        const printed = `${result.stdout}\n${result.stderr}`.trim().split('\n').slice(-5).join('\n  ');
        throw new KubeparcelError('io', `${command.slice(0, 3).join(' ')} ended with ${result.status}\n  ${printed}`, {
          where: reference,
        });
      }
    }
    onStep('image');
    return await engine.commit(name, reference, labels);
  } finally {
    await container.remove();
  }
}

export interface MakeOptions {
  readonly labels: Readonly<Record<string, string>>;
  readonly onStep?: (step: string) => void;
  readonly signal?: AbortSignal;
}
