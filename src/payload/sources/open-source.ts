import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ARCHITECTURES } from '../../model/architecture.ts';
import type { Source } from '../../release/source.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { isErrno } from '../../support/file-system.ts';
import { openBinariesSource } from './binaries-source.ts';
import { createDirectoryTransport } from './directory-transport.ts';
import type { HttpOptions } from './http-transport.ts';
import { openLocal } from './local-file.ts';
import { openSampleSource } from './sample-source.ts';
import { createServerSource } from './server-source.ts';
import { loadUrlLayout, type ServerBases, withBases, withMirror } from './url-layout.ts';

export interface OpenSourceOptions {
  /** The packaging directory: sources.yaml and sample/. */
  readonly packaging: string;
  /** Base URLs that override those of sources.yaml and of a mirror. */
  readonly bases?: ServerBases | undefined;
  /** Trusted SHA-256 (hex) by artifact URL, for artifacts without a published digest. */
  readonly digests?: ReadonlyMap<string, string> | undefined;
  readonly http?: HttpOptions | undefined;
}

/**
 * Opens the source that --source names: `servers`, `sample`, the URL of a mirror, or the path of a bundle, a copy of the
 * servers or a directory of binaries. For a directory named `sample`, pass ./sample.
 *
 * @throws KubeparcelError: 'usage' for anything else, and the errors of the source itself
 */
export async function openSource(argument: string, options: OpenSourceOptions): Promise<Source> {
  if (argument === 'sample') return openSampleSource(join(options.packaging, 'sample'));
  const published = await loadUrlLayout(options.packaging);
  const isUrl = /^https?:\/\//i.test(argument);
  const layout = withBases(isUrl ? withMirror(published, argument) : published, options.bases ?? {});
  const { digests } = options;
  if (isUrl || argument === 'servers') {
    // Loading the HTTP library takes time, and other sources do not need it.
    const { HttpTransport } = await import('./http-transport.ts');
    return createServerSource({ name: argument, layout, digests, transport: new HttpTransport(options.http) });
  }
  const names = await namesIn(argument);
  if (names === undefined) return openBundleFile(argument);
  if (names.includes('SHA256SUMS') || ARCHITECTURES.some((architecture) => names.includes(architecture))) {
    return openBinariesSource(argument);
  }
  const topNames = [
    layout.channels.path.split('/')[0] ?? '',
    ...Object.values(layout.servers).map((url) => new URL(url).host),
  ];
  if (topNames.some((top) => names.includes(top))) {
    return createServerSource({
      name: argument,
      layout,
      digests,
      transport: createDirectoryTransport(argument, layout),
    });
  }
  throw new KubeparcelError('usage', 'the directory does not look like a release', {
    where: argument,
    hint:
      'use a directory with ARCH/kubeadm, ARCH/kubelet, ARCH/kubectl, ARCH/crictl, ARCH/cni/* and SHA256SUMS, ' +
      'or with the paths of the servers: release/v1.X.Y/bin/linux/ARCH/...',
  });
}

/** The names in a directory; undefined for a file. */
async function namesIn(path: string): Promise<readonly string[] | undefined> {
  try {
    return await readdir(path);
  } catch (cause) {
    if (isErrno(cause, 'ENOTDIR')) return undefined;
    if (isErrno(cause, 'ENOENT')) {
      throw new KubeparcelError('usage', `no such source: ${JSON.stringify(path)}`, {
        hint: 'use servers, sample, the URL of a mirror, a directory or a bundle',
        cause,
      });
    }
    throw new KubeparcelError('io', 'cannot read the source', { where: path, cause });
  }
}

async function openBundleFile(path: string): Promise<Source> {
  const { openBundle, startsAsBundle } = await import('./bundle.ts');
  const opened = await openLocal(path);
  const head = (await opened?.bytes.read(0, 512)) ?? Buffer.alloc(0);
  await opened?.file.close();
  if (!startsAsBundle(head)) {
    throw new KubeparcelError('usage', 'the file is not a kubeparcel bundle', {
      where: path,
      hint: 'create a bundle with kubeparcel fetch --bundle, or use a directory',
    });
  }
  return openBundle(path);
}
