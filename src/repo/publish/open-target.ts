import { KubeparcelError } from '../../support/errors.ts';
import { directoryTarget } from './directory-target.ts';
import { rsyncTarget } from './rsync-target.ts';
import type { PublishTarget } from './target.ts';

interface TargetOptions {
  /** S3: URL of a storage that is not Amazon's. */
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
}

/**
 * What a target's spelling means: `s3://bucket/prefix`; `rsync://host/module/path` or `user@host:path` over rsync;
 * anything else is a directory of this machine (`./a:b` where its name has a colon).
 *
 * @throws KubeparcelError of kind 'usage'
 */
export async function openTarget(text: string, options: TargetOptions = {}): Promise<PublishTarget> {
  if (text.startsWith('s3://')) {
    const { s3Location } = await import('../storage/s3-storage.ts');
    const { s3Target } = await import('./s3-target.ts');
    return s3Target(s3Location(text, options));
  }
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1];
  if (scheme !== undefined && scheme !== 'rsync') {
    throw new KubeparcelError('usage', `nothing is published over ${scheme}`, {
      where: text,
      hint: 'name a directory, s3://BUCKET/PREFIX, rsync://HOST/MODULE/PATH or USER@HOST:PATH',
    });
  }
  // As rsync itself tells a host from a directory: a colon before any slash.
  return scheme === 'rsync' || /^[^/]+:/.test(text) ? rsyncTarget(text) : directoryTarget(text);
}
