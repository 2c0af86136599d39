import { setTimeout as wait } from 'node:timers/promises';
import { KubeparcelError } from '../support/errors.ts';
import { runCommand } from './command.ts';
import { LABEL } from './engine.ts';
import { PRIVATE_NAMESPACE } from './run-arguments.ts';
import { LIST, SWEEP } from './scripts.ts';

/** The cgroups that runs of kubeparcel made: RUN/NAME each. */
export async function listGroups(): Promise<string[]> {
  const result = await runCommand([...PRIVATE_NAMESPACE, LIST, LABEL], { timeout: 30_000 });
  return result.stdout.split('\n').filter((line) => line !== '');
}

/** Tries for this long (milliseconds): the engine's monitor of an ended container needs a moment to end, too. */
const PATIENCE = 20_000;

/**
 * Removes the cgroups of a container.
 *
 * @param group RUN/NAME
 * @throws KubeparcelError of kind 'io' when something goes on running in them
 */
export async function sweepGroups(group: string): Promise<void> {
  for (const end = performance.now() + PATIENCE; !(await sweepOnce(group)); await wait(50)) {
    if (performance.now() > end) {
      throw new KubeparcelError(
        'io',
        'the cgroups of a container cannot be removed, since something still runs in them',
        {
          where: group,
          todo: 'kubeparcel test --clean tries again',
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
