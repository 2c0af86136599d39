import pLimit from 'p-limit';
import { z } from 'zod';
import { FORMATS, type Format } from '../../model/format.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { INDEX_FILE } from '../model/index-file.ts';
import { publicKeyIn } from '../model/repository.ts';
import { openReader, type ReaderOptions } from '../read/open-reader.ts';
import { below, type RepositoryReader, safePath } from '../read/reader.ts';
import { classify } from '../storage/classify.ts';
import { checkPackages, type PackageCheckOptions, READ_AT_ONCE } from './check-packages.ts';
import { sortedFindings, type VerifyFinding, type VerifyReport } from './finding.ts';
import { verifyAptView } from './verify-apt-view.ts';
import { verifyRpmView } from './verify-rpm-md-view.ts';
import { certificatesFor, checkOwnKey, type IndexedFile, startCheck, type ViewCheck } from './view-check.ts';

export interface VerifyPublishedOptions extends ReaderOptions, PackageCheckOptions {
  /** Public keys that must have signed; those of the copy by default, which proves that it is whole, not whose it is. */
  readonly keys?: Uint8Array | string | undefined;
}

/** A view by the directory of its pointer. */
interface FoundView {
  readonly at: string;
  readonly format: Format;
}

/** Files by path, for as long as nothing names them. */
type Listing = ReadonlyMap<string, number>;

/**
 * Proves that what is published is whole, as clients see it: from each view's pointer over its signature and its indices
 * to every package, without the repository's state. Directories and S3 are listed; a web server is asked for index.json,
 * or the address is that of one view.
 *
 * @param text a directory, `s3://bucket/prefix`, or `https://host/path`
 * @throws KubeparcelError of kind 'usage' when there is no repository, of kind 'network' or 'io' when it cannot be read
 */
