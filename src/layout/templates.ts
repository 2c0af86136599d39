import { type Dirent, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ejs from 'ejs';
import { KubeparcelError } from '../support/errors.ts';
import { packageRoot } from '../support/package-root.ts';

/** Values for templates; nested values are accessed with dots: `<%= it.paths.environment %>`. */
export interface TemplateValues {
  readonly [name: string]: string | number | TemplateValues;
}

interface TemplateFile {
  /** Path below templates/: kubelet.service.ejs, hooks/deb/kubelet.postinst.ejs */
  readonly name: string;
  readonly text: string;
}

/** The built-in templates, overridden by the user's templates of the same name. */
export interface TemplateSet {
  /** Sorted by name; written by `kubeparcel templates eject`. */
  readonly files: readonly TemplateFile[];
  /**
   * @param name without .ejs: kubelet.service, hooks/deb/kubelet.postinst
   * @throws KubeparcelError of kind 'config' with template and line for an undefined value, a syntax error or an unknown
   *   template
   */
  render(name: string, values: TemplateValues): string;
}

const SUFFIX = '.ejs';
/** Directories of templates/ that are not for packages. */
const NON_PACKAGE_DIRECTORIES = ['bundle/', 'site/'];

/**
 * Reads templates/ (EJS) and an optional directory with overrides. Files that begin with a dot are ignored.
 *
 * @throws KubeparcelError of kind 'config' for an override without a built-in template and for a template that does not
 *   compile; 'io' for an unreadable directory
 */
export async function loadTemplates(overrideDirectory?: string): Promise<TemplateSet> {
  const builtIn = join(packageRoot(), 'templates');
  const sources = new Map<string, Source>();
  for (const name of templateNames(builtIn)) {
    if (NON_PACKAGE_DIRECTORIES.some((directory) => name.startsWith(directory))) continue;
    sources.set(name, readSource(builtIn, name));
  }
  if (overrideDirectory !== undefined) {
    for (const name of templateNames(overrideDirectory)) {
      if (!sources.has(name)) {
        throw new KubeparcelError('config', 'unknown template', {
          where: join(overrideDirectory, name),
          hint: 'remove or rename the file; kubeparcel templates list shows the names',
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
        throw new KubeparcelError('config', `unknown template ${name}${SUFFIX}`, {
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

/** Synchronous, because awaiting dozens of small files takes ten times as long. */
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

/** Rejected, because this tag prints undefined values as nothing. `<%=` does not escape here either. */
const RAW_TAG = /<%-/;

function compile(path: string, text: string): (values: TemplateValues) => string {
  const raw = text.split('\n').findIndex((line) => RAW_TAG.test(line));
  if (raw !== -1) {
    throw new KubeparcelError('config', '<%- is not supported', {
      where: `${path}:${raw + 1}`,
      hint: 'use <%= instead; it does not escape either, and it refuses unknown values',
    });
  }
  let render: ejs.TemplateFunction;
  try {
    render = ejs.compile(text, {
      filename: path,
      strict: true,
      // EJS copies the top-level object, which would lose the proxy of strict(); a nested object is kept.
      destructuredLocals: ['it'],
      escape: printable,
      compileDebug: true,
      includer: (included) => {
        throw new TemplateError(`include() is not supported (${included})`);
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

class TemplateError extends Error {
  readonly fault: string;
  constructor(fault: string) {
    super(fault);
    this.fault = fault;
  }
}

/** Replaces EJS's HTML escaping. EJS passes every printed value and the file name through it. */
function printable(value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw new TemplateError(`a printed value is ${value === null ? 'null' : typeof value}, not text`);
  }
  return String(value);
}

/** The same values, but accessing an undefined one throws. */
function strict(values: TemplateValues, path: string): TemplateValues {
  return new Proxy(values, {
    get(target, key) {
      const value = typeof key === 'string' && Object.hasOwn(target, key) ? target[key] : undefined;
      if (value === undefined) {
        const known = Object.keys(target).join(', ');
        throw new TemplateError(`unknown value ${path}.${String(key)}; ${path} has ${known}`);
      }
      return typeof value === 'object' ? strict(value, `${path}.${String(key)}`) : value;
    },
  });
}

function failure(path: string, cause: unknown): KubeparcelError {
  const message = cause instanceof Error ? cause.message : String(cause);
  // EJS prepends `file:line` and the source lines to the message of an error in a template.
  const line = message.startsWith(`${path}:`) ? /^\d+/.exec(message.slice(path.length + 1))?.[0] : undefined;
  const fault = cause instanceof TemplateError ? cause.fault : (message.split('\n\n').at(line ? -1 : 0) ?? message);
  return new KubeparcelError('config', `invalid template: ${fault}`, {
    where: line === undefined ? path : `${path}:${line}`,
    hint: 'see the built-in templates (kubeparcel templates eject) for all values that can be used',
    cause,
  });
}
