import { sha256 } from '../../../model/digest.ts';
import { clearsignTogether, signTogether } from '../../../sign/signatures.ts';
import { COMPONENT, linkPath, poolPath } from '../../model/repository.ts';
import { singleArmor, type ViewFile, type ViewRequest } from '../../model/view-files.ts';
import { type IndexCodec, pack } from '../index-compression.ts';
import { contentsText, packagesText, releaseText } from './texts.ts';

const ALL = 'all';
const PACKAGES_CODECS: readonly IndexCodec[] = ['gz', 'xz'];

/**
 * The files of an apt repository (wiki.debian.org/DebianRepository/Format): a flat repository for one minor, a suite
 * below dists/ for all minors of a channel.
 */
export async function aptFiles(request: ViewRequest): Promise<ViewFile[]> {
  const { view, settings, listed, signers, date } = request;
  const architectures = architecturesOf(request);
  const indices = view.minor === undefined ? await channelIndices(request) : await flatIndices(request);
  const suite = view.channel;
  const release = releaseText({
    origin: settings.origin,
    label: settings.label,
    suite,
    codename: view.minor === undefined ? suite : `v${view.minor}`,
    date,
    validDays: settings.validDays,
    architectures: view.minor !== undefined && listed.some(isArchitectureAll) ? withAll(architectures) : architectures,
    components: view.minor === undefined ? [COMPONENT] : [],
    description: `Packages of a Kubernetes node${view.minor === undefined ? '' : `, v${view.minor}`} (${view.channel})`,
    files: indices.map(({ path, bytes }) => ({ path, size: bytes.length, sha256: sha256(bytes) })),
  });
  const bytes = Buffer.from(release);
  const files: ViewFile[] = [...indices.map(byHash), ...indices.map((file) => ({ ...file, role: 'fixed' as const }))];
  if (signers.length > 0) {
    const detached = await signTogether(signers, bytes, date);
    files.push({ path: 'Release.key', bytes: Buffer.from(await singleArmor(signers)), role: 'fixed' });
    files.push({ path: 'Release.gpg', bytes: Buffer.from(detached), role: 'pointer' });
  }
  files.push({ path: 'Release', bytes, role: 'pointer' });
  if (signers.length > 0) {
    const clearsigned = await clearsignTogether(signers, release, date);
    files.push({ path: 'InRelease', bytes: Buffer.from(clearsigned), role: 'pointer' });
  }
  return files;
}

interface IndexFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** One Packages for all architectures; apt filters by architecture. */
async function flatIndices({ listed, ...request }: ViewRequest): Promise<IndexFile[]> {
  const text = packagesText(listed.map(({ entry, record }) => ({ record, filename: linkPath(entry) })));
  const files = await inAllCodecs('Packages', text);
  for (const architecture of architecturesOf({ listed, ...request })) {
    files.push(await contents(`Contents-${architecture}.gz`, architecture, listed));
  }
  return files;
}

async function channelIndices({ listed, ...request }: ViewRequest): Promise<IndexFile[]> {
  const files: IndexFile[] = [];
  for (const architecture of architecturesOf({ listed, ...request })) {
    const own = listed.filter(({ record }) => matches(record.architecture, architecture));
    const text = packagesText(own.map(({ entry, record }) => ({ record, filename: poolPath(entry) })));
    files.push(...(await inAllCodecs(`${COMPONENT}/binary-${architecture}/Packages`, text)));
    files.push(await contents(`${COMPONENT}/Contents-${architecture}.gz`, architecture, listed));
  }
  return files;
}

async function inAllCodecs(path: string, text: string): Promise<IndexFile[]> {
  const bytes = Buffer.from(text);
  const packed = await Promise.all(
    PACKAGES_CODECS.map(async (codec) => ({ path: `${path}.${codec}`, bytes: await pack(bytes, codec) })),
  );
  return [{ path, bytes }, ...packed];
}

async function contents(path: string, architecture: string, listed: ViewRequest['listed']): Promise<IndexFile> {
  const own = listed.map(({ record }) => record).filter((record) => matches(record.architecture, architecture));
  return { path, bytes: await pack(Buffer.from(contentsText(own)), 'gz') };
}

/** The by-hash copy of an index, in the directory of the index. */
function byHash({ path, bytes }: IndexFile): ViewFile {
  const directory = path.slice(0, path.lastIndexOf('/') + 1);
  return { path: `${directory}by-hash/SHA256/${sha256(bytes)}`, bytes, role: 'named' };
}

function matches(architecture: string, machine: string): boolean {
  return architecture === machine || architecture === ALL;
}

/** Architectures of the packages without `all`; only `all` if there are no others. */
function architecturesOf({ listed }: Pick<ViewRequest, 'listed'>): string[] {
  const found = new Set(listed.map(({ record }) => record.architecture));
  const machines = [...found].filter((architecture) => architecture !== ALL).sort();
  return machines.length === 0 ? [ALL] : machines;
}

function withAll(architectures: readonly string[]): string[] {
  return architectures.includes(ALL) ? [...architectures] : [ALL, ...architectures];
}

function isArchitectureAll({ record }: ViewRequest['listed'][number]): boolean {
  return record.architecture === ALL;
}
