import { z } from 'zod';
import { generatorKeys } from './generator-schema.ts';
import type { PackageDefinition } from './package-schema.ts';
import { bound, coveringRanges } from './range-schema.ts';
import type { Span } from './ranges.ts';
import { unmetByPins } from './unmet-relations.ts';

export interface Minor {
  readonly minor: string;
  /** The day of X.Y.0, YYYY-MM-DD. */
  readonly released: string;
}

const minor = z
  .string("put a version in quotes, as '1.30': YAML reads 1.30 as the number 1.3")
  .regex(/^1\.\d{1,3}$/, "a minor of Kubernetes, as '1.36'");

const minors = z
  .array(z.strictObject({ minor, released: z.iso.date() }))
  .min(1)
  .superRefine((list, context) => {
    for (const [index, { minor: found }] of list.entries()) {
      const before = list[index - 1]?.minor;
      const wanted = before === undefined ? found : `1.${Number(before.slice(2)) + 1}`;
      if (found !== wanted) {
        context.addIssue({ code: 'custom', path: [index, 'minor'], message: `${wanted} must follow ${before}` });
      }
    }
  });

const componentVersion = z.string().regex(/^\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?$/, 'a version such as 1.36.0, without v');

/** The part of versions.yaml that says which minors there are. */
export const minorsSchema = z.looseObject({ minors });

/** versions.yaml as a whole, held against what the packages ask of each other. */
export function versionsSchema(span: Span, packages: readonly PackageDefinition[]) {
  const pin = z.strictObject({
    since: bound,
    until: bound.optional(),
    'cri-tools': componentVersion,
    'cni-plugins': componentVersion,
  });
  return z.strictObject({
    minors,
    ...generatorKeys(span),
    pins: coveringRanges(pin, span).superRefine((pins, context) => {
      for (const [index, range] of pins.entries()) {
        for (const message of unmetByPins(packages, range, {
          criTools: range['cri-tools'],
          cniPlugins: range['cni-plugins'],
        })) {
          context.addIssue({ code: 'custom', path: [index, 'since'], message });
        }
      }
    }),
  });
}
