import { type Dirent, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ejs from 'ejs';
import { KubeparcelError } from '../support/errors.ts';
import { packageRoot } from '../support/package-root.ts';

/** What templates may name; nested records are looked into with dots: `<%= it.paths.environment %>`. */
export interface TemplateValues {
  readonly [name: string]: string | number | TemplateValues;
}

interface TemplateFile {
  /** Path below templates/: kubelet.service.ejs, hooks/deb/kubelet.postinst.ejs */
  readonly name: string;
  readonly text: string;
}

/** Templates as they are used: kubeparcel's own, with the user's in place of those of the same name. */
export interface TemplateSet {
  /** Sorted by name; what `kubeparcel templates eject` writes. */
  readonly files: readonly TemplateFile[];
  /**
   * @param name without .ejs: kubelet.service, hooks/deb/kubelet.postinst
   * @throws KubeparcelError of kind 'config' that names template and line: a value that is not there, a fault in the
   * template, or no template of this name
   */
  render(name: string, values: TemplateValues): string;
}

const SUFFIX = '.ejs';
/** Directories of templates/ that are not for packages: HTML and the like, with other rules. */
const NOT_PACKAGES = ['bundle/', 'site/'];

/**
 * Reads templates/ (EJS) with its directories and, over it, a directory of the user's. What begins with a dot is passed over.
 *
 * @throws KubeparcelError of kind 'config' for a file in the user's directory that is no template of ours and for a
 * template that does not compile; of kind 'io' for a directory that cannot be read
 */
export async function loadTemplates(overrideDirectory?: string): Promise<TemplateSet> {
  const builtIn = join(packageRoot(), 'templates');
  const sources = new Map<string, Source>();
  for (const name of templateNames(builtIn)) {
    if (NOT_PACKAGES.some((directory) => name.startsWith(directory))) continue;
    sources.set(name, readSource(builtIn, name));
  }
  if (overrideDirectory !== undefined) {
    for (const name of templateNames(overrideDirectory)) {
      if (!sources.has(name)) {
        throw new KubeparcelError('config', 'unknown template', {
          where: join(overrideDirectory, name),
          hint: `expected ${[...sources.keys()].join(', ')}; remove or rename this file`,
        });
      }
      sources.set(name, readSource(overrideDirectory, name));
    }
  }
  return {
    files: [...sources.values()].map(({ name, text }) => ({ name, text })),
    render(name, values) {
      const source = sources.get(`${name}${SUFFIX}`);
      if (source === undefined) {
        throw new KubeparcelError('config', `there is no template ${name}${SUFFIX}`, {
          hint: `templates are ${[...sources.keys()].join(', ')}`,
        });
      }
      return source.render(values);
    },
  };
}

interface Source extends TemplateFile {
  readonly render: (values: TemplateValues) => string;
}

/** Dozens of small files that come along: to wait for each of them takes ten times as long as to read it. */
function templateNames(directory: string): string[] {
  let found: Dirent[];
  try {
    found = readdirSync(directory, { withFileTypes: true }).filter(({ name }) => !name.startsWith('.'));
  } catch (cause) {
    throw new KubeparcelError('io', 'cannot read the directory of templates', { where: directory, cause });
  }
  const names: string[] = [];
  for (const each of found) {
    if (each.isDirectory()) {
      const below = templateNames(join(directory, each.name));
      names.push(...below.map((name) => `${each.name}/${name}`));
    } else {
      names.push(each.name);
    }
  }
  return names.sort();
}

function readSource(directory: string, name: string): Source {
  const path = join(directory, name);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new KubeparcelError('io', 'cannot read the template', { where: path, cause });
  }
  return { name, text, render: compile(path, text) };
}

/** Raw tags print nothing for a value that is not there; since nothing is escaped, nobody needs them. */
const RAW_TAG = /<%-/;

function compile(path: string, text: string): (values: TemplateValues) => string {
  const raw = text.split('\n').findIndex((line) => RAW_TAG.test(line));
  if (raw !== -1) {
    throw new KubeparcelError('config', '<%- is not used here', {
      where: `${path}:${raw + 1}`,
      hint: 'use <%= instead; it does not escape either, and it refuses unknown values',
    });
  }
  let render: ejs.TemplateFunction;
  try {
    render = ejs.compile(text, {
      filename: path,
      strict: true,
      // EJS copies the record of values, and with it would lose what makes a missing one throw; one level down it stays.
      destructuredLocals: ['it'],
      escape: printable,
      compileDebug: true,
      includer: (included) => {
        throw new TemplateFault(`templates cannot include others (${included})`);
      },
    });
  } catch (cause) {
    throw failure(path, cause);
  }
  return (values) => {
    try {
      return render({ it: strict(values, 'it') });
    } catch (cause) {
      throw failure(path, cause);
    }
  };
}

class TemplateFault extends Error {
  readonly fault: string;
  constructor(fault: string) {
    super(fault);
    this.fault = fault;
  }
}

/** Stands in for EJS's escaping, which is for HTML; it sees every value that a template prints, and the file's name. */
function printable(value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw new TemplateFault(`a value to print is ${value === null ? 'null' : typeof value}, not text`);
  }
  return String(value);
}

/** The values, except that one that is not there throws instead of being undefined. */
function strict(values: TemplateValues, path: string): TemplateValues {
  return new Proxy(values, {
    get(target, key) {
      const value = typeof key === 'string' && Object.hasOwn(target, key) ? target[key] : undefined;
      if (value === undefined) {
        const known = Object.keys(target).join(', ');
        throw new TemplateFault(`there is no value ${path}.${String(key)}; ${path} has ${known}`);
      }
      return typeof value === 'object' ? strict(value, `${path}.${String(key)}`) : value;
    },
  });
}

function failure(path: string, cause: unknown): KubeparcelError {
  const message = cause instanceof Error ? cause.message : String(cause);
  // EJS puts `file:line` and the lines around it before the message of an error that a template throws.
  const line = message.startsWith(`${path}:`) ? /^\d+/.exec(message.slice(path.length + 1))?.[0] : undefined;
  const fault = cause instanceof TemplateFault ? cause.fault : (message.split('\n\n').at(line ? -1 : 0) ?? message);
  return new KubeparcelError('config', `invalid template: ${fault}`, {
    where: line === undefined ? path : `${path}:${line}`,
    hint: 'see the built-in templates (kubeparcel templates eject) for all values that can be used',
    cause,
  });
}
