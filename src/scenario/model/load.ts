import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubeparcelError } from '../../support/errors.ts';
import { isErrno } from '../../support/file-system.ts';
import { parseValidatedYaml } from '../../support/validated-yaml.ts';
import { GROUPS, type Scenario, scenarioSchema } from './scenario.ts';

/**
 * Reads all scenarios (NAME.yaml) of a directory.
 *
 * @returns sorted by group, then by name
 * @throws KubeparcelError of kind 'config' that lists all errors in all files with line numbers; of kind 'io' if the directory
 * cannot be read
 */
export async function loadScenarios(directory: string): Promise<Scenario[]> {
  const faults: KubeparcelError[] = [];
  const scenarios: Scenario[] = [];
  for (const file of await scenarioFiles(directory)) {
    const where = join(directory, file);
    try {
      scenarios.push(parseScenario(await readFile(where, 'utf8'), where, file.slice(0, -'.yaml'.length)));
    } catch (error) {
      if (!(error instanceof KubeparcelError)) throw error;
      faults.push(error);
    }
  }
  const [first, ...others] = faults;
  if (first !== undefined) {
    const rest = others.map(({ where, message }) => `${where ?? ''}: ${message}`);
    throw new KubeparcelError('config', [first.message, ...rest].join('\n  '), {
      ...(first.where === undefined ? {} : { where: first.where }),
      hint: 'see docs/testing.md for the format of scenarios',
    });
  }
  return scenarios.sort(
    (a, b) => GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
}

/**
 * Reads one scenario.
 *
 * @param where the file's name, for errors
 * @throws KubeparcelError of kind 'config' that lists each error with its line
 */
export function parseScenario(text: string, where: string, name: string): Scenario {
  return { name, ...parseValidatedYaml(text, scenarioSchema, where) };
}

async function scenarioFiles(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => name.endsWith('.yaml')).sort();
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT') && !isErrno(cause, 'ENOTDIR')) throw cause;
    throw new KubeparcelError('io', 'cannot read the directory of scenarios', { where: directory, cause });
  }
}
