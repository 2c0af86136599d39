import { z } from 'zod';
import { type Action, actions } from './actions.ts';
import { type Check, checks } from './checks.ts';
import { absolutePath, PACKAGE_SETS } from './expectation.ts';
import { PLACEHOLDERS, placeholdersOf, textsOf } from './placeholders.ts';

/**
 * A scenario is data: what is done to a host, and what must then be so. packaging/scenarios/NAME.yaml holds one each;
 * the runner does them step by step in a container of its own. docs/testing.md explains every word.
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
 * deb, rpm, apt, dnf, zypper, sample, real, or a host's name (debian-12); `-` in front: not there. One that names only
 * where not means everywhere else.
 */
const place = z
  .string()
  .regex(/^-?[a-z][a-z0-9.-]*$/, 'deb, rpm, apt, dnf, zypper, sample, real or a host (debian-12)');

/** A step as it is run. */
export type Step = {
  readonly title: string | undefined;
  /** Where it is done; everywhere when undefined. */
  readonly on: readonly string[] | undefined;
} & ({ readonly kind: 'action'; readonly action: Action } | { readonly kind: 'check'; readonly check: Check });

const VERBS: Readonly<Record<string, z.ZodObject>> = { ...actions, ...checks };

/** Some verbs are also members of others (unit of remember-process): the verb is the one that has them as members. */
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
  const frame = z.strictObject({ title: z.string().optional(), on: oneOrMore(place).optional() }).safeParse({
    ...(title === undefined ? {} : { title }),
    ...(on === undefined ? {} : { on }),
  });
  const body = VERBS[verb]?.safeParse(rest);
  const issues = [...(frame.error?.issues ?? []), ...(body?.error?.issues ?? [])];
  // Issues carry their path below the step.
  for (const issue of issues) context.issues.push({ ...issue, input: record } as never);
  if (!frame.success || body?.success !== true) return z.NEVER;
  for (const { message, path } of misusedPlaceholders(rest)) context.addIssue({ code: 'custom', message, path });
  const parsed = { verb, ...(body.data as object) };
  return {
    title: frame.data.title,
    on: frame.data.on,
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
              message: `no such placeholder: {${use.name}}; there is ${Object.keys(PLACEHOLDERS).join(', ')}`,
              path: [key],
            },
          ];
        }
        if (use.set !== undefined && !sets.includes(use.set)) {
          return [{ message: `no such set of packages: ${use.set}; there is ${sets.join(', ')}`, path: [key] }];
        }
        return use.name === 'file' && use.package === undefined
          ? [{ message: 'say of which package: {file:kubelet}', path: [key] }]
          : [];
      }),
  );
}

/** One file of packaging/scenarios. */
export const scenarioSchema = z.strictObject({
  /** What the host goes through, one line, no full stop. */
  title: z.string().min(1),
  group: z.enum(GROUPS),
  /** The fault that it looks for, one or two sentences. */
  why: z.string().min(1),
  /** Where it makes sense; everywhere by default. */
  hosts: z
    .strictObject({
      formats: oneOrMore(z.enum(FORMATS)).optional(),
      managers: oneOrMore(z.enum(MANAGERS)).optional(),
      payload: z.enum([...PAYLOADS, 'any']).default('any'),
      /** Only these hosts; or `-debian-11`: all but these. */
      names: oneOrMore(place).optional(),
    })
    .prefault({}),
  /** What the container must be. */
  container: z
    .strictObject({
      init: z.enum(['systemd', 'none']).default('systemd'),
      /** cgroup controllers, which a real kubelet needs. */
      controllers: z.boolean().default(false),
      /** The directory {control-plane} is there; without one the scenario is left out. */
      'control-plane': z.boolean().default(false),
      /** Memory file systems; size such as 512K, 16M. */
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
      /** Of every command of the scenario: LANG, ... */
      environment: z.record(z.string(), z.string()).default({}),
      /** Of every command of the scenario: '077'. */
      umask: z
        .string()
        .regex(/^0?[0-7]{3}$/, "a umask in quotes: '077'")
        .optional(),
    })
    .prefault({}),
  /** Seconds after which it is ended. */
  timeout: z.number().positive().max(3600).default(240),
  steps: z.array(step).min(1),
});

/** A scenario and its name, that of its file without .yaml. */
export interface Scenario extends z.output<typeof scenarioSchema> {
  readonly name: string;
}
