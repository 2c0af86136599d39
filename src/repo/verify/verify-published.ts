import pLimit from 'p-limit';
import { z } from 'zod';
import { FORMATS, type Format } from '../../model/format.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { plural } from '../../support/plural.ts';
import { INDEX_FILE } from '../model/index-file.ts';
import { publicKeyIn } from '../model/repository.ts';
import { openReader, type ReaderOptions } from '../read/open-reader.ts';
import { below, type RepositoryReader, safePath } from '../read/reader.ts';
import { classify } from '../storage/classify.ts';
import { CONCURRENCY, checkPackages, type PackageCheckOptions } from './check-packages.ts';
import { sortedFindings, type VerifyFinding, type VerifyReport } from './finding.ts';
import { verifyAptView } from './verify-apt-view.ts';
import { verifyRpmView } from './verify-rpm-md-view.ts';
import { certificatesFor, checkOwnKey, type IndexedFile, ViewCheck } from './view-check.ts';

export interface VerifyPublishedOptions extends ReaderOptions, PackageCheckOptions {
  /** Trusted public keys. Default: those of the copy, which proves integrity but not origin. */
  readonly keys?: Uint8Array | string | undefined;
}

/** `at`: directory of InRelease or repodata/. */
interface FoundView {
  readonly at: string;
  readonly format: Format;
}

/** Sizes by path. */
type Listing = ReadonlyMap<string, number>;

/**
 * Verifies a published copy as clients see it, without the repository's state: from Release or repomd.xml through
 * signatures and indices to every package. Finds views by listing files (directory, S3) or in index.json; accepts the URL of one view.
 *
 * @param text a directory, `s3://bucket/prefix` or `https://host/path`
 * @throws KubeparcelError of kind 'usage' if there is no repository, of kind 'network' or 'io' if it is unreadable
 */
