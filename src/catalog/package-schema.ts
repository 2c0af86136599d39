import { z } from 'zod';
import { COMPONENTS, type Component } from '../model/component.ts';
import { FORMATS, type Format, SCRIPT_NAMES, type ScriptName } from '../model/format.ts';
import { type Operator, RELATION_KINDS, type RelationKind } from '../model/relation.ts';
import { type Distribution, PLACES } from './distribution.ts';
import { packageName } from './distribution-schema.ts';
import { bound, coveringRanges } from './range-schema.ts';
import type { Range, Span } from './ranges.ts';

export interface PackageDefinition {
  readonly name: string;
  /** The component of the payload that provides files and version. */
  readonly component: Component;
  readonly summary: string;
  readonly description: string;
  readonly section: Readonly<Record<Format, string>>;
  readonly homepage: string;
  /** URL of the changelog; {version} and {minor} are those of the component. */
  readonly changes: string;
  /** SPDX expression. */
  readonly license: string;
  readonly upstream: { readonly name: string; readonly source: string; readonly copyright: string };
  readonly multiArch: 'foreign' | 'same' | 'allowed' | undefined;
  readonly contents: readonly ContentRule[];
  readonly relations: readonly RelationRule[];
  /** Templates that are concatenated to each script. A script is omitted if its last template renders to nothing. */
  readonly scripts: Readonly<Record<Format, Readonly<Partial<Record<ScriptName, readonly string[]>>>>>;
  /** Absolute paths of files that the package's programs write. They are removed with the package, unless edited. */
  readonly generated: readonly string[];
}

/** Paths may begin with a directory of the distribution: {units}/kubelet.service. */
export type ContentRule =
  | { readonly payload: string; readonly path: string; readonly optional: boolean }
  /** The directory for all executables of the component. */
  | { readonly 'payload-executables': string }
  | { readonly template: string; readonly path: string; readonly when?: Condition | undefined }
  | { readonly directory: string; readonly when?: Condition | undefined }
  /** The generator, unless packages are built without it. */
  | { readonly program: 'kubelet-confgen'; readonly path: string }
  /** A symbolic link at `link` to another file of the package. */
  | { readonly link: string; readonly to: string; readonly when?: Condition | undefined };

/**
 * - kernel: if the distribution or kubeparcel.yaml enables `kernel`
 * - confgen: if the package contains kubelet-confgen
 */
export type Condition = 'kernel' | 'confgen';

export interface RelationRule {
  readonly kind: RelationKind;
  /** One of our packages, or a logical name that every distribution maps to package names. */
  readonly name: string;
  readonly formats: readonly Format[];
  readonly ranges: readonly RelationRange[];
}

export interface RelationRange extends Range {
  /** No relation in this range. */
  readonly absent: boolean;
  readonly constraint: { readonly operator: Operator; readonly version: string } | undefined;
}

const line = z.string().regex(/^[^\p{Cc}]+$/u, 'expected one line');

const rulePath = z
  .string()
  .regex(
    new RegExp(`^(\\{(${PLACES.join('|')})\\}|/[A-Za-z0-9_][A-Za-z0-9+._-]*)(/[A-Za-z0-9_][A-Za-z0-9+._-]*)*$`),
    `expected an absolute path; it may begin with ${PLACES.map((place) => `{${place}}`).join(', ')}`,
  );

/** Without characters that are special to a shell. */
const ABSOLUTE_PATH = /^(\/[A-Za-z0-9_][A-Za-z0-9+._-]*)+$/;

function scriptsOf(format: Format) {
  return z.partialRecord(z.enum<readonly ScriptName[]>(SCRIPT_NAMES[format]), z.array(line).min(1));
}

const condition = z.enum(['kernel', 'confgen'] satisfies Condition[]).optional();

const contentRule = z.union(
  [
    z.strictObject({ payload: line, path: rulePath, optional: z.boolean().default(false) }),
    z.strictObject({ 'payload-executables': rulePath }),
    z.strictObject({ template: line, path: rulePath, when: condition }),
    z.strictObject({ directory: rulePath, when: condition }),
    z.strictObject({ program: z.literal('kubelet-confgen'), path: rulePath }),
    z.strictObject({ link: rulePath, to: rulePath, when: condition }),
  ],
  'expected one of { payload, path }, { payload-executables }, { template, path }, { directory }, { program, path } or { link, to }',
);

