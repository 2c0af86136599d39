import { setTimeout as wait } from 'node:timers/promises';
import { KubeparcelError } from '../support/errors.ts';
import { runCommand } from './command.ts';
import { LABEL } from './engine.ts';
import { PRIVATE_NAMESPACE } from './run-arguments.ts';
import { KILL_GROUP, LIST_GROUPS, REMOVE_GROUPS } from './scripts.ts';

/** Milliseconds. */
const SCRIPT_TIMEOUT = 30_000;
/** The engine's monitor process may end a moment after its container. */
const KILL_AFTER = 5_000;
/** An interrupted start can leave a runtime that waits forever; it is killed after KILL_AFTER. */
const GIVE_UP_AFTER = 20_000;

/** Lists the cgroups that kubeparcel made, as RUN/NAME. */
export async function listGroups(): Promise<string[]> {
  const result = await runCommand([...PRIVATE_NAMESPACE, LIST_GROUPS, LABEL], { timeout: SCRIPT_TIMEOUT });
  return result.stdout.split('\n').filter((line) => line !== '');
}

/**
 * Removes the cgroups of a container; kills processes that keep running in them.
 *
 * @param group RUN/NAME
 * @throws KubeparcelError of kind 'io' if processes remain
 */
export async function removeGroups(group: string): Promise<void> {
  const begin = performance.now();
  for (let killed = false; !(await tryRemoveGroups(group)); await wait(50)) {
    const waited = performance.now() - begin;
    if (waited > KILL_AFTER && !killed) {
      await runCommand([...PRIVATE_NAMESPACE, KILL_GROUP, LABEL, group], { timeout: SCRIPT_TIMEOUT });
      killed = true;
    }
    if (waited > GIVE_UP_AFTER) {
      throw new KubeparcelError('io', 'cannot remove the cgroups of a container: processes still run in them', {
        where: group,
        hint: 'kubeparcel test --clean tries again',
      });
    }
  }
}

/** @returns false while processes run in the groups */
export async function tryRemoveGroups(group: string): Promise<boolean> {
  await runCommand([...PRIVATE_NAMESPACE, REMOVE_GROUPS, LABEL, group], { timeout: SCRIPT_TIMEOUT });
  return !(await listGroups()).includes(group);
}
