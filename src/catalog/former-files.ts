import { z } from 'zod';

/** A file of former or vendor packages that conflicts with a file of ours. */
export interface FormerFile {
  readonly path: string;
  /** Digests of all shipped versions: 64 lower-case hex digits. */
  readonly sha256: readonly string[];
}

const digest = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256: 64 lower-case hex digits');

/** former-files.yaml */
export const formerFilesSchema = z.strictObject({
  files: z.array(
    z
      .strictObject({
        path: z.string().regex(/^(\/[A-Za-z0-9_][A-Za-z0-9+._-]*)+$/, 'expected an absolute path'),
        texts: z.array(z.strictObject({ sha256: digest, from: z.string().min(1) })).min(1),
      })
      .transform(({ path, texts }): FormerFile => ({ path, sha256: texts.map(({ sha256 }) => sha256) })),
  ),
});