export async function verifyPublished(text: string, options: VerifyPublishedOptions = {}): Promise<VerifyReport> {
  const whole = await verifyAt(text, undefined, options);
  if (whole !== undefined) return whole;
  // One suite: its packages are where its dists/ is.
  const [, base, suite] = /^(.*[^/])\/+(dists\/[^/]+)\/*$/.exec(text) ?? [];
  const single = base === undefined ? undefined : await verifyAt(base, suite, options);
  if (single !== undefined) return single;
  throw new KubeparcelError('usage', 'there is no apt or rpm-md repository', {
    where: text.replace(/\/\/[^/]*@/, '//'),
    hint: 'name the directory or the address that index.json is in, or the one of a view',
  });
}

/** @param suite the one suite to look at, and nothing else: `dists/stable` */
async function verifyAt(
  text: string,
  suite: string | undefined,
  options: VerifyPublishedOptions,
): Promise<VerifyReport | undefined> {
  const reader = await openReader(text, options);
  try {
    const check = startCheck(reader, { published: true });
    const listing = suite === undefined ? await reader.list() : undefined;
    const index = suite === undefined ? await readIndex(check) : undefined;
    const views = await findViews(check, listing, index, suite);
    const isSuite = views.length === 1 && views[0]?.at === '' && views[0].format === 'deb';
    if (views.length === 0 || (isSuite && suite === undefined && /\/dists\/[^/]+\/*$/.test(text))) return undefined;
    return await verifyViews(reader, check, { views, listing, index }, options);
  } finally {
    await reader.close();
  }
}

interface Found {
  readonly views: readonly FoundView[];
  readonly listing: Listing | undefined;
  readonly index: PublishedIndex | undefined;
}

async function verifyViews(
  reader: RepositoryReader,
  check: ViewCheck,
  { views, listing, index }: Found,
  options: VerifyPublishedOptions,
): Promise<VerifyReport> {
  const limit = pLimit(READ_AT_ONCE);
  const named = await Promise.all(
    views.map((view) =>
      limit(() => {
        options.signal?.throwIfAborted();
        return verifyOne(startCheck(reader, { published: true }), view, index, options);
      }),
    ),
  ).finally(() => limit.clearQueue());
  const packages = new Map<string, IndexedFile>();
  for (const each of [...named.flatMap((view) => view.packages), ...(index?.packages ?? [])]) {
    const known = packages.get(each.path) ?? each;
    packages.set(each.path, known);
    if (known.size !== each.size || known.sha256 !== each.sha256) {
      check.fault('index', each.path, 'indices say different things of it');
    }
  }
  const faults = await checkPackages(reader, [...packages.values()], options);
  const kept = new Set([...packages.keys(), ...named.flatMap((view) => view.indices)]);
  const reports = [check.report(), ...named.map(({ report }) => report)];
  return {
    findings: sortedFindings([
      ...reports.flatMap(({ findings }) => findings),
      ...faults,
      // What names them may be what could not be read.
      ...(listing === undefined || named.some(({ isRead }) => !isRead) ? [] : unnamed(listing, kept)),
    ]),
    packages: new Set([...packages.values()].map(({ sha256 }) => sha256)).size,
    views: views.length,
    files: reports.reduce((sum, { files }) => sum + files, 0),
    keys: [...new Set(reports.flatMap(({ keys }) => keys))].sort(),
    ownKeys: options.keys === undefined,
  };
}

/** What a view's indices name, and what is not as it must be in it. */
async function verifyOne(
  check: ViewCheck,
  { at, format }: FoundView,
  index: PublishedIndex | undefined,
  { keys }: VerifyPublishedOptions,
) {
  const key = below(at, publicKeyIn(format));
  // Nothing says that a view may be without a signature but the repository's own index.
  const maySign = keys !== undefined || index === undefined || index.keys.length > 0;
  const isSigned = maySign || (await check.readOptional(key)) !== undefined;
  const certificates = isSigned ? await certificatesFor(check, key, keys) : undefined;
  const packages: IndexedFile[] = [];
  const indices: string[] = [];
  let isRead: boolean;
  if (format === 'deb') {
    const root = /^(?:(.*)\/)?dists\/[^/]+$/.exec(at);
    const request = { at, root: root === null ? at : (root[1] ?? ''), certificates, now: Date.now() };
    const view = await verifyAptView(check, request);
    isRead = view !== undefined;
    packages.push(...[...(view?.lists.values() ?? [])].flat());
    for (const { path, sha256 } of view?.indices ?? []) {
      indices.push(path, `${path.slice(0, path.lastIndexOf('/') + 1)}by-hash/SHA256/${sha256}`);
    }
  } else {
    const view = await verifyRpmView(check, { at, certificates });
    isRead = view !== undefined;
    packages.push(...(view?.packages ?? []));
    indices.push(...(view?.documents.map(({ path }) => path) ?? []));
  }
  if (keys !== undefined) await checkOwnKey(check, key);
  return { packages, indices, isRead, report: check.report() };
}

interface PublishedIndex {
  readonly keys: readonly string[];
  readonly views: readonly FoundView[];
  readonly packages: readonly IndexedFile[];
}

const path = z.string().transform((text, context) => {
  const safe = safePath(text);
  if (safe !== undefined) return safe;
  context.addIssue({ code: 'custom', message: `a path that cannot be: ${JSON.stringify(text.slice(0, 160))}` });
  return z.NEVER;
});

const indexSchema = z.object({
  schema: z.literal(1),
  keys: z.array(z.string()),
  views: z.array(z.object({ folder: path, format: z.enum(FORMATS) })),
  packages: z.array(z.object({ path, size: z.int().nonnegative(), sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
});

/** index.json; a copy of a part has none. */
async function readIndex(check: ViewCheck): Promise<PublishedIndex | undefined> {
  const bytes = await check.readOptional(INDEX_FILE);
  if (bytes === undefined) return undefined;
  try {
    const { keys, views, packages } = indexSchema.parse(JSON.parse(bytes.toString('utf8')));
    return { keys, views: views.map(({ folder, format }) => ({ at: folder, format })), packages };
  } catch (error) {
    const [issue] = error instanceof z.ZodError ? error.issues : [];
    const what = issue === undefined ? 'it is no JSON' : `${issue.path.join('.')}: ${issue.message}`;
    check.fault('index', INDEX_FILE, `it cannot be read: ${what}`);
    return undefined;
  }
}

/** The views that are there, and those that should be; by directory. */
async function findViews(
  check: ViewCheck,
  listing: Listing | undefined,
  index: PublishedIndex | undefined,
  suite: string | undefined,
): Promise<readonly FoundView[]> {
  if (suite !== undefined) return (await hasPointer(check, suite)) ? [{ at: suite, format: 'deb' }] : [];
  const views = new Map<string, FoundView>();
  const add = (view: FoundView) => views.set(`${view.format} ${view.at}`, view);
  for (const view of index?.views ?? []) add(view);
  for (const view of listing === undefined ? [] : listedViews(listing)) {
    // Publishing takes a view away pointer first; the rest of it is then no view any more.
    const isGoing = index !== undefined && index.keys.length > 0 && !listing?.has(below(view.at, 'InRelease'));
    if (view.format === 'rpm' || !isGoing) add(view);
  }
  if (listing === undefined && views.size === 0) {
    if (await hasPointer(check, '')) add({ at: '', format: 'deb' });
    if ((await check.readOptional('repodata/repomd.xml')) !== undefined) add({ at: '', format: 'rpm' });
  }
  return [...views].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, view]) => view);
}

async function hasPointer(check: ViewCheck, at: string): Promise<boolean> {
  for (const name of ['InRelease', 'Release']) {
    if ((await check.readOptional(below(at, name))) !== undefined) return true;
  }
  return false;
}

function listedViews(listing: Listing): FoundView[] {
  return [...listing.keys()].flatMap((file): FoundView[] => {
    const [, directory, name = ''] = /^(?:(.*)\/)?([^/]+)$/.exec(file) ?? [];
    const at = directory ?? '';
    // Debian's archive has a small Release beside each of its lists.
    if (/(^|\/)(\.|binary-[^/]+$)/.test(at) || safePath(file) === undefined) return [];
    if (name === 'InRelease' || name === 'Release') return [{ at, format: 'deb' }];
    const [, rpm] = name === 'repomd.xml' ? (/^(?:(.*)\/)?repodata$/.exec(at) ?? []) : [];
    return name === 'repomd.xml' && /(^|\/)repodata$/.test(at) ? [{ at: rpm ?? '', format: 'rpm' }] : [];
  });
}

/** Notes on packages and indices that nothing names. Lists of former states are kept for a while, and are no waste. */
function unnamed(listing: Listing, kept: ReadonlySet<string>): VerifyFinding[] {
  const sums = { former: [0, 0], other: [0, 0] } satisfies Record<string, [number, number]>;
  for (const [file, size] of listing) {
    const { phase } = classify(file);
    const isKey = /\.(key|asc|gpg)$/.test(file);
    if (kept.has(file) || isKey || (phase !== 'packages' && phase !== 'indices')) continue;
    const isFormer = /(^|\/)(by-hash\/|\.repodata-|[0-9a-f]{64}-)/.test(file);
    const sum = sums[isFormer ? 'former' : 'other'];
    sum[0] = (sum[0] ?? 0) + 1;
    sum[1] = (sum[1] ?? 0) + size;
  }
  const note = (
    [count = 0, bytes = 0]: readonly number[],
    one: string,
    several: string,
    why: string,
  ): VerifyFinding[] =>
    count === 0
      ? []
      : [{ kind: 'note', path: '.', what: `${count} ${count === 1 ? one : several} (${bytes} bytes): ${why}` }];
  return [
    ...note(sums.former, 'list of a former state', 'lists of former states', 'for clients with an older pointer'),
    ...note(sums.other, 'file that no index names', 'files that no index names', 'publish again removes its own'),
  ];
}
