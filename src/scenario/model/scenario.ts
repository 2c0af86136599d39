import { z } from 'zod';
import { type Action, actions } from './actions.ts';
import { type Check, checks } from './checks.ts';
import { absolutePath, PACKAGE_SETS } from './expectation.ts';
import { PLACEHOLDERS, placeholdersOf, textsOf } from './placeholders.ts';

/**
 * The format of packaging/scenarios/NAME.yaml, described in docs/testing.md. The runner executes each scenario step by step
 * in a new container.
 */

export const GROUPS = [
  'install',
  'service',
  'kubeadm',
  'generator',
  'runtime',
  'upgrade',
  'remove',
  'conditions',
] as const;
export type Group = (typeof GROUPS)[number];

const MANAGERS = ['apt', 'dnf', 'zypper'] as const;

const FORMATS = ['deb', 'rpm'] as const;
const PAYLOADS = ['sample', 'real'] as const;

function oneOrMore<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess(
    (value) => (value === undefined || Array.isArray(value) ? value : [value]),
    z.array(schema).min(1),
  );
}

/**
 * deb, rpm, apt, dnf, zypper, sample, real, or a host name (debian-12). A leading `-` excludes; a list of exclusions means
 * everywhere else.
 */
const place = z
  .string()
  .regex(/^-?[a-z][a-z0-9.-]*$/, 'deb, rpm, apt, dnf, zypper, sample, real or a host (debian-12)');

/** A parsed step. */
export type Step = {
  readonly title: string | undefined;
  /** Where the step applies; undefined means everywhere. */
  readonly on: readonly string[] | undefined;
} & ({ readonly kind: 'action'; readonly action: Action } | { readonly kind: 'check'; readonly check: Check });

const VERBS: Readonly<Record<string, z.ZodObject>> = { ...actions, ...checks };

/** Verbs can be keys of other verbs (`unit` of `remember-process`). Returns the verb that accepts the other ones as keys. */
function verbOf(record: Readonly<Record<string, unknown>>): string | undefined {
  const named = Object.keys(record).filter((key) => key in VERBS);
  return named.find((verb) => named.every((other) => other in (VERBS[verb]?.shape ?? {}))) ?? named[0];
}

const step = z.record(z.string(), z.unknown()).transform((record, context): Step => {
  const verb = verbOf(record);
  if (verb === undefined) {
    const names = Object.keys(VERBS).join(', ');
    context.addIssue({ code: 'custom', message: `a step needs one of ${names}` });
    return z.NEVER;
  }
  const { title, on, ...rest } = record;
  const parsedCommon = z.strictObject({ title: z.string().optional(), on: oneOrMore(place).optional() }).safeParse({
    ...(title === undefined ? {} : { title }),
    ...(on === undefined ? {} : { on }),
  });
  const parsedVerb = VERBS[verb]?.safeParse(rest);
  const issues = [...(parsedCommon.error?.issues ?? []), ...(parsedVerb?.error?.issues ?? [])];
  // Paths of issues are relative to the step.
  for (const issue of issues) context.issues.push({ ...issue, input: record } as never);
  if (!parsedCommon.success || parsedVerb?.success !== true) return z.NEVER;
  for (const { message, path } of misusedPlaceholders(rest)) context.addIssue({ code: 'custom', message, path });
  const parsed = { verb, ...(parsedVerb.data as object) };
  return {
    title: parsedCommon.data.title,
    on: parsedCommon.data.on,
    ...(verb in actions
      ? { kind: 'action', action: parsed as unknown as Action }
      : { kind: 'check', check: parsed as unknown as Check }),
  };
});

function misusedPlaceholders(rest: Readonly<Record<string, unknown>>): { message: string; path: string[] }[] {
  return Object.entries(rest).flatMap(([key, value]) =>
    textsOf(value)
      .flatMap(placeholdersOf)
      .flatMap((use) => {
        const sets: readonly string[] = PACKAGE_SETS;
        if (!(use.name in PLACEHOLDERS)) {
          return [
            {
              message: `unknown placeholder {${use.name}}; expected one of ${Object.keys(PLACEHOLDERS).join(', ')}`,
              path: [key],
            },
          ];
        }
        if (use.set !== undefined && !sets.includes(use.set)) {
          return [{ message: `unknown package set ${use.set}; expected one of ${sets.join(', ')}`, path: [key] }];
        }
        return use.name === 'file' && use.package === undefined
          ? [{ message: 'name the package: {file:kubelet}', path: [key] }]
          : [];
      }),
  );
}

/** One file of packaging/scenarios. */
export const scenarioSchema = z.strictObject({
  /** What happens on the host; one line, no full stop. */
  title: z.string().min(1),
  group: z.enum(GROUPS),
  /** The fault that the scenario detects; one or two sentences. */
  why: z.string().min(1),
  /** Where the scenario applies; everywhere by default. */
  hosts: z
    .strictObject({
      formats: oneOrMore(z.enum(FORMATS)).optional(),
      managers: oneOrMore(z.enum(MANAGERS)).optional(),
      payload: z.enum([...PAYLOADS, 'any']).default('any'),
      /** Only these hosts, or with `-debian-11` all others. */
      names: oneOrMore(place).optional(),
    })
    .prefault({}),
  /** Properties of the container. */
  container: z
    .strictObject({
      init: z.enum(['systemd', 'none']).default('systemd'),
      /** Provides cgroup controllers, which a real kubelet needs. */
      controllers: z.boolean().default(false),
      /** Provides {control-plane}; without it the scenario is skipped. */
      'control-plane': z.boolean().default(false),
      /** tmpfs mounts; size such as 512K, 16M. */
      tmpfs: z
        .array(
          z.strictObject({
            path: absolutePath,
            size: z
              .string()
              .regex(/^\d+[KMG]?$/, 'a size: 512K, 16M')
              .optional(),
          }),
        )
        .default([]),
      /** Environment of all commands. */
      environment: z.record(z.string(), z.string()).default({}),
      /** umask of all commands: '077'. */
      umask: z
        .string()
        .regex(/^0?[0-7]{3}$/, "a umask in quotes: '077'")
        .optional(),
    })
    .prefault({}),
  /** Time limit in seconds. */
  timeout: z.number().positive().max(3600).default(240),
  steps: z.array(step).min(1),
});

/** A scenario with its name: the file name without .yaml. */
export interface Scenario extends z.output<typeof scenarioSchema> {
  readonly name: string;
}
