import { KubeparcelError } from '../../support/errors.ts';
import { openDirectoryReader } from './directory-reader.ts';
import { HttpReader } from './http-reader.ts';
import type { RepositoryReader } from './reader.ts';

export interface ReaderOptions {
  /** S3: URL of a storage other than AWS. */
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens `s3://bucket/prefix`, `https://host/path` or a local directory (`./a:b` if its name contains a colon).
 *
 * @throws KubeparcelError of kind 'usage'
 */
export async function openReader(text: string, options: ReaderOptions): Promise<RepositoryReader> {
  if (text.startsWith('s3://')) {
    const { s3Location } = await import('../storage/s3-storage.ts');
    const { S3Reader } = await import('./s3-reader.ts');
    return new S3Reader(s3Location(text, options), options.signal);
  }
  if (/^https?:\/\//i.test(text)) return new HttpReader(text, options.signal);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1] ?? (/^[^/]+:/.test(text) ? 'rsync' : undefined);
  if (scheme !== undefined) {
    throw new KubeparcelError('usage', `cannot verify a repository over ${scheme}`, {
      where: text,
      hint: 'verify it over https as its clients see it, or as a directory on the server',
    });
  }
  return openDirectoryReader(text, options.signal);
}
