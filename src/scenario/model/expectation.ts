import { z } from 'zod';

/** Which build of the five packages a step means; docs/testing.md says how each comes to be. */
export const PACKAGE_SETS = [
  'current',
  'previous-patch',
  'previous-minor',
  'next-revision',
  'official',
  'official-legacy',
] as const;
export type PackageSet = (typeof PACKAGE_SETS)[number];

const someTexts = z
  .union([z.string(), z.array(z.string()).min(1)], 'a text, or a list of them')
  .transform((texts) => (typeof texts === 'string' ? [texts] : texts));

const regularExpression = z.string().superRefine((source, context) => {
  try {
    new RegExp(source, 'm');
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
  }
});

const wholeText = z.strictObject({
  /** But for line breaks at the end. */
  equals: z.string().optional(),
  contains: someTexts.optional(),
  lacks: someTexts.optional(),
  /** JavaScript regular expressions with the flag m. */
  matches: z
    .union([regularExpression, z.array(regularExpression).min(1)])
    .transform((sources) => (typeof sources === 'string' ? [sources] : sources))
    .optional(),
});

/** A text that must be so: `active` is short for `{ equals: active }`. */
export const textExpectation = z.preprocess(
  (value) => (typeof value === 'string' || typeof value === 'number' ? { equals: String(value) } : value),
  wholeText,
);
export type TextExpectation = z.output<typeof textExpectation>;

/** `all`, a name or a list of names of packages; names are in the words of packaging/packages. */
export const packageNames = z
  .union([z.string(), z.array(z.string()).min(1)], 'all, a package, or a list of packages')
  .transform((names) => (names === 'all' ? ('all' as const) : typeof names === 'string' ? [names] : names));

export const packageSet = z.enum(PACKAGE_SETS);
/** Also a repository with nothing in it. */
export const packageSetOrNone = z.enum([...PACKAGE_SETS, 'none']);
/** Program and arguments; nothing of it passes through a shell. */
export const command = z.array(z.coerce.string()).min(1);
export const seconds = z.number().positive().max(3600);
export const absolutePath = z.string().regex(/^(\/|\{)/, 'an absolute path');
export const mode = z.string().regex(/^0?[0-7]{3,4}$/, "permission bits in quotes: '0644'");
export const unitName = z
  .string()
  .min(1)
  .transform((name) => (/\.[a-z]+$/.test(name) ? name : `${name}.service`));
