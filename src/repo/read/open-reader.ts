import { KubeparcelError } from '../../support/errors.ts';
import { directoryReader } from './directory-reader.ts';
import { httpReader } from './http-reader.ts';
import type { RepositoryReader } from './reader.ts';

export interface ReaderOptions {
  /** S3: URL of a storage that is not Amazon's. */
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What a spelling means to readers: `s3://bucket/prefix`, `https://host/path`; anything else is a directory of this machine
 * (`./a:b` where its name has a colon).
 *
 * @throws KubeparcelError of kind 'usage'
 */
export async function openReader(text: string, options: ReaderOptions): Promise<RepositoryReader> {
  if (text.startsWith('s3://')) {
    const { s3Location } = await import('../storage/s3-storage.ts');
    const { s3Reader } = await import('./s3-reader.ts');
    return s3Reader(s3Location(text, options), options.signal);
  }
  if (/^https?:\/\//i.test(text)) return httpReader(text, options.signal);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1] ?? (/^[^/]+:/.test(text) ? 'rsync' : undefined);
  if (scheme !== undefined) {
    throw new KubeparcelError('usage', `nothing is verified over ${scheme}`, {
      where: text,
      hint: 'verify it over https as its clients see it, or on the server itself as a directory',
    });
  }
  return directoryReader(text, options.signal);
}
