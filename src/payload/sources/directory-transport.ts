import { join } from 'node:path';
import { KubeparcelError } from '../../support/errors.ts';
import { copyToSink, openLocal, readLocalText } from './local-file.ts';
import { MAX_TEXT_BYTES, type Transport } from './transport.ts';
import { pathBelowBases, type UrlLayout } from './url-layout.ts';

/**
 * Reads a directory in the shape of the release servers: below it their paths (`release/v1.36.4/bin/linux/amd64/kubelet`),
 * with or without a directory of the host's name before them, as `wget --recursive` makes it.
 */
export function createDirectoryTransport(directory: string, layout: UrlLayout): Transport {
  const candidates = (url: string): readonly string[] => {
    const path = pathBelowBases(layout, url);
    if (path === undefined || path.split('/').some((part) => part === '' || part === '.' || part === '..')) {
      throw new KubeparcelError('config', 'not on one of the release servers that the directory is a copy of', {
        where: url,
        hint: 'use the source that the lock was made from',
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
      // A copy's time says when it was copied.
      return { found: opened !== undefined, date: undefined };
    },
    async transfer({ url }, sink, context) {
      const opened = await open(url);
      if (opened === undefined) {
        throw new KubeparcelError('io', 'the directory has no such file', {
          where: candidates(url)[0] ?? directory,
          hint: `copy ${url} there`,
        });
      }
      try {
        await copyToSink(opened.bytes, 0, opened.bytes.size, sink, context);
      } finally {
        await opened.file.close();
      }
    },
    close: async () => {},
  };
}
