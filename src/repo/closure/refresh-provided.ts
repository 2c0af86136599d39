import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { loadCatalog } from '../../catalog/catalog.ts';
import { findDistribution } from '../../catalog/targets.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { writeAtomically } from '../../support/write-atomically.ts';
import { formatProvided, makeProvided } from './make-provided.ts';
import { loadMirrors, type Mirror } from './mirrors.ts';
import { type ProvidedNames, providedDirectory } from './provided.ts';

interface RefreshRequest {
  /** Ids or aliases; none for all. */
  readonly distributions: readonly string[];
  /** Directory; kubeparcel's own by default. */
  readonly out: string | undefined;
  /** Base URL instead of the one that packaging/mirrors.yaml has; for one distribution. */
  readonly mirror: string | undefined;
  readonly unverified: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Makes the lists of names that distributions provide, one file each, and tells of each as it is written.
 *
 * @throws KubeparcelError of kind 'usage' for names that are not known, 'network', 'verification', 'format', 'io'
 */
export async function refreshProvided(
  request: RefreshRequest,
  onWritten: (written: { readonly path: string; readonly provided: ProvidedNames }) => void,
): Promise<void> {
  const catalog = await loadCatalog();
  const mirrors = await loadMirrors();
  const chosen =
    request.distributions.length === 0
      ? catalog.distributions
      : request.distributions.map((name) => findDistribution(catalog, name));
  if (request.mirror !== undefined && chosen.length !== 1) {
    throw new KubeparcelError('usage', 'a mirror is that of one distribution', { hint: 'name the distribution' });
  }
  const directory = request.out ?? providedDirectory();
  await mkdir(directory, { recursive: true });
  for (const distribution of chosen) {
    const usual = mirrors.get(distribution.id);
    const mirror = request.mirror === undefined ? usual : elsewhere(usual, request.mirror, distribution.id);
    const provided = await makeProvided(catalog, distribution, request.unverified ? undefined : mirror, request.signal);
    const path = join(directory, `${distribution.id}.yaml`);
    await writeAtomically(path, [Buffer.from(formatProvided(provided))]);
    onWritten({ path, provided });
  }
}

function elsewhere(usual: Mirror | undefined, url: string, id: string): Mirror {
  const base = url.replace(/\/+$/, '');
  if (usual !== undefined && 'deb' in usual) return { ...usual, deb: base, ports: undefined };
  if (usual !== undefined) return { ...usual, rpm: [base] };
  throw new KubeparcelError('usage', `nothing is known of the archive of ${id}`, {
    hint: `add ${id} to packaging/mirrors.yaml`,
  });
}
