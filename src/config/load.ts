import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { KubeparcelError } from '../support/errors.ts';
import { isErrno } from '../support/file-system.ts';
import { parseValidatedYaml } from '../support/validated-yaml.ts';
import { type Config, configSchema } from './schema.ts';

const CONFIG_FILE = 'kubeparcel.yaml';

/**
 * Reads a configuration. Paths in it are relative to its directory.
 *
 * @param path the file; if undefined, kubeparcel.yaml in the current directory, which may be missing
 * @throws KubeparcelError of kind 'config' with file, line and column; of kind 'io' if the file cannot be read
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
    throw new KubeparcelError('io', 'cannot read the configuration', {
      where: file,
      hint: 'choose an existing file with --config, or create one with kubeparcel init',
      cause,
    });
  }
  return withAbsolutePaths(parseConfig(text, file), dirname(resolve(file)));
}

/** Parses a kubeparcel.yaml; see loadConfig for the errors. */
export function parseConfig(text: string, where: string): Config {
  // `kubeparcel init` writes a file that contains only comments.
  const isEmpty = text.split('\n').every((line) => /^\s*(#.*)?$/.test(line));
  return isEmpty ? {} : parseValidatedYaml(text, configSchema, where);
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