export async function verifyPublished(text: string, options: VerifyPublishedOptions = {}): Promise<VerifyReport> {
  const report = await verifyAt(text, undefined, options);
  if (report !== undefined) return report;
  // The URL of a suite; its packages are next to dists/.
  const [, base, suite] = /^(.*[^/])\/+(dists\/[^/]+)\/*$/.exec(text) ?? [];
  const single = base === undefined ? undefined : await verifyAt(base, suite, options);
  if (single !== undefined) return single;
  throw new KubeparcelError('usage', 'no apt or rpm-md repository found', {
    where: text.replace(/\/\/[^/]*@/, '//'),
    hint: 'specify the directory or URL that contains index.json, or that of a view',
  });
}

/** @param suite check only this suite: `dists/stable` */
async function verifyAt(
  text: string,
  suite: string | undefined,
  options: VerifyPublishedOptions,
): Promise<VerifyReport | undefined> {
  const reader = await openReader(text, options);
  try {
    const check = new ViewCheck(reader, { published: true });
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
  const limit = pLimit(CONCURRENCY);
  const named = await Promise.all(
    views.map((view) =>
      limit(() => {
        options.signal?.throwIfAborted();
        return verifyOne(new ViewCheck(reader, { published: true }), view, index, options);
      }),
    ),
  ).finally(() => limit.clearQueue());
  const packages = new Map<string, IndexedFile>();
  for (const each of [...named.flatMap((view) => view.packages), ...(index?.packages ?? [])]) {
    const known = packages.get(each.path) ?? each;
    packages.set(each.path, known);
    if (known.size !== each.size || known.sha256 !== each.sha256) {
      check.fault('index', each.path, 'indices disagree about its size or digest');
    }
  }
  const faults = await checkPackages(reader, [...packages.values()], options);
  const namedFiles = new Set([...packages.keys(), ...named.flatMap((view) => view.indices)]);
  const reports = [check.report(), ...named.map(({ report }) => report)];
  return {
    findings: sortedFindings([
      ...reports.flatMap(({ findings }) => findings),
      ...faults,
      // Omitted if an index that may name such files is unreadable.
      ...(listing === undefined || named.some(({ isRead }) => !isRead) ? [] : unnamedFiles(listing, namedFiles)),
    ]),
    packages: new Set([...packages.values()].map(({ sha256 }) => sha256)).size,
    views: views.length,
    files: reports.reduce((sum, { files }) => sum + files, 0),
    keys: [...new Set(reports.flatMap(({ keys }) => keys))].sort(),
    ownKeys: options.keys === undefined,
  };
}

/** Checks a view and returns the files that its indices name. */
async function verifyOne(
  check: ViewCheck,
  { at, format }: FoundView,
  index: PublishedIndex | undefined,
  { keys }: VerifyPublishedOptions,
) {
  const key = below(at, publicKeyIn(format));
  // Only index.json can declare a repository unsigned.
  const mustBeSigned = keys !== undefined || index === undefined || index.keys.length > 0;
  const isSigned = mustBeSigned || (await check.readOptional(key)) !== undefined;
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
  context.addIssue({ code: 'custom', message: `invalid path ${JSON.stringify(text.slice(0, 160))}` });
  return z.NEVER;
});

const indexSchema = z.object({
  schema: z.literal(1),
  keys: z.array(z.string()),
  views: z.array(z.object({ folder: path, format: z.enum(FORMATS) })),
  packages: z.array(z.object({ path, size: z.int().nonnegative(), sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
});

/** Reads index.json, which a copy of a single view does not have. */
async function readIndex(check: ViewCheck): Promise<PublishedIndex | undefined> {
  const bytes = await check.readOptional(INDEX_FILE);
  if (bytes === undefined) return undefined;
  try {
    const { keys, views, packages } = indexSchema.parse(JSON.parse(bytes.toString('utf8')));
    return { keys, views: views.map(({ folder, format }) => ({ at: folder, format })), packages };
  } catch (error) {
    const [issue] = error instanceof z.ZodError ? error.issues : [];
    const what = issue === undefined ? 'invalid JSON' : `${issue.path.join('.')}: ${issue.message}`;
    check.fault('index', INDEX_FILE, what);
    return undefined;
  }
}

/** The views that exist, and those that should exist according to index.json, sorted by directory. */
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
    // Publishing deletes the pointers of a view first; the remaining files are not a view any more.
    const isBeingDeleted = index !== undefined && index.keys.length > 0 && !listing?.has(below(view.at, 'InRelease'));
    if (view.format === 'rpm' || !isBeingDeleted) add(view);
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
    // Debian's archive also has a small Release next to each Packages file.
    if (/(^|\/)(\.|binary-[^/]+$)/.test(at) || safePath(file) === undefined) return [];
    if (name === 'InRelease' || name === 'Release') return [{ at, format: 'deb' }];
    const [, rpm] = name === 'repomd.xml' ? (/^(?:(.*)\/)?repodata$/.exec(at) ?? []) : [];
    return name === 'repomd.xml' && /(^|\/)repodata$/.test(at) ? [{ at: rpm ?? '', format: 'rpm' }] : [];
  });
}

/** Notes about packages and indices that no index names. Indices of earlier states are kept for clients. */
function unnamedFiles(listing: Listing, namedFiles: ReadonlySet<string>): VerifyFinding[] {
  const sums = { former: [0, 0], other: [0, 0] } satisfies Record<string, [number, number]>;
  for (const [file, size] of listing) {
    const { phase } = classify(file);
    const isKey = /\.(key|asc|gpg)$/.test(file);
    if (namedFiles.has(file) || isKey || (phase !== 'packages' && phase !== 'indices')) continue;
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
    count === 0 ? [] : [{ kind: 'note', path: '.', what: `${plural(count, one, several)} (${bytes} bytes): ${why}` }];
  return [
    ...note(sums.former, 'index of an earlier state', 'indices of earlier states', 'kept for clients'),
    ...note(
      sums.other,
      'file that no index lists',
      'files that no index lists',
      'the next publish deletes such files in directories of the repository',
    ),
  ];
}
