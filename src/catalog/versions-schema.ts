import { z } from 'zod';
import { generatorKeys } from './generator-schema.ts';
import type { PackageDefinition } from './package-schema.ts';
import { unmetRelations } from './pins.ts';
import { bound, coveringRanges } from './range-schema.ts';
import type { Span } from './ranges.ts';

const minor = z
  .string("put a version in quotes, as '1.30': YAML reads 1.30 as the number 1.3")
  .regex(/^1\.\d{1,3}$/, "expected a minor of Kubernetes, such as '1.36'");

const minors = z
  .array(z.strictObject({ minor, released: z.iso.date() }))
  .min(1)
  .superRefine((list, context) => {
    for (const [index, { minor: current }] of list.entries()) {
      const previous = list[index - 1]?.minor;
      const expected = previous === undefined ? current : `1.${Number(previous.slice(2)) + 1}`;
      if (current !== expected) {
        context.addIssue({ code: 'custom', path: [index, 'minor'], message: `${expected} must follow ${previous}` });
      }
    }
  });

const componentVersion = z
  .string()
  .regex(/^\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?$/, 'expected a version such as 1.36.0, without v');

/** The minors in versions.yaml. */
export const minorsSchema = z.looseObject({ minors });

/** Schema of versions.yaml. Also checks that the pins satisfy the relations of the packages. */
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
        for (const message of unmetRelations(packages, range, {
          criTools: range['cri-tools'],
          cniPlugins: range['cni-plugins'],
        })) {
          context.addIssue({ code: 'custom', path: [index, 'since'], message });
        }
      }
    }),
  });
}
