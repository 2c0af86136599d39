import { join } from 'node:path';
import { KubeparcelError } from '../../support/errors.ts';
import { openLocal, readLocalText, transferLocal } from './local-file.ts';
import { MAX_TEXT_BYTES, type Transport } from './transport.ts';
import { pathBelowBases, type UrlLayout } from './url-layout.ts';

/**
 * Reads a directory with the paths of the release servers (`release/v1.36.4/bin/linux/amd64/kubelet`), with or without
 * a directory for each host, as `wget --recursive` creates it.
 */
export function createDirectoryTransport(directory: string, layout: UrlLayout): Transport {
  const candidates = (url: string): readonly string[] => {
    const path = pathBelowBases(layout, url);
    if (path === undefined || path.split('/').some((part) => part === '' || part === '.' || part === '..')) {
      throw new KubeparcelError('config', 'the directory is not a copy of this server', {
        where: url,
        hint: 'use the source that the lock was created from',
      });
    }
    return [join(directory, path), join(directory, new URL(url).host, path)];
  };
  const open = async (url: string) => {
    for (const path of candidates(url)) {
      const opened = await openLocal(path);
      if (opened !== undefined) return opened;
    }
    return undefined;
  };
  return {
    async text(url) {
      for (const path of candidates(url)) {
        const text = await readLocalText(path, MAX_TEXT_BYTES);
        if (text !== undefined) return text;
      }
      return undefined;
    },
    async probe(url) {
      const opened = await open(url);
      await opened?.file.close();
      // The mtime of a copy may be the time of copying.
      return { found: opened !== undefined, date: undefined };
    },
    async transfer({ url }, sink, context) {
      const opened = await open(url);
      if (opened === undefined) {
        throw new KubeparcelError('io', 'the directory has no such file', {
          where: candidates(url)[0] ?? directory,
          hint: `copy ${url} to this path`,
        });
      }
      await transferLocal(opened, sink, context);
    },
    close: async () => {},
  };
}
