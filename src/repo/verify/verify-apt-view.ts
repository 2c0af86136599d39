import type { Key } from 'openpgp';
import { type ControlFields, controlField, parseControl } from '../../deb/control-file.ts';
import { sha256 as digestOf } from '../../model/digest.ts';
import { verifyClearsigned, verifyDetached } from '../../sign/verify.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { unpack } from '../formats/index-compression.ts';
import { below, safePath } from '../read/reader.ts';
import type { ExpectedContent, IndexedFile, ViewCheck } from './view-check.ts';

/** An apt view according to its Release and Packages files. Paths are relative to the repository. */
export interface AptView {
  /** Files named by Release. */
  readonly indices: readonly IndexedFile[];
  /** Packages by the path of the Packages file. */
  readonly lists: ReadonlyMap<string, readonly IndexedFile[]>;
}

interface AptViewRequest {
  /** The directory of InRelease. */
  readonly at: string;
  /** The directory that Filename is relative to: the view's own for a flat repository, otherwise the parent of dists/. */
  readonly root: string;
  /** Keys for the signatures; undefined for an unsigned view. */
  readonly certificates: readonly Key[] | undefined;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly now: number;
}

/**
 * Checks a view as apt does: InRelease or Release with its signatures, every index by name and by-hash, and the stanzas of
 * Packages.
 *
 * @returns undefined, with findings, if Release is unreadable or has no valid signature
 */
export async function verifyAptView(check: ViewCheck, request: AptViewRequest): Promise<AptView | undefined> {
  const { at } = request;
  const release = await readRelease(check, request);
  if (release === undefined) return undefined;
  const indices = releaseFiles(check, request, release.text);
  const byHash = controlField(release.fields, 'Acquire-By-Hash')?.toLowerCase() === 'yes';
  const texts = new Map<string, { readonly sha256: string; readonly text: string }>();
  for (const { path, ...expected } of indices) {
    const requested = byHash ? `${path.slice(0, path.lastIndexOf('/') + 1)}by-hash/SHA256/${expected.sha256}` : path;
    const bytes = await readIndex(check, requested, expected, /(^|\/)Packages(\.gz|\.xz)?$/.test(path));
    if (byHash) await check.matches(path, expected, bytes !== undefined);
    if (bytes === undefined || bytes === true) continue;
    const plain = path.replace(/\.(gz|xz)$/, '');
    const text = await decompressed(check, path, bytes);
    if (text === undefined) continue;
    const known = texts.get(plain);
    const sha256 = digestOf(text);
    if (known !== undefined && known.sha256 !== sha256)
      check.fault('index', path, 'its decompressed content differs from the other formats of this index');
    texts.set(plain, { sha256, text });
  }
  if (texts.size === 0) check.fault('missing', below(at, 'Packages'), 'the view has no Packages file');
  const lists = [...texts].map(([path, { text }]) => [path, listedPackages(check, path, request.root, text)] as const);
  return { indices, lists: new Map(lists) };
}

/** Checks an index. Returns the content of a Packages file, true for other indices, undefined if the check fails. */
async function readIndex(
  check: ViewCheck,
  path: string,
  expected: ExpectedContent,
  isList: boolean,
): Promise<Buffer | true | undefined> {
  if (isList) return check.readIndexed(path, expected);
  return (await check.matches(path, expected)) ? true : undefined;
}

async function decompressed(check: ViewCheck, path: string, bytes: Uint8Array): Promise<string | undefined> {
  try {
    return Buffer.from(await unpack(bytes, path)).toString('utf8');
  } catch (error) {
    if (!(error instanceof KubeparcelError)) throw error;
    check.fault('index', path, error.message);
    return undefined;
  }
}

interface Release {
  readonly text: string;
  readonly fields: ControlFields;
}

