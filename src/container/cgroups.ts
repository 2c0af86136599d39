import { setTimeout as wait } from 'node:timers/promises';
import { KubeparcelError } from '../support/errors.ts';
import { runCommand } from './command.ts';
import { LABEL } from './engine.ts';
import { PRIVATE_NAMESPACE } from './run-arguments.ts';

/** Milliseconds. */
const SCRIPT_TIMEOUT = 30_000;
/** Time that processes get to end: the engine's monitor process may end a moment after its container. */
const KILL_AFTER = 5_000;
const FAIL_AFTER = 20_000;

/** Lists the cgroups that kubeparcel made, as RUN/NAME. */
export async function listGroups(): Promise<string[]> {
  const result = await runCommand([...PRIVATE_NAMESPACE, LIST_GROUPS, LABEL], { timeout: SCRIPT_TIMEOUT });
  return result.stdout.split('\n').filter((line) => line !== '');
}

/**
 * Removes the cgroups of a container. After 5 s, kills the processes in them: an interrupted start can leave a runtime that
 * waits forever.
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
    if (waited > FAIL_AFTER) {
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

/**
 * Removes the groups of a run or of one container: sh -c REMOVE_GROUPS kubeparcel RUN|RUN/NAME
 *
 * Runs in a private mount namespace. Groups with running processes remain.
 */
const REMOVE_GROUPS = `set -u
sweep() {
  find /sys/fs/cgroup -depth -type d \\( -path "*/kubeparcel/$1" -o -path "*/kubeparcel/$1/*" \\) -exec rmdir {} \\;
  # Parents, if they are empty now.
  find /sys/fs/cgroup -depth -type d -path "*/kubeparcel/\${1%%/*}" -exec rmdir {} \\;
  find /sys/fs/cgroup -depth -type d -name kubeparcel -exec rmdir {} \\;
}
sweep "$1" 2>/dev/null
umount -R /sys/fs/cgroup 2>/dev/null
mount -t cgroup2 none /sys/fs/cgroup && sweep "$1" 2>/dev/null
exit 0
`;

/** Kills the processes in a container's groups: sh -c KILL_GROUP kubeparcel RUN/NAME. Runs in a private mount namespace. */
const KILL_GROUP = `set -u
umount -R /sys/fs/cgroup 2>/dev/null
mount -t cgroup2 none /sys/fs/cgroup || exit 0
find /sys/fs/cgroup -type d -path "*/kubeparcel/$1" -exec sh -c 'echo 1 > "$0/cgroup.kill"' {} \\;
exit 0
`;

/** Prints the groups as RUN/NAME, one per line: sh -c LIST_GROUPS kubeparcel. Runs in a private mount namespace. */
const LIST_GROUPS = `set -u
list() { find /sys/fs/cgroup -type d -path '*/kubeparcel/*/*' ! -path '*/kubeparcel/*/*/*' 2>/dev/null; }
{
  list
  umount -R /sys/fs/cgroup 2>/dev/null
  mount -t cgroup2 none /sys/fs/cgroup && list
} | sed 's|.*/kubeparcel/||' | sort -u
`;
