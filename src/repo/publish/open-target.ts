import { KubeparcelError } from '../../support/errors.ts';
import { DirectoryTarget } from './directory-target.ts';
import { RsyncTarget } from './rsync-target.ts';
import type { PublishTarget } from './target.ts';

interface TargetOptions {
  /** S3: URL of a storage other than AWS. */
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
}

/**
 * Opens `s3://bucket/prefix`, `rsync://host/module/path`, `user@host:path` (rsync) or a local directory (`./a:b` if its
 * name contains a colon).
 *
 * @throws KubeparcelError of kind 'usage'
 */
export async function openTarget(text: string, options: TargetOptions = {}): Promise<PublishTarget> {
  if (text.startsWith('s3://')) {
    const { s3Location } = await import('../storage/s3-storage.ts');
    const { S3Target } = await import('./s3-target.ts');
    return new S3Target(s3Location(text, options));
  }
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1];
  if (scheme !== undefined && scheme !== 'rsync') {
    throw new KubeparcelError('usage', `cannot publish over ${scheme}`, {
      where: text,
      hint: 'use a directory, s3://BUCKET/PREFIX, rsync://HOST/MODULE/PATH or USER@HOST:PATH',
    });
  }
  // Like rsync, treat a colon before the first slash as the end of a host name.
  return scheme === 'rsync' || /^[^/]+:/.test(text) ? new RsyncTarget(text) : new DirectoryTarget(text);
}