/** Reads Release and checks its signatures and Valid-Until. */
async function readRelease(check: ViewCheck, request: AptViewRequest): Promise<Release | undefined> {
  const text = await signedText(check, request);
  const path = below(request.at, request.certificates === undefined ? 'Release' : 'InRelease');
  if (text === undefined) return undefined;
  let fields: ControlFields;
  try {
    fields = parseControl(text);
  } catch (error) {
    if (!(error instanceof KubeparcelError)) throw error;
    check.fault('index', path, error.message);
    return undefined;
  }
  const until = controlField(fields, 'Valid-Until');
  const end = until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until);
  if (Number.isNaN(end))
    check.fault('index', path, `Valid-Until is not a date: ${JSON.stringify(until?.slice(0, 80))}`);
  else if (end < request.now) check.fault('expired', path, `expired on ${until}; apt refuses it`);
  return { text, fields };
}

async function signedText(check: ViewCheck, { at, certificates }: AptViewRequest): Promise<string | undefined> {
  const path = below(at, 'Release');
  const bytes = await check.read(path);
  if (certificates === undefined) return bytes?.toString('utf8');
  const where = below(at, 'InRelease');
  const message = await check.read(where);
  const verified =
    message === undefined
      ? undefined
      : await check.signature(where, () => verifyClearsigned(message.toString('utf8'), certificates, { where }));
  for (const { fingerprint } of verified?.good ?? []) check.addSigner(fingerprint);
  // With a valid InRelease, a stale Release.gpg is not a fault: publishing replaces the files one after the other.
  const isTransient = verified !== undefined;
  const detached = below(at, 'Release.gpg');
  const signature = await check.read(detached);
  if (bytes !== undefined && signature !== undefined) {
    const verify = () => verifyDetached(bytes, signature, certificates, { where: detached });
    for (const { fingerprint } of (await check.signature(detached, verify, isTransient))?.good ?? []) {
      check.addSigner(fingerprint);
    }
  }
  if (verified !== undefined && bytes !== undefined && bytes.toString('utf8') !== verified.text) {
    check.transientFault('index', path, 'differs from InRelease');
  }
  return verified?.text;
}

function releaseFiles(check: ViewCheck, { at, certificates }: AptViewRequest, release: string): IndexedFile[] {
  const pointer = below(at, certificates === undefined ? 'Release' : 'InRelease');
  const [, list = ''] = /^SHA256:[ \t]*\n((?: .*(?:\n|$))*)/m.exec(release) ?? [];
  return list.split('\n').flatMap((line) => {
    if (line.trim() === '') return [];
    const [, sha256, size, name = ''] = /^ +([0-9a-f]{64}) +(\d{1,15}) +(\S+)$/.exec(line) ?? [];
    const path = safePath(name);
    if (sha256 === undefined || path === undefined) {
      check.fault('index', pointer, `invalid entry: ${JSON.stringify(line.trim().slice(0, 160))}`);
      return [];
    }
    return [{ path: below(at, path), size: Number(size), sha256 }];
  });
}

function listedPackages(check: ViewCheck, index: string, root: string, text: string): IndexedFile[] {
  return text.split('\n\n').flatMap((stanza) => {
    if (stanza.trim() === '') return [];
    try {
      const fields = parseControl(stanza.replace(/^\n+/, ''));
      const field = (name: string) => controlField(fields, name) ?? '';
      const [path, size, sha256] = [safePath(field('Filename')), field('Size'), field('SHA256')];
      if (path !== undefined && /^\d{1,15}$/.test(size) && /^[0-9a-f]{64}$/.test(sha256)) {
        return [{ path: below(root, path), size: Number(size), sha256 }];
      }
      const entry = JSON.stringify([field('Filename'), size, sha256]).slice(0, 200);
      check.fault('index', index, `invalid Filename, Size or SHA256: ${entry}`);
    } catch (error) {
      if (!(error instanceof KubeparcelError)) throw error;
      check.fault('index', index, error.message);
    }
    return [];
  });
}
