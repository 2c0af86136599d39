import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { loadCatalog } from '../../catalog/catalog.ts';
import { fingerprintOf, readCertificates, userIdOf } from '../../sign/certificate.ts';
import { withLock } from '../../support/lock.ts';
import { writeAtomically } from '../../support/write-atomically.ts';
import { indexText, type RepositoryIndex } from '../model/index-file.ts';
import { lockPath, publicKeyPath, type RepositoryState } from '../model/repository.ts';
import { RecordCache } from '../records/record-cache.ts';
import { openState } from '../transaction/state.ts';
import { loadClients } from './clients.ts';
import { siteModel } from './model.ts';
import { renderSite, SITE_DIRECTORY, type SigningKeyOnSite } from './render-site.ts';

/**
 * Writes the site into a repository: index.html and the directory site/. A page that nothing is left of goes.
 *
 * @param url where the repository will be
 * @returns paths of all pages, relative to the repository
 * @throws KubeparcelError of kind 'usage' for a directory that is no repository
 */
export async function writeSite(
  directory: string,
  url: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<string[]> {
  await openState(directory);
  return withLock(lockPath(directory), 'the repository', async () => {
    const state = await openState(directory);
    const index = JSON.parse(indexText(state)) as RepositoryIndex;
    const pages = await renderSite({
      model: siteModel(index, await new RecordCache(directory).recordsOf(state.packages, options)),
      clients: await loadClients(await loadCatalog()),
      keys: await keysOf(directory, state),
      url: url.replace(/\/+$/, ''),
    });
    for (const { path, text } of pages) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeAtomically(join(directory, path), [Buffer.from(text)]);
    }
    const kept = new Set(pages.map(({ path }) => path));
    for (const name of await readdir(join(directory, SITE_DIRECTORY), { recursive: true, withFileTypes: true })) {
      const path = join(name.parentPath, name.name);
      if (name.isFile() && !kept.has(path.slice(join(directory, '/').length))) await rm(path);
    }
    return [...kept];
  });
}

/** The keys that signed, from the public keys that go with the indices. */
async function keysOf(directory: string, state: RepositoryState): Promise<SigningKeyOnSite[]> {
  const keys = new Map<string, SigningKeyOnSite>();
  for (const view of state.views.filter(({ signedBy }) => signedBy.length > 0)) {
    const path = publicKeyPath(view);
    for (const certificate of await readCertificates(await readFile(join(directory, path)), path)) {
      const fingerprint = fingerprintOf(certificate);
      if (!keys.has(fingerprint)) keys.set(fingerprint, { fingerprint, userId: await userIdOf(certificate) });
    }
  }
  return [...keys.values()];
}
