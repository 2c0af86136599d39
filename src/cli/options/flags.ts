import type { Argv, CommandModule } from 'yargs';
import { KubeparcelError } from '../../support/errors.ts';

/** Types the arguments of `handler` by what `builder` declares. */
export function defineCommand<T>(module: CommandModule<object, T>): CommandModule<object, T> {
  return module;
}

/** The arguments that a function like `releaseOptions` declares. */
export type ArgumentsOf<F> = F extends (yargs: Argv) => Argv<infer T> ? T : never;

/** A flag with one value. The last one wins, so that the flags of a script can be overridden. */
export const VALUE = { type: 'string', requiresArg: true, coerce: last<string> } as const;
export const NUMBER = { type: 'number', requiresArg: true, coerce: last<number> } as const;

export function choice<const T extends string>(known: readonly T[]) {
  return { ...VALUE, choices: known, coerce: last<T> } as const;
}

function last<T>(value: T | T[]): T {
  return Array.isArray(value) ? (value.at(-1) as T) : value;
}

/**
 * A flag with several values: `--arch amd64,arm64` is the same as `--arch amd64 --arch arm64`. It takes one word, so
 * that RELEASE can follow.
 */
export const LIST = {
  type: 'string',
  array: true,
  nargs: 1,
  requiresArg: true,
  coerce: (words: string[] | undefined) => words?.flatMap((word) => word.split(',')).filter((word) => word !== ''),
} as const;

export function choices<const T extends string>(known: readonly T[]) {
  return {
    ...LIST,
    choices: known,
    coerce: (words: string[] | undefined) => LIST.coerce(words) as T[] | undefined,
  } as const;
}

/** A flag without a value, false by default. */
export function toggle(describe: string) {
  return { type: 'boolean', default: false, describe } as const;
}

export const CONFIG = {
  ...VALUE,
  describe: 'Configuration file',
  defaultDescription: 'kubeparcel.yaml if present',
} as const;

export const JSON_LINES = toggle('Print JSON lines');
export const JSON_OUTPUT = toggle('Print JSON');

export const IMAGES = {
  ...choice(['auto', 'vendor', 'local']),
  default: 'auto',
  describe: "Use the vendor's images, local builds, or (auto) either",
} as const;

export const ENDPOINT = { ...VALUE, describe: "URL of S3 storage other than Amazon's" } as const;
export const REGION = {
  ...VALUE,
  describe: 'Region of the bucket',
  defaultDescription: 'from the environment',
} as const;

/**
 * Checks the number that a flag was given.
 *
 * @throws KubeparcelError of kind 'usage' unless it is undefined or a whole number of at least `min`
 */
export function checkWholeNumber(flag: string, value: number | undefined, min: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= min)) return;
  throw new KubeparcelError('usage', 'invalid number', {
    where: `--${flag}`,
    hint: `expected a whole number of at least ${min}`,
  });
}
