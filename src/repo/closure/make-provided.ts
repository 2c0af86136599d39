import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import { collect } from '../../archive/chunks.ts';
import type { Distribution } from '../../catalog/distribution.ts';
import type { Catalog } from '../../catalog/model.ts';
import { decompress } from '../../compress/compress.ts';
import type { Codec } from '../../model/compression.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { createHttpAgent, drop, type HttpAgent, PassingFailure } from '../../support/http-request.ts';
import { architecturesOf, type Mirror, nameFilter, statedNames } from './mirrors.ts';
import { debNames, type NameVersions, rpmNames } from './package-lists.ts';
import type { ProvidedNames } from './provided.ts';

const MAX_SMALL = 16 << 20;
const MAX_LIST = 2 ** 30;
const CODEC_OF_SUFFIX: Readonly<Record<string, Codec>> = { xz: 'xz', gz: 'gzip', zst: 'zstd' };
const STALL = 30_000;

/**
 * Reads a distribution's lists from its mirror, and keeps the names that packages of ours can ask for. Every list is
 * held against the digest that the archive's Release or repomd.xml states; signatures of these are not checked, since
 * nothing is installed from here.
 *
 * @param mirror undefined: names are what packaging/distributions states, and the result says that nobody verified them
 * @throws KubeparcelError of kind 'network', 'verification' or 'format'
 */
export async function makeProvided(
  catalog: Catalog,
  distribution: Distribution,
  mirror: Mirror | undefined,
  signal?: AbortSignal,
): Promise<ProvidedNames> {
  if (mirror === undefined) return unverifiedNames(catalog, distribution);
  const agent = createHttpAgent(STALL);
  try {
    const wanted = nameFilter(catalog, distribution.format);
    const result: Record<string, Record<string, string[]>> = {};
    const sources: string[] = [];
    for (const architecture of mirror.architectures ?? architecturesOf(distribution.format)) {
      const names: NameVersions = new Map();
      if ('deb' in mirror) {
        sources.push(await readDebArchive(agent, mirror, architecture, wanted, names, signal));
      } else {
        sources.push(...(await readRpmDirectories(agent, mirror.rpm, architecture, wanted, names, signal)));
      }
      result[architecture] = Object.fromEntries(
        [...names].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, versions]) => [name, [...versions].sort()]),
      );
    }
    return {
      distribution: distribution.id,
      source: [...new Set(sources)].join(', '),
      verified: true,
      architectures: result,
    };
  } finally {
    await agent.close();
  }
}

/** The list for a distribution whose own lists nobody can read. */
function unverifiedNames(catalog: Catalog, distribution: Distribution): ProvidedNames {
  const names = Object.fromEntries(statedNames(catalog, distribution.id).map((name) => [name, []]));
  return {
    distribution: distribution.id,
    source: 'packaging',
    verified: false,
    architectures: Object.fromEntries(architecturesOf(distribution.format).map((each) => [each, names])),
  };
}

/** A list as YAML, as it is kept in packaging/provided. */
export function formatProvided(provided: ProvidedNames): string {
  const comment = provided.verified
    ? "What the distribution's own packages provide, of what packages of ours can ask for."
    : "Not verified: what packaging/distributions says that it has; nobody has read the distribution's own lists.";
  const text = stringify(provided, { lineWidth: 0, flowCollectionPadding: false, aliasDuplicateObjects: true });
  return `# ${comment}\n# Made by: kubeparcel repo provided ${provided.distribution}\n${text}`;
}

async function readDebArchive(
  agent: HttpAgent,
  mirror: Extract<Mirror, { deb: string }>,
  architecture: string,
  wanted: (name: string) => boolean,
  names: NameVersions,
  signal: AbortSignal | undefined,
): Promise<string> {
  const archive = architecture === 'amd64' ? mirror.deb : (mirror.ports ?? mirror.deb);
  const base = `${archive}/dists/${mirror.suite}`;
  const release = Buffer.from(await small(agent, `${base}/Release`, signal)).toString('utf8');
  for (const component of mirror.components) {
    const stem = `${component}/binary-${architecture}/Packages`;
    const listed = [...release.matchAll(/^ ([0-9a-f]{64}) +\d+ (\S+)$/gm)].find(
      ([, , path]) => path === `${stem}.xz` || path === `${stem}.gz`,
    );
    const [, sha256, path] = listed ?? [];
    if (sha256 === undefined || path === undefined) {
      throw new KubeparcelError('network', `the archive has no list of packages for ${architecture}`, {
        where: `${base}/${stem}`,
        hint: 'check suite, components and architectures in packaging/mirrors.yaml',
      });
    }
    await debNames(await list(agent, `${base}/${path}`, sha256, signal), wanted, names);
  }
  const date = /^Date: (.+)$/m.exec(release)?.[1];
  return `${archive} ${mirror.suite} of ${date ?? 'an unknown day'}`;
}

async function readRpmDirectories(
  agent: HttpAgent,
  directories: readonly string[],
  architecture: string,
  wanted: (name: string) => boolean,
  names: NameVersions,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const sources: string[] = [];
  for (const template of directories) {
    const directory = template.replaceAll('{arch}', architecture);
    const url = `${directory}/repodata/repomd.xml`;
    const repomd = Buffer.from(await small(agent, url, signal)).toString('utf8');
    const primary = /<data type="primary">(.*?)<\/data>/s.exec(repomd)?.[1] ?? '';
    const href = /<location href="([^"]+)"/.exec(primary)?.[1];
    const sha256 = /<checksum type="sha256">([0-9a-f]{64})<\/checksum>/.exec(primary)?.[1];
    if (href === undefined || sha256 === undefined || !/^repodata\/[\w.-]+$/.test(href)) {
      throw new KubeparcelError('format', 'a repomd.xml that names no primary list with a SHA-256', { where: url });
    }
    await rpmNames(await list(agent, `${directory}/${href}`, sha256, signal), architecture, wanted, names);
    sources.push(`${template} revision ${/<revision>([^<]*)<\/revision>/.exec(repomd)?.[1] ?? 'unknown'}`);
  }
  return sources;
}

/** A compressed list, whole in memory (tens of MB), checked, and unpacked as a stream. */
async function list(
  agent: HttpAgent,
  url: string,
  sha256: string,
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<Uint8Array>> {
  const bytes = await get(agent, url, 256 << 20, signal);
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== sha256) {
    throw new KubeparcelError('verification', `its SHA-256 is ${found}, its archive states ${sha256}`, {
      where: url,
      hint: 'run the command again: mirrors change between two requests',
    });
  }
  const codec = CODEC_OF_SUFFIX[url.slice(url.lastIndexOf('.') + 1)];
  if (codec === undefined) throw new KubeparcelError('format', 'compressed in a way that is not read', { where: url });
  return decompress([bytes], codec, { maxBytes: MAX_LIST });
}

const small = (agent: HttpAgent, url: string, signal: AbortSignal | undefined) => get(agent, url, MAX_SMALL, signal);

async function get(agent: HttpAgent, url: string, limit: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await agent.send('GET', url, {}, signal);
      if (response.statusCode !== 200) {
        drop(response);
        throw new KubeparcelError('network', `the server answered ${response.statusCode}`, { where: url });
      }
      return await collect(response.body, limit, () => new KubeparcelError('format', 'it is too long', { where: url }));
    } catch (error) {
      if (!(error instanceof PassingFailure)) throw error;
      if (attempt === 3) throw new KubeparcelError('network', error.message, { where: url, cause: error });
    }
  }
}
