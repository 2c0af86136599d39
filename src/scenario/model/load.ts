import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubeparcelError } from '../../support/errors.ts';
import { isErrno } from '../../support/file-system.ts';
import { parseValidatedYaml } from '../../support/validated-yaml.ts';
import { GROUPS, type Scenario, scenarioSchema } from './scenario.ts';

/**
 * Reads every scenario of a directory: NAME.yaml each.
 *
 * @returns sorted by group, then by name
 * @throws KubeparcelError of kind 'config' that names all that is wrong in all files, each with its line; of kind 'io' when
 * the directory cannot be read
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
      hint: 'docs/testing.md explains every word of a scenario',
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
 * @throws KubeparcelError of kind 'config' that names each fault with its line
 */
export function parseScenario(text: string, where: string, name: string): Scenario {
  return { name, ...parseValidatedYaml(text, scenarioSchema, where) };
}

async function scenarioFiles(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => name.endsWith('.yaml')).sort();
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT') && !isErrno(cause, 'ENOTDIR')) throw cause;
    throw new KubeparcelError('io', 'no directory of scenarios', { where: directory, cause });
  }
}
