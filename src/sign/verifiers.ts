import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { packageRoot } from '../support/package-root.ts';
import { parseValidatedYaml } from '../support/validated-yaml.ts';

const FAMILIES = ['rsa', 'ed25519', 'ecdsa', 'dsa'] as const;

const verifiersSchema = z.strictObject({
  verifiers: z
    .array(
      z.strictObject({
        id: z.string().regex(/^[a-z0-9.-]+$/),
        name: z.string().min(1),
        algorithms: z.array(z.enum(FAMILIES)).min(1),
        'rsa-bits': z.int().positive(),
        subkeys: z.boolean(),
        critical: z.boolean(),
        sha1: z.union([z.boolean(), z.iso.date()]),
      }),
    )
    .min(1),
});

/** A program on hosts that checks signatures: packaging/verifiers.yaml says what each takes. */
export type Verifier = z.output<typeof verifiersSchema>['verifiers'][number];

/** @throws KubeparcelError of kind 'config' for data that says something else than it must */
export async function loadVerifiers(
  directory: string = join(packageRoot(), 'packaging'),
): Promise<readonly Verifier[]> {
  const path = join(directory, 'verifiers.yaml');
  return parseValidatedYaml(await readFile(path, 'utf8'), verifiersSchema, path).verifiers;
}
