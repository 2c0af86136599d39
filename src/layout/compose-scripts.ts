import type { PackageDefinition } from '../catalog/package-schema.ts';
import { SCRIPT_NAMES, type ScriptName } from '../model/format.ts';
import type { Layout, Script } from '../model/layout.ts';
import { KubeparcelError } from '../support/errors.ts';
import type { TemplateSet, TemplateValues } from './templates.ts';

/** What becomes of a kubelet that runs while its package is upgraded: docs/hosts.md. */
export const RESTARTS = ['none', 'try-restart', 'needs-restart'] as const;
export type Restart = (typeof RESTARTS)[number];

/**
 * The maintainer scripts or scriptlets of a package, each put together from its templates with an empty line between
 * them. A script whose last template, which says what it does, renders to nothing is left out: others are functions.
 *
 * @throws KubeparcelError of kind 'config' for a template that cannot be used, or a script that is not text for sh
 */
export function composeScripts(
  definition: PackageDefinition,
  format: Layout['format'],
  templates: TemplateSet,
  values: TemplateValues,
): Layout['scripts'] {
  const scripts: Partial<Record<ScriptName, Script>> = {};
  for (const name of SCRIPT_NAMES[format]) {
    const parts = (definition.scripts[format][name] ?? []).map((each) => templates.render(each, values).trim());
    if ((parts.at(-1) ?? '') === '') continue;
    const body = parts.filter((part) => part !== '').join('\n\n');
    if (body.includes('\0')) {
      throw new KubeparcelError('config', `the ${name} of ${definition.name} holds a NUL byte`, {
        where: `templates ${definition.scripts[format][name]?.join(', ')}`,
        hint: 'remove it; a shell would stop reading there',
      });
    }
    // rpmbuild drops what is blank at the end of a scriptlet; a script of a DEB is a text file.
    scripts[name] = { interpreter: '/bin/sh', body: format === 'deb' ? `\n${body}\n` : body };
  }
  return scripts;
}
