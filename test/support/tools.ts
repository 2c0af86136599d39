import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Whether a program is on the PATH. Where the tests must be complete (CI is set), a missing one is an error instead.
 */
export function hasTool(name: string): boolean {
  const found = (process.env.PATH ?? '').split(delimiter).some((directory) => isExecutable(join(directory, name)));
  if (!found && process.env.CI) {
    throw new Error(`the tests compare with ${name}, which is not installed`);
  }
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
