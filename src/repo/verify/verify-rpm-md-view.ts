import type { Key } from 'openpgp';
import { sha256 } from '../../model/digest.ts';
import { verifyDetached } from '../../sign/verify.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { unpack } from '../formats/index-compression.ts';
import { below, safePath } from '../read/reader.ts';
import type { IndexedFile, ViewCheck } from './view-check.ts';

/** An rpm-md view according to its documents. Paths are relative to the repository. */
export interface RpmView {
  /** The path of primary. */
  readonly index: string;
  readonly packages: readonly IndexedFile[];
  /** Documents named by repomd.xml. */
  readonly documents: readonly IndexedFile[];
}

interface RpmViewRequest {
  /** The directory of repodata/. */
  readonly at: string;
  /** Keys for the signatures; undefined for an unsigned view. */
  readonly certificates: readonly Key[] | undefined;
}

/**
 * Checks a view as dnf does: repomd.xml with its signature, the documents that it names, and the packages in primary. Only
 * understands documents as kubeparcel writes them; other XML is a finding.
 *
 * @returns undefined, with findings, if repomd.xml or primary is unreadable or the signature is not valid
 */
export async function verifyRpmView(
  check: ViewCheck,
  { at, certificates }: RpmViewRequest,
): Promise<RpmView | undefined> {
  const pointer = below(at, 'repodata/repomd.xml');
  const repomd = await check.read(pointer);
  if (certificates !== undefined) {
    const where = `${pointer}.asc`;
    const signature = await check.read(where);
    if (repomd === undefined || signature === undefined) return undefined;
    const verified = await check.signature(where, () => verifyDetached(repomd, signature, certificates, { where }));
    if (verified === undefined) return undefined;
    for (const { fingerprint } of verified.good) check.addSigner(fingerprint);
  }
  if (repomd === undefined) return undefined;
  const documents = documentsOf(at, repomd.toString('utf8'));
  const texts = new Map<Type, string>();
  for (const type of TYPES) {
    const document = documents.find((each) => each.type === type);
    if (document === undefined) {
      check.fault('index', pointer, `no ${type} document, or an invalid entry for it`);
      continue;
    }
    const text = await readDocument(check, document);
    if (text !== undefined) texts.set(type, text);
  }
  const primary = documents.find(({ type }) => type === 'primary');
  const text = texts.get('primary');
  if (primary === undefined || text === undefined) return undefined;
  const packages = primaryPackages(check, primary.path, at, text);
  const ids = packages.map((each) => each.sha256).join();
  for (const { type, path } of documents) {
    const other = type === 'primary' ? undefined : texts.get(type);
    if (other === undefined) continue;
    const about = [...other.matchAll(/^<package pkgid="([0-9a-f]{64})"/gm)].map(([, id]) => id).join();
    if (about !== ids) check.fault('index', path, 'lists other packages than primary');
  }
  return { index: primary.path, packages, documents };
}

const TYPES = ['primary', 'filelists', 'other'] as const;
type Type = (typeof TYPES)[number];

interface Document extends IndexedFile {
  readonly type: Type;
  readonly openSize: number;
  readonly openSha256: string;
}

async function readDocument(check: ViewCheck, document: Document): Promise<string | undefined> {
  const bytes = await check.readIndexed(document.path, document);
  if (bytes === undefined) return undefined;
  try {
    const open = Buffer.from(await unpack(bytes, document.path));
    if (open.length === document.openSize && sha256(open) === document.openSha256) return open.toString('utf8');
    check.fault('changed', document.path, 'its decompressed content differs from repomd.xml');
  } catch (error) {
    if (!(error instanceof KubeparcelError)) throw error;
    check.fault('index', document.path, error.message);
  }
  return undefined;
}

function documentsOf(at: string, repomd: string): Document[] {
  return [...repomd.matchAll(/<data type="(\w+)">([\s\S]*?)<\/data>/g)].flatMap(([, name, body = '']) => {
    const value = (pattern: RegExp) => pattern.exec(body)?.[1];
    const type = TYPES.find((each) => each === name);
    const path = value(/<location href="(repodata\/[A-Za-z0-9][A-Za-z0-9.-]*)"\/>/);
    const digest = value(/<checksum type="sha256">([0-9a-f]{64})</);
    const openSha256 = value(/<open-checksum type="sha256">([0-9a-f]{64})</);
    const [size, openSize] = [value(/<size>(\d{1,15})</), value(/<open-size>(\d{1,15})</)];
    const stated = [type, path, digest, openSha256, size, openSize];
    if (stated.includes(undefined) || type === undefined || path === undefined) return [];
    const sizes = { size: Number(size), openSize: Number(openSize) };
    return [{ type, path: below(at, path), sha256: digest ?? '', openSha256: openSha256 ?? '', ...sizes }];
  });
}

function primaryPackages(check: ViewCheck, index: string, at: string, primary: string): IndexedFile[] {
  const bodies = [...primary.matchAll(/^<package type="rpm">\n([\s\S]*?)^<\/package>$/gm)];
  const count = /^<metadata [^>]*packages="(\d+)"/m.exec(primary)?.[1];
  if (count !== String(bodies.length)) {
    check.fault(
      'index',
      index,
      `the packages attribute is ${count ?? 'missing'}, the number of readable packages is ${bodies.length}`,
    );
  }
  return bodies.flatMap(([, body = '']) => {
    const href = /^ {2}<location href="([^"]*)"\/>$/m.exec(body)?.[1] ?? '';
    const size = /^ {2}<size package="(\d{1,15})"/m.exec(body)?.[1];
    const digest = /^ {2}<checksum type="sha256" pkgid="YES">([0-9a-f]{64})</m.exec(body)?.[1];
    const path = safePath(href);
    if (path !== undefined && size !== undefined && digest !== undefined && !/[&<>]/.test(path)) {
      return [{ path: below(at, path), size: Number(size), sha256: digest }];
    }
    check.fault('index', index, `invalid package entry: ${JSON.stringify(href.slice(0, 160))}`);
    return [];
  });
}
