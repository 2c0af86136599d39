import { z } from 'zod';

/** Sets of the five packages that steps can use; described in docs/testing.md. */
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
  /** Ignores trailing line breaks. */
  equals: z.string().optional(),
  contains: someTexts.optional(),
  lacks: someTexts.optional(),
  /** JavaScript regular expressions with the flag m. */
  matches: z
    .union([regularExpression, z.array(regularExpression).min(1)])
    .transform((sources) => (typeof sources === 'string' ? [sources] : sources))
    .optional(),
});

/** An expected text; `active` is short for `{ equals: active }`. */
export const textExpectation = z.preprocess(
  (value) => (typeof value === 'string' || typeof value === 'number' ? { equals: String(value) } : value),
  wholeText,
);
export type TextExpectation = z.output<typeof textExpectation>;

/** `all`, a package name or a list of names, as in packaging/packages. */
export const packageNames = z
  .union([z.string(), z.array(z.string()).min(1)], 'all, a package, or a list of packages')
  .transform((names) => (names === 'all' ? ('all' as const) : typeof names === 'string' ? [names] : names));

export const packageSet = z.enum(PACKAGE_SETS);
/** `none` is an empty repository. */
export const packageSetOrNone = z.enum([...PACKAGE_SETS, 'none']);
/** Program and arguments, without a shell. */
export const command = z.array(z.coerce.string()).min(1);
export const seconds = z.number().positive().max(3600);
export const absolutePath = z.string().regex(/^(\/|\{)/, 'an absolute path');
export const mode = z.string().regex(/^0?[0-7]{3,4}$/, "permission bits in quotes: '0644'");
export const unitName = z
  .string()
  .min(1)
  .transform((name) => (/\.[a-z]+$/.test(name) ? name : `${name}.service`));
