import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import { packageRoot } from '../../src/support/package-root.ts';
import { parseValidatedYaml } from '../../src/support/validated-yaml.ts';

export interface Finding {
  readonly package: string;
  readonly severity: 'E' | 'W';
  readonly tag: string;
  /** As printed by the linter. */
  readonly line: string;
}

const tagsSchema = z.record(
  z.string(),
  z.strictObject({
    packages: z.array(z.string()).min(1),
    reason: z.string(),
    only: z.literal('real binaries').optional(),
  }),
);
const explanationsSchema = z.strictObject({ lintian: tagsSchema, rpmlint: tagsSchema });
export type Explanations = z.output<typeof tagsSchema>;

/** packaging/lint.yaml: intended findings of each linter, by tag. */
export function explanations(): z.output<typeof explanationsSchema> {
  const path = join(packageRoot(), 'packaging', 'lint.yaml');
  return parseValidatedYaml(readFileSync(path, 'utf8'), explanationsSchema, path);
}

/** Errors and warnings by Debian's rules, independent of the settings of this machine. */
export async function lintian(debs: readonly string[]): Promise<Finding[]> {
  const options = [
    '--allow-root',
    '--no-cfg',
    '--no-user-dirs',
    '--ignore-lintian-env',
    '--profile',
    'debian',
    '--tag-display-limit',
    '0',
  ];
  const { stdout, stderr, exitCode } = await execa('lintian', [...options, '--fail-on', 'none', ...debs], {
    reject: false,
    stdin: 'ignore',
  });
  if (exitCode !== 0 || stderr !== '') throw new Error(`lintian ended with ${exitCode}: ${stderr}\n${stdout}`);
  return linesOf(stdout).map((line) => finding(line, /^(?<severity>[EW]): (?<package>\S+): (?<tag>\S+)/));
}

/** Errors and warnings by rpmlint's defaults, without settings of a distribution or of this machine. */
export async function rpmlint(rpms: readonly string[], home: string): Promise<Finding[]> {
  const { stdout, stderr } = await execa('rpmlint', [...rpms], {
    reject: false,
    stdin: 'ignore',
    env: { HOME: home, XDG_CONFIG_HOME: home, XDG_CONFIG_DIRS: home, LC_ALL: 'C.UTF-8' },
  });
  const lines = linesOf(stdout);
  if (stderr !== '' || lines.at(-1)?.startsWith(` ${rpms.length} packages and 0 specfiles checked`) !== true) {
    throw new Error(`rpmlint did not check them: ${stderr}\n${stdout}`);
  }
  return lines
    .slice(lines.findIndex((line) => line.startsWith('checks: ')) + 1, -1)
    .map((line) => finding(line, /^(?<package>[^:]+)\.[^.:]+: (?<severity>[EW]): (?<tag>\S+)/));
}

/** Findings without an explanation for this package. */
export function unexplained(findings: readonly Finding[], explained: Explanations): string[] {
  return findings
    .filter(({ tag, package: name }) => explained[tag]?.packages.includes(name) !== true)
    .map(({ line }) => line);
}

/** Explained tags that no package has. */
export function stale(findings: readonly Finding[], explained: Explanations): string[] {
  const found = new Set(findings.map(({ tag }) => tag));
  return Object.keys(explained).filter((tag) => explained[tag]?.only === undefined && !found.has(tag));
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

function finding(line: string, pattern: RegExp): Finding {
  const { package: name, severity, tag } = pattern.exec(line)?.groups ?? {};
  if (name === undefined || tag === undefined || (severity !== 'E' && severity !== 'W')) {
    throw new Error(`cannot parse the output of a linter: ${line}`);
  }
  return { package: name, severity, tag, line };
}