const constraint = z
  .string()
  .regex(/^(<<|<=|=|>=|>>) [0-9][A-Za-z0-9.+~:-]*$/, "expected an operator and a version, such as '>= 1.2.0'")
  .transform((text) => {
    const [operator, version] = text.split(' ') as [Operator, string];
    return { operator, version };
  });

/**
 * Schema of a file in packages/.
 *
 * @param distributions must have a name for every relation that is not one of our packages
 * @param ours names of all packages in packages/
 */
export function packageSchema(span: Span, distributions: readonly Distribution[], ours: readonly string[]) {
  const range = z
    .strictObject({
      since: bound,
      until: bound.optional(),
      version: constraint.optional(),
      absent: z.literal(true).optional(),
    })
    .refine(({ version, absent }) => version === undefined || absent === undefined, {
      error: 'expected either version or absent, not both',
      path: ['absent'],
    })
    .transform(({ since, until, version, absent }): RelationRange => {
      return { since, until, absent: absent ?? false, constraint: version };
    });
  const target = packageName.optional();
  const kinds = Object.fromEntries(RELATION_KINDS.map((kind) => [kind, target])) as Record<RelationKind, typeof target>;
  const relation = z
    .strictObject({
      ...kinds,
      formats: z
        .array(z.enum(FORMATS))
        .min(1)
        .default([...FORMATS]),
      version: constraint.optional(),
      ranges: coveringRanges(range, span).optional(),
    })
    .transform((rule, context): RelationRule => {
      const [kind, ...more] = RELATION_KINDS.filter((each) => rule[each] !== undefined);
      const name = kind === undefined ? undefined : rule[kind];
      if (kind === undefined || name === undefined || more.length > 0) {
        context.addIssue({ code: 'custom', message: `expected exactly one of ${RELATION_KINDS.join(', ')}` });
        return z.NEVER;
      }
      if (rule.version !== undefined && rule.ranges !== undefined) {
        context.addIssue({ code: 'custom', path: ['version'], message: 'expected either version or ranges, not both' });
      }
      for (const { id, names, format } of distributions) {
        if (rule.formats.includes(format) && !ours.includes(name) && names[name] === undefined) {
          context.addIssue({ code: 'custom', path: [kind], message: `${id} has no name for ${name}` });
        }
      }
      const always = { since: span.oldest, absent: false, constraint: rule.version };
      return { kind, name, formats: rule.formats, ranges: rule.ranges ?? [always] };
    });
  return z
    .strictObject({
      name: z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/, 'expected a package name'),
      component: z.enum(COMPONENTS),
      // Debian policy 3.4.1 and Lintian: a synopsis has fewer than 80 characters and is not a sentence.
      summary: line.max(79).refine((text) => !text.endsWith('.'), 'must not end with a full stop'),
      // Debian policy 5.6.13: lines of less than 80 columns.
      description: z
        .string()
        .transform((text) => text.trim())
        .refine(
          (text) => text !== '' && text.split('\n').every((each) => each.length < 80),
          'expected lines of less than 80 columns',
        ),
      section: z.strictObject({ deb: line, rpm: line }),
      homepage: z.url(),
      changes: line,
      license: line,
      upstream: z.strictObject({ name: line, source: z.url(), copyright: line }),
      'multi-arch': z.enum(['foreign', 'same', 'allowed']).optional(),
      contents: z.array(contentRule).min(1),
      relations: z.array(relation),
      scripts: z
        .strictObject({ deb: scriptsOf('deb'), rpm: scriptsOf('rpm') })
        .partial()
        .transform(({ deb = {}, rpm = {} }) => ({ deb, rpm }))
        .default({ deb: {}, rpm: {} }),
      generated: z.array(z.string().regex(ABSOLUTE_PATH, 'expected an absolute path')).default([]),
    })
    .transform(({ 'multi-arch': multiArch, ...rest }): PackageDefinition => ({ ...rest, multiArch }));
}
