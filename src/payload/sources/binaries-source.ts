import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Artifact } from '../../release/release.ts';
import type { ComponentRequest, FoundRelease, Source } from '../../release/source.ts';
import { formatVersionRequest, isSatisfiedBy, type VersionRequest } from '../../release/version-request.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { isErrno } from '../../support/file-system.ts';
import { shellWord } from '../../support/shell-words.ts';
import { parseValidatedYaml } from '../../support/validated-yaml.ts';
import { parseDigestList } from './digest-file.ts';
import { openLocal, readLocalText, transferLocal } from './local-file.ts';

const DIGESTS = 'SHA256SUMS';
const RELEASE_FILE = 'release.yaml';
const SCHEME = 'folder:';
const MAX_LIST_BYTES = 1 << 20;

const version = z.string().regex(/^\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?$/, 'a version such as 1.36.4, in quotes');
const releaseSchema = z.strictObject({
  kubernetes: version.optional(),
  cniPlugins: version.optional(),
  criTools: version.optional(),
  date: z
    .union([z.iso.datetime(), z.iso.date()], { error: 'a date such as 2026-08-12 or 2026-08-12T10:00:00Z' })
    .optional(),
});

/**
 * A directory of plain binaries: `ARCH/{kubeadm,kubelet,kubectl,crictl}` and `ARCH/cni/*`, with digests in SHA256SUMS
 * (sha256sum(1)) and optional versions and date in release.yaml.
 *
 * @throws KubeparcelError: 'config' for a malformed SHA256SUMS or release.yaml; 'verification' when SHA256SUMS is missing
 */
export async function openBinariesSource(directory: string): Promise<Source> {
  const list = await readLocalText(join(directory, DIGESTS), MAX_LIST_BYTES);
  if (list === undefined) {
    throw new KubeparcelError('verification', `the directory has no ${DIGESTS}`, {
      where: directory,
      hint: hintSha256sum(directory),
    });
  }
  const digests = parseDigestList(list, join(directory, DIGESTS));
  const text = await readLocalText(join(directory, RELEASE_FILE), MAX_LIST_BYTES);
  const stated = text === undefined ? {} : parseValidatedYaml(text, releaseSchema, join(directory, RELEASE_FILE));

  const artifact = async (request: ComponentRequest, path: string, name: string): Promise<Artifact> => {
    const where = join(directory, path);
    const opened = await openLocal(where);
    if (opened === undefined) {
      throw new KubeparcelError('io', `the directory has no ${request.component} for ${request.architecture}`, {
        where,
      });
    }
    await opened.file.close();
    const sha256 = digests.get(path);
    if (sha256 === undefined) {
      throw new KubeparcelError('verification', `${DIGESTS} has no digest of ${path}`, {
        where,
        hint: hintSha256sum(directory),
      });
    }
    return { ...request, packing: 'plain', name, url: `${SCHEME}${path}`, sha256, size: opened.bytes.size };
  };

  return {
    name: directory,
    close: async () => {},
    find: async (request) => findRelease(request, stated, directory),
    async artifacts(request) {
      const { component, architecture } = request;
      if (component !== 'cni-plugins') return [await artifact(request, `${architecture}/${component}`, component)];
      const path = `${architecture}/cni`;
      const names = await fileNames(join(directory, path));
      return allOf(names.map((name) => artifact(request, `${path}/${name}`, name)));
    },
    async transfer({ url }, sink, context) {
      const path = url.startsWith(SCHEME) ? url.slice(SCHEME.length) : undefined;
      if (path === undefined || path.split('/').some((part) => part === '' || part === '.' || part === '..')) {
        throw new KubeparcelError('config', 'the directory of binaries cannot have this artifact', {
          where: url,
          hint: 'use the source that the lock was created from',
        });
      }
      const opened = await openLocal(join(directory, path));
      if (opened === undefined) {
        throw new KubeparcelError('io', 'the file does not exist', { where: join(directory, path) });
      }
      await transferLocal(opened, sink, context);
    },
  };
}

function findRelease(request: VersionRequest, stated: z.output<typeof releaseSchema>, directory: string): FoundRelease {
  const kubernetes = stated.kubernetes ?? (request.kind === 'exact' ? request.version : undefined);
  if (kubernetes === undefined) {
    throw new KubeparcelError(
      'usage',
      `the directory does not state its version, which ${formatVersionRequest(request)} needs`,
      {
        where: directory,
        hint: `give an exact version, such as 1.36.4, or write it to ${join(directory, RELEASE_FILE)} (kubernetes: "1.36.4")`,
      },
    );
  }
  if (!isSatisfiedBy(request, kubernetes)) {
    throw new KubeparcelError('usage', `the directory has ${kubernetes}, not ${formatVersionRequest(request)}`, {
      where: join(directory, RELEASE_FILE),
      hint: `build ${kubernetes}, or correct the file`,
    });
  }
  return {
    version: kubernetes,
    date: stated.date === undefined ? undefined : Math.floor(Date.parse(stated.date) / 1000),
    pins: { cniPlugins: stated.cniPlugins, criTools: stated.criTools },
  };
}

/** Like Promise.all, but throws the first failure in the order of the list, so that messages do not depend on timing. */
async function allOf<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}

async function fileNames(directory: string): Promise<readonly string[]> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (cause) {
    const missing = isErrno(cause, 'ENOENT') || isErrno(cause, 'ENOTDIR');
    throw new KubeparcelError('io', missing ? 'the directory has no CNI plugins' : 'cannot read the directory', {
      where: directory,
      cause,
    });
  }
  const invalid = names.find((name) => !/^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/.test(name));
  if (invalid !== undefined) {
    throw new KubeparcelError('format', `not the name of a CNI plugin: ${JSON.stringify(invalid)}`, {
      where: directory,
      hint: 'move the file out of this directory',
    });
  }
  return names.sort();
}

function hintSha256sum(directory: string): string {
  return `if you trust these files, run: (cd ${shellWord(directory)} && find . -type f ! -name ${DIGESTS} -exec sha256sum {} + > ${DIGESTS})`;
}
