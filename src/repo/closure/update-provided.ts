import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { collect } from '../../archive/chunks.ts';
import { loadCatalog } from '../../catalog/catalog.ts';
import type { Distribution } from '../../catalog/distribution.ts';
import type { Catalog } from '../../catalog/model.ts';
import { findDistribution } from '../../catalog/targets.ts';
import { decompress } from '../../compress/compress.ts';
import type { Codec } from '../../model/compression.ts';
import { sha256 } from '../../model/digest.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { createHttpAgent, drop, TemporaryFailure } from '../../support/http-request.ts';
import { writeAtomically } from '../../support/write-atomically.ts';
import { architecturesOf, loadMirrors, type Mirror, nameFilter, statedNames } from './mirrors.ts';
import { debNames, type NameVersions, rpmNames } from './package-lists.ts';
import { type ProvidedNames, providedDirectory } from './provided.ts';

const MAX_SMALL = 16 << 20;
const MAX_LIST = 2 ** 30;
const CODEC_OF_SUFFIX: Readonly<Record<string, Codec>> = { xz: 'xz', gz: 'gzip', zst: 'zstd' };
const STALL_TIMEOUT = 30_000;
const ATTEMPTS = 3;

interface UpdateRequest {
  /** Ids or aliases; empty for all. */
  readonly distributions: readonly string[];
  /** Output directory; packaging/provided by default. */
  readonly out: string | undefined;
  /** Base URL that replaces the one in packaging/mirrors.yaml; for a single distribution. */
  readonly mirror: string | undefined;
  /** Do not read package lists; use the names in packaging/distributions. */
  readonly unverified: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes the lists of names that distributions provide, one file per distribution.
 *
 * @throws KubeparcelError of kind 'usage' for unknown distributions, 'network', 'verification', 'format', 'io'
 */
export async function updateProvided(
  request: UpdateRequest,
  onWritten: (written: { readonly path: string; readonly provided: ProvidedNames }) => void,
): Promise<void> {
  const catalog = await loadCatalog();
  const mirrors = await loadMirrors();
  const chosen =
    request.distributions.length === 0
      ? catalog.distributions
      : request.distributions.map((name) => findDistribution(catalog, name));
  if (request.mirror !== undefined && chosen.length !== 1) {
    throw new KubeparcelError('usage', '--mirror requires exactly one distribution', { hint: 'specify it' });
  }
  const directory = request.out ?? providedDirectory();
  await mkdir(directory, { recursive: true });
  for (const distribution of chosen) {
    const usual = mirrors.get(distribution.id);
    const mirror = request.mirror === undefined ? usual : withBaseUrl(usual, request.mirror, distribution.id);
    const provided = await makeProvided(catalog, distribution, request.unverified ? undefined : mirror, request.signal);
    const path = join(directory, `${distribution.id}.yaml`);
    await writeAtomically(path, [Buffer.from(formatProvided(provided))]);
    onWritten({ path, provided });
  }
}

function withBaseUrl(usual: Mirror | undefined, url: string, id: string): Mirror {
  const base = url.replace(/\/+$/, '');
  if (usual !== undefined && 'deb' in usual) return { ...usual, deb: base, ports: undefined };
  if (usual !== undefined) return { ...usual, rpm: [base] };
  throw new KubeparcelError('usage', `no entry for ${id} in packaging/mirrors.yaml`, { hint: 'add one' });
}

/**
 * Reads the package lists of a distribution from its mirror and keeps the names that our packages can require. The digest
 * of each list is checked against Release or repomd.xml. Their signatures are not checked, since nothing is installed
 * from there.
 *
 * @param mirror undefined: take the names from packaging/distributions and mark the result as not verified
 * @throws KubeparcelError of kind 'network', 'verification' or 'format'
 */
export async function makeProvided(
  catalog: Catalog,
  distribution: Distribution,
  mirror: Mirror | undefined,
  signal?: AbortSignal,
): Promise<ProvidedNames> {
  if (mirror === undefined) return unverifiedNames(catalog, distribution);
  const reader = new MirrorReader(nameFilter(catalog, distribution.format), signal);
  try {
    const architectures: Record<string, Record<string, string[]>> = {};
    const sources: string[] = [];
    for (const architecture of mirror.architectures ?? architecturesOf(distribution.format)) {
      const names: NameVersions = new Map();
      if ('deb' in mirror) sources.push(await reader.readDebArchive(mirror, architecture, names));
      else sources.push(...(await reader.readRpmRepositories(mirror.rpm, architecture, names)));
      architectures[architecture] = Object.fromEntries(
        [...names].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, versions]) => [name, [...versions].sort()]),
      );
    }
    const source = [...new Set(sources)].join(', ');
    return { distribution: distribution.id, source, verified: true, architectures };
  } finally {
    await reader.close();
  }
}

/** Names from packaging/distributions, for a distribution without public package lists. */
function unverifiedNames(catalog: Catalog, distribution: Distribution): ProvidedNames {
  const names = Object.fromEntries(statedNames(catalog, distribution.id).map((name) => [name, []]));
  return {
    distribution: distribution.id,
    source: 'packaging',
    verified: false,
    architectures: Object.fromEntries(architecturesOf(distribution.format).map((each) => [each, names])),
  };
}

