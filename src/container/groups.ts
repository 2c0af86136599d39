import { setTimeout as wait } from 'node:timers/promises';
import { KubeparcelError } from '../support/errors.ts';
import { runCommand } from './command.ts';
import { LABEL } from './engine.ts';
import { PRIVATE_NAMESPACE } from './run-arguments.ts';
import { END, LIST, SWEEP } from './scripts.ts';

/** The cgroups that runs of kubeparcel made: RUN/NAME each. */
export async function listGroups(): Promise<string[]> {
  const result = await runCommand([...PRIVATE_NAMESPACE, LIST, LABEL], { timeout: 30_000 });
  return result.stdout.split('\n').filter((line) => line !== '');
}

/** Milliseconds: the engine's monitor of an ended container needs a moment to end, too. */
const PATIENCE = 5_000;
/** Then what hangs there is ended: a start that was broken off at the wrong moment leaves a runtime that waits for ever. */
const END_PATIENCE = 15_000;

/**
 * Removes the cgroups of a container.
 *
 * @param group RUN/NAME
 * @throws KubeparcelError of kind 'io' when something goes on running in them
 */
export async function sweepGroups(group: string): Promise<void> {
  const begin = performance.now();
  for (let ended = false; !(await sweepOnce(group)); await wait(50)) {
    const waited = performance.now() - begin;
    if (waited > PATIENCE && !ended) {
      await runCommand([...PRIVATE_NAMESPACE, END, LABEL, group], { timeout: 30_000 });
      ended = true;
    }
    if (waited > PATIENCE + END_PATIENCE) {
      throw new KubeparcelError(
        'io',
        'the cgroups of a container cannot be removed, since something still runs in them',
        {
          where: group,
          hint: 'kubeparcel test --clean tries again',
        },
      );
    }
  }
}

/** False when something runs in them. */
export async function sweepOnce(group: string): Promise<boolean> {
  await runCommand([...PRIVATE_NAMESPACE, SWEEP, LABEL, group], { timeout: 30_000 });
  return !(await listGroups()).includes(group);
}
