import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { KubeparcelError } from '../support/errors.ts';
import { isErrno } from '../support/file-system.ts';
import { parseValidatedYaml } from '../support/validated-yaml.ts';
import { type Config, configSchema } from './schema.ts';

const CONFIG_FILE = 'kubeparcel.yaml';

/**
 * Reads a configuration; paths in it count from the file's own directory.
 *
 * @param path as named by the user; undefined looks for kubeparcel.yaml here and takes no file as an empty one
 * @throws KubeparcelError of kind 'config' with file, line and column; of kind 'io' when a named file cannot be read
 */
export async function loadConfig(path: string | undefined): Promise<Config> {
  const file = path ?? CONFIG_FILE;
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if (path === undefined && isErrno(cause, 'ENOENT')) {
      return {};
    }
    throw new KubeparcelError('io', 'the configuration cannot be read', {
      where: file,
      hint: 'name a file that is there with --config, or write one with kubeparcel init',
      cause,
    });
  }
  return withAbsolutePaths(parseConfig(text, file), dirname(resolve(file)));
}

/** Parses the text of a kubeparcel.yaml; see loadConfig for the errors. */
export function parseConfig(text: string, where: string): Config {
  // A file of comments only is an empty configuration, as `kubeparcel init` leaves it.
  const empty = text.split('\n').every((line) => /^\s*(#.*)?$/.test(line));
  return empty ? {} : parseValidatedYaml(text, configSchema, where);
}

function withAbsolutePaths(config: Config, directory: string): Config {
  const absolute = { ...config };
  for (const key of ['out', 'templates', 'packaging'] as const) {
    const path = config[key];
    if (path !== undefined) absolute[key] = resolve(directory, path);
  }
  if (config.source !== undefined && /^[./~]|\//.test(config.source) && !/^https?:/.test(config.source)) {
    absolute.source = resolve(directory, config.source);
  }
  return absolute;
}