/** Formats a list as YAML for packaging/provided. */
export function formatProvided(provided: ProvidedNames): string {
  const comment = provided.verified
    ? 'Names that the distribution provides, limited to those that our packages can require.'
    : "Not verified: names from packaging/distributions, not from the distribution's package lists.";
  const text = stringify(provided, { lineWidth: 0, flowCollectionPadding: false, aliasDuplicateObjects: true });
  return `# ${comment}\n# Generated by: kubeparcel repo provided ${provided.distribution}\n${text}`;
}

/** Reads names from the package lists of a mirror. */
class MirrorReader {
  readonly #isWanted: (name: string) => boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #agent = createHttpAgent(STALL_TIMEOUT);

  constructor(isWanted: (name: string) => boolean, signal: AbortSignal | undefined) {
    this.#isWanted = isWanted;
    this.#signal = signal;
  }

  /** @returns a description of the archive and its date */
  async readDebArchive(
    mirror: Extract<Mirror, { deb: string }>,
    architecture: string,
    names: NameVersions,
  ): Promise<string> {
    const archive = architecture === 'amd64' ? mirror.deb : (mirror.ports ?? mirror.deb);
    const base = `${archive}/dists/${mirror.suite}`;
    const release = await this.#text(`${base}/Release`);
    for (const component of mirror.components) {
      const stem = `${component}/binary-${architecture}/Packages`;
      const listed = [...release.matchAll(/^ ([0-9a-f]{64}) +\d+ (\S+)$/gm)].find(
        ([, , path]) => path === `${stem}.xz` || path === `${stem}.gz`,
      );
      const [, sha256, path] = listed ?? [];
      if (sha256 === undefined || path === undefined) {
        throw new KubeparcelError('network', `the archive has no Packages file for ${architecture}`, {
          where: `${base}/${stem}`,
          hint: 'check suite, components and architectures in packaging/mirrors.yaml',
        });
      }
      await debNames(await this.#list(`${base}/${path}`, sha256), this.#isWanted, names);
    }
    const date = /^Date: (.+)$/m.exec(release)?.[1];
    return `${archive} ${mirror.suite} of ${date ?? 'unknown date'}`;
  }

  /** @returns descriptions of the repositories and their revisions */
  async readRpmRepositories(
    templates: readonly string[],
    architecture: string,
    names: NameVersions,
  ): Promise<string[]> {
    const sources: string[] = [];
    for (const template of templates) {
      const directory = template.replaceAll('{arch}', architecture);
      const url = `${directory}/repodata/repomd.xml`;
      const repomd = await this.#text(url);
      const primary = /<data type="primary">(.*?)<\/data>/s.exec(repomd)?.[1] ?? '';
      const href = /<location href="([^"]+)"/.exec(primary)?.[1];
      const sha256 = /<checksum type="sha256">([0-9a-f]{64})<\/checksum>/.exec(primary)?.[1];
      if (href === undefined || sha256 === undefined || !/^repodata\/[\w.-]+$/.test(href)) {
        throw new KubeparcelError('format', 'repomd.xml names no primary with a SHA-256', { where: url });
      }
      await rpmNames(await this.#list(`${directory}/${href}`, sha256), architecture, this.#isWanted, names);
      sources.push(`${template} revision ${/<revision>([^<]*)<\/revision>/.exec(repomd)?.[1] ?? 'unknown'}`);
    }
    return sources;
  }

  close(): Promise<void> {
    return this.#agent.close();
  }

  /** Downloads a compressed list into memory (tens of MB), checks its digest, and returns it as a decompressed stream. */
  async #list(url: string, expected: string): Promise<AsyncIterable<Uint8Array>> {
    const bytes = await this.#get(url, 256 << 20);
    const found = sha256(bytes);
    if (found !== expected) {
      throw new KubeparcelError('verification', `SHA-256 is ${found}, expected ${expected}`, {
        where: url,
        hint: 'run the command again: the mirror may have changed between two requests',
      });
    }
    const codec = CODEC_OF_SUFFIX[url.slice(url.lastIndexOf('.') + 1)];
    if (codec === undefined) throw new KubeparcelError('format', 'unsupported compression', { where: url });
    return decompress([bytes], codec, { maxBytes: MAX_LIST });
  }

  async #text(url: string): Promise<string> {
    return Buffer.from(await this.#get(url, MAX_SMALL)).toString('utf8');
  }

  async #get(url: string, limit: number): Promise<Uint8Array> {
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await this.#agent.send('GET', url, {}, this.#signal);
        if (response.statusCode !== 200) {
          drop(response);
          throw new KubeparcelError('network', `the server responded with status ${response.statusCode}`, {
            where: url,
          });
        }
        const tooLong = () => new KubeparcelError('format', `larger than ${limit} bytes`, { where: url });
        return await collect(response.body, limit, tooLong);
      } catch (error) {
        if (!(error instanceof TemporaryFailure)) throw error;
        if (attempt === ATTEMPTS) throw new KubeparcelError('network', error.message, { where: url, cause: error });
      }
    }
  }
}
