import type { Key } from 'openpgp';
import { controlField, parseControl } from '../../deb/control-file.ts';
import { verifyClearsigned, verifyDetached } from '../../sign/verify.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { poolPath, type RepositoryPackage, type ViewState, viewFolder } from '../repository.ts';
import { unpack } from '../unpack.ts';
import type { ViewReport } from '../verify.ts';
import { comparePackages, type IndexedPackage, startCheck, type ViewCheck } from '../view-check.ts';
import { hasOwnLinks, linkPath } from '../view-packages.ts';

/**
 * Goes through a view as apt does: InRelease or Release with its signatures, every index that it names, under its name
 * and under its digest, and what Packages says of every package.
 *
 * @param certificates keys that signed; undefined for a view without signatures
 */
export async function verifyAptView(
  folder: string,
  view: ViewState,
  listed: readonly RepositoryPackage[],
  certificates: readonly Key[] | undefined,
): Promise<ViewReport> {
  const check = startCheck(folder);
  const at = viewFolder(view);
  const release = await readRelease(check, at, certificates);
  if (release === undefined) return check.report();
  const files = releaseFiles(release);
  const named = new Set(files.map(({ path }) => path));
  for (const { path } of view.files) {
    if (!/Release(\.gpg|\.key)?$|by-hash/.test(path) && !named.has(path)) {
      check.note('index', `${at}/Release`, `it does not name ${path}`);
    }
  }
  const lists = new Map<string, string>();
  for (const { path, size, sha256 } of files) {
    const bytes = await check.readNamed(`${at}/${path}`, { size, sha256 });
    const parent = path.slice(0, path.lastIndexOf('/') + 1);
    await check.readNamed(`${at}/${parent}by-hash/SHA256/${sha256}`, { size, sha256 });
    const isPackages = /(^|\/)Packages(\.gz|\.xz)?$/.test(path);
    if (bytes === undefined || !isPackages) continue;
    try {
      const plain = path.replace(/\.(gz|xz)$/, '');
      const text = Buffer.from(await unpack(bytes, path)).toString('utf8');
      const known = lists.get(plain);
      if (known !== undefined && known !== text) check.note('index', `${at}/${path}`, 'it unpacks to another list');
      lists.set(plain, text);
    } catch (error) {
      if (!(error instanceof KubeparcelError)) throw error;
      check.note('index', `${at}/${path}`, error.message);
    }
  }
  if (lists.size === 0) check.note('missing', `${at}/Packages`, 'the view has no list of packages');
  const root = hasOwnLinks(view) ? `${at}/` : '';
  const expected = listed.map((each) => ({
    architecture: each.architecture,
    path: hasOwnLinks(view) ? `${root}${linkPath(each)}` : poolPath(each),
    size: each.size,
    sha256: each.sha256,
  }));
  for (const [path, text] of lists) {
    const [, machine] = /binary-([^/]+)\//.exec(path) ?? [];
    const own = expected.filter(
      ({ architecture }) => machine === undefined || architecture === machine || architecture === 'all',
    );
    comparePackages(check, `${at}/${path}`, stanzas(check, `${at}/${path}`, root, text), own);
  }
  return check.report();
}

/** The text of Release, after its signatures were found to hold. */
async function readRelease(
  check: ViewCheck,
  at: string,
  certificates: readonly Key[] | undefined,
): Promise<string | undefined> {
  const bytes = await check.read(`${at}/Release`);
  if (certificates === undefined) return bytes?.toString('utf8');
  const signature = await check.read(`${at}/Release.gpg`);
  if (bytes !== undefined && signature !== undefined) {
    const where = `${at}/Release.gpg`;
    const verified = await check.signature(where, () => verifyDetached(bytes, signature, certificates, { where }));
    for (const { fingerprint } of verified?.good ?? []) check.signedBy(fingerprint);
  }
  const where = `${at}/InRelease`;
  const message = await check.read(where);
  if (message === undefined) return undefined;
  const verified = await check.signature(where, () =>
    verifyClearsigned(message.toString('utf8'), certificates, { where }),
  );
  if (verified === undefined) return undefined;
  for (const { fingerprint } of verified.good) check.signedBy(fingerprint);
  if (bytes !== undefined && bytes.toString('utf8') !== verified.text) {
    check.note('index', `${at}/Release`, 'it says something else than InRelease');
  }
  return verified.text;
}

function releaseFiles(release: string): IndexedPackage[] {
  const [, list = ''] = /^SHA256:[ \t]*\n((?: .*\n)*)/m.exec(release) ?? [];
  return list.split('\n').flatMap((line) => {
    const [, sha256, size, path] = /^ ([0-9a-f]{64}) +(\d+) ([^\s/][^\s]*)$/.exec(line) ?? [];
    if (sha256 === undefined || path === undefined || path.split('/').includes('..')) return [];
    return [{ path, size: Number(size), sha256 }];
  });
}

function stanzas(check: ViewCheck, index: string, root: string, text: string): IndexedPackage[] {
  return text.split('\n\n').flatMap((stanza) => {
    if (stanza.trim() === '') return [];
    try {
      const fields = parseControl(stanza);
      const field = (name: string) => controlField(fields, name) ?? '';
      return [{ path: `${root}${field('Filename')}`, size: Number(field('Size')), sha256: field('SHA256') }];
    } catch (error) {
      if (!(error instanceof KubeparcelError)) throw error;
      check.note('index', index, error.message);
      return [];
    }
  });
}
