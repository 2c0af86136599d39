import type { PackageDefinition } from '../catalog/package-schema.ts';
import { SCRIPT_NAMES, type ScriptName } from '../model/format.ts';
import type { Layout, Script } from '../model/layout.ts';
import { KubeparcelError } from '../support/errors.ts';
import type { TemplateSet, TemplateValues } from './templates.ts';

/** What happens to a running kubelet when its package is upgraded; see docs/hosts.md. */
export const RESTARTS = ['none', 'try-restart', 'needs-restart'] as const;
export type Restart = (typeof RESTARTS)[number];

/**
 * Composes the maintainer scripts or scriptlets of a package. A script is the concatenation of its templates, separated by
 * empty lines. The last template contains the commands, and the others define functions. The script is omitted if the
 * last template renders to nothing.
 *
 * @throws KubeparcelError of kind 'config' for an invalid template or a script with a NUL byte
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
      throw new KubeparcelError('config', `the script ${name} of ${definition.name} contains a NUL byte`, {
        where: `templates ${definition.scripts[format][name]?.join(', ')}`,
        hint: 'remove the NUL byte from the template',
      });
    }
    // rpmbuild strips trailing whitespace from scriptlets; a maintainer script of a DEB is a text file.
    scripts[name] = { interpreter: '/bin/sh', body: format === 'deb' ? `\n${body}\n` : body };
  }
  return scripts;
}
