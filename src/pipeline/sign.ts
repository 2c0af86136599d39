import { realpath } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { signDeb } from '../deb/sign.ts';
import { packageFormat } from '../layout/package-format.ts';
import type { Format } from '../model/format.ts';
import { signRpm } from '../rpm/sign.ts';
import type { Signer } from '../sign/signer.ts';
import { KubeparcelError } from '../support/errors.ts';
import { correctChecksums } from './checksums.ts';

export interface SignedPackage {
  readonly path: string;
  readonly format: Format;
  /** Bytes. */
  readonly size: number;
  /** 64 lower-case hex digits. */
  readonly sha256: string;
  /** Kinds of signatures, in the terms of the format. */
  readonly signatures: readonly string[];
}

export interface SignPackagesOptions {
  /** Signature creation time, seconds since 1970-01-01 UTC. */
  readonly date: number;
  readonly headerAndPayload?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onSigned?: ((signed: SignedPackage) => void) | undefined;
}

/**
 * Signs packages in place, in sequence, and updates their lines in SHA256SUMS of their directory. Stops at the first
 * failure; packages that were signed before stay signed.
 *
 * @throws KubeparcelError of kind 'format' for a file that is not a package
 */
export async function signPackages(
  paths: readonly string[],
  signer: Signer,
  { onSigned, ...options }: SignPackagesOptions,
): Promise<SignedPackage[]> {
  const signed: SignedPackage[] = [];
  try {
    for (const path of paths) {
      options.signal?.throwIfAborted();
      const result = await signPackage(path, signer, options);
      signed.push(result);
      onSigned?.(result);
    }
  } finally {
    for (const directory of new Set(signed.map(({ path }) => dirname(path)))) {
      const inDirectory = signed.filter(({ path }) => dirname(path) === directory);
      await correctChecksums(directory, new Map(inDirectory.map((s) => [basename(s.path), s.sha256])));
    }
  }
  return signed;
}

async function signPackage(
  path: string,
  signer: Signer,
  options: Omit<SignPackagesOptions, 'onSigned'>,
): Promise<SignedPackage> {
  const real = await realPath(path);
  const format = await packageFormat(real);
  if (format === 'deb') {
    const { size, sha256 } = await signDeb(real, signer, options);
    return { path, format, size, sha256, signatures: ['debsig'] };
  }
  const { size, sha256, signatures } = await signRpm(real, signer, options);
  return { path, format, size, sha256, signatures };
}

/** Resolves symbolic links, so that signing replaces the target and keeps the link. */
async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (cause) {
    throw new KubeparcelError('io', 'cannot read the package', { where: path, cause });
  }
}
