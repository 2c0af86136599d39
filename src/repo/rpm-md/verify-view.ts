import type { Key } from 'openpgp';
import { verifyDetached } from '../../sign/verify.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { sha256 } from '../pack.ts';
import { type RepositoryPackage, type ViewState, viewFolder } from '../repository.ts';
import { unpack } from '../unpack.ts';
import type { ViewReport } from '../verify.ts';
import { comparePackages, type IndexedPackage, startCheck, type ViewCheck } from '../view-check.ts';
import { linkPath } from '../view-packages.ts';

const TYPES = ['primary', 'filelists', 'other'];

/**
 * Goes through a view as dnf does: repomd.xml with its signature, the documents that it names, and what primary says of
 * every package. The documents are those of this program; anything else in their place is a finding.
 *
 * @param certificates keys that signed; undefined for a view without signatures
 */
export async function verifyRpmView(
  folder: string,
  view: ViewState,
  listed: readonly RepositoryPackage[],
  certificates: readonly Key[] | undefined,
): Promise<ViewReport> {
  const check = startCheck(folder);
  const at = viewFolder(view);
  const pointer = `${at}/repodata/repomd.xml`;
  const repomd = await check.read(pointer);
  if (certificates !== undefined) {
    const where = `${pointer}.asc`;
    const signature = await check.read(where);
    if (repomd !== undefined && signature !== undefined) {
      const verified = await check.signature(where, () => verifyDetached(repomd, signature, certificates, { where }));
      for (const { fingerprint } of verified?.good ?? []) check.signedBy(fingerprint);
      if (verified === undefined) return check.report();
    }
  }
  if (repomd === undefined) return check.report();
  const documents = documentsOf(repomd.toString('utf8'));
  for (const type of TYPES) {
    const document = documents.find((each) => each.type === type);
    if (document === undefined) {
      check.note('index', pointer, `it names no ${type}`);
      continue;
    }
    const path = `${at}/${document.path}`;
    const bytes = await check.readNamed(path, document);
    if (bytes === undefined) continue;
    const text = await unpacked(check, path, bytes);
    if (text === undefined) continue;
    if (text.length !== document.openSize || sha256(text) !== document.openSha256) {
      check.note('changed', path, 'it unpacks to something else than repomd.xml says');
    } else if (type === 'primary') {
      const expected = listed.map((each) => ({ path: linkPath(each), size: each.size, sha256: each.sha256 }));
      comparePackages(check, path, primaryPackages(text.toString('utf8')), expected);
    } else {
      const ids = [...text.toString('utf8').matchAll(/^<package pkgid="([0-9a-f]{64})"/gm)].map(([, id]) => id);
      if (ids.join() !== listed.map((each) => each.sha256).join()) {
        check.note('index', path, 'it is about other packages than the state');
      }
    }
  }
  return check.report();
}

async function unpacked(check: ViewCheck, path: string, bytes: Uint8Array): Promise<Buffer | undefined> {
  try {
    return Buffer.from(await unpack(bytes, path));
  } catch (error) {
    if (!(error instanceof KubeparcelError)) throw error;
    check.note('index', path, error.message);
    return undefined;
  }
}

interface Document extends IndexedPackage {
  readonly type: string;
  readonly openSize: number;
  readonly openSha256: string;
}

function documentsOf(repomd: string): Document[] {
  return [...repomd.matchAll(/<data type="(\w+)">([\s\S]*?)<\/data>/g)].flatMap(([, type = '', body = '']) => {
    const value = (pattern: RegExp) => pattern.exec(body)?.[1];
    const path = value(/<location href="(repodata\/[A-Za-z0-9.-]+)"\/>/);
    const digest = value(/<checksum type="sha256">([0-9a-f]{64})</);
    const openSha256 = value(/<open-checksum type="sha256">([0-9a-f]{64})</);
    if (path === undefined || digest === undefined || openSha256 === undefined) return [];
    const size = Number(value(/<size>(\d+)</));
    return [{ type, path, sha256: digest, size, openSha256, openSize: Number(value(/<open-size>(\d+)</)) }];
  });
}

function primaryPackages(primary: string): IndexedPackage[] {
  return [...primary.matchAll(/^<package type="rpm">\n([\s\S]*?)^<\/package>$/gm)].map(([, body = '']) => ({
    path: /^ {2}<location href="([^"]*)"\/>$/m.exec(body)?.[1] ?? '',
    size: Number(/^ {2}<size package="(\d+)"/m.exec(body)?.[1]),
    sha256: /^ {2}<checksum type="sha256" pkgid="YES">([0-9a-f]{64})</m.exec(body)?.[1] ?? '',
  }));
}
