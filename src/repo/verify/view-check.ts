import type { Key } from 'openpgp';
import { sha256 } from '../../model/digest.ts';
import { fingerprintOf, readCertificates } from '../../sign/certificate.ts';
import { KubeparcelError } from '../../support/errors.ts';
import type { RepositoryReader } from '../read/reader.ts';
import type { VerifyFinding, VerifyFindingKind } from './finding.ts';

/** More than the index of any repository of this kind. */
const MAX_INDEX = 256 << 20;

/** What a view's check finds, and looked at. */
export interface ViewReport {
  readonly findings: readonly VerifyFinding[];
  /** Count of files. */
  readonly files: number;
  /** Fingerprints of keys whose signatures hold. */
  readonly keys: readonly string[];
}

/** What an index says of a file. */
export interface Stated {
  readonly size: number;
  readonly sha256: string;
}

/** What an index says of a package, or Release of an index. */
export interface IndexedFile extends Stated {
  /** Relative to the repository. */
  readonly path: string;
}

/** What a view's check has found so far. Paths are relative to the repository. */
export interface ViewCheck {
  fault(kind: VerifyFindingKind, path: string, what: string): void;
  /**
   * A state between two steps of publishing, which clients do not meet: worth knowing of a published copy, a fault of a
   * repository.
   */
  passing(kind: VerifyFindingKind, path: string, what: string): void;
  /** A file's bytes; undefined, with a finding, when it is not there. */
  read(path: string): Promise<Buffer | undefined>;
  /** As `read`, of a file that need not be there. */
  readOptional(path: string): Promise<Buffer | undefined>;
  /** A file that an index names; undefined, with a finding, when it is not there or is another. */
  readNamed(path: string, stated: Stated): Promise<Buffer | undefined>;
  /**
   * Whether a file that an index names is there and is that one; a finding when it is not.
   *
   * @param isTwin the file has another name, under which clients ask for it, and is right there
   */
  holds(path: string, stated: Stated, isTwin?: boolean): Promise<boolean>;
  /** Runs a check of a signature; what it throws is a finding. `isPassing`: one that no client looks at just now. */
  signature<T>(path: string, check: () => Promise<T>, isPassing?: () => boolean): Promise<T | undefined>;
  signedBy(fingerprint: string): void;
  report(): ViewReport;
}

const CHANGED = 'it is not what the index that names it says';

/** @param published a copy that clients see, which a run of publishing may have left between two steps */
export function startCheck(reader: RepositoryReader, { published }: { readonly published: boolean }): ViewCheck {
  const findings: VerifyFinding[] = [];
  const keys = new Set<string>();
  let files = 0;
  const fault: ViewCheck['fault'] = (kind, path, what) => {
    findings.push({ kind, path, what });
  };
  const passing: ViewCheck['passing'] = (kind, path, what) => fault(published ? 'note' : kind, path, what);
  /** What is no file, or too large for an index, is a finding. */
  const asFinding = async <T>(path: string, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof KubeparcelError) || error.kind !== 'format') throw error;
      fault('index', path, error.message);
      return undefined;
    }
  };
  const read = (path: string, isOptional: boolean) =>
    asFinding(path, async () => {
      const bytes = await reader.read(path, MAX_INDEX);
      if (bytes !== undefined) files += 1;
      else if (!isOptional) fault('missing', path, 'it is not there');
      return bytes;
    });
  return {
    fault,
    passing,
    read: (path) => read(path, false),
    readOptional: (path) => read(path, true),
    readNamed: async (path, stated) => {
      const bytes = await read(path, false);
      if (bytes === undefined) return undefined;
      if (bytes.length === stated.size && sha256(bytes) === stated.sha256) return bytes;
      fault('changed', path, CHANGED);
      return undefined;
    },
    holds: async (path, stated, isTwin = false) => {
      const holds = await asFinding(path, async () => {
        const facts = await reader.examine(path, stated.size, false);
        if (facts === undefined) {
          fault('missing', path, 'it is not there');
          return false;
        }
        files += 1;
        if (facts.sha256 === stated.sha256) return true;
        if (isTwin) passing('changed', path, `${CHANGED}; under its digest, as clients ask for it, it is`);
        else fault('changed', path, CHANGED);
        return false;
      });
      return holds === true;
    },
    signature: async (path, check, isPassing = () => false) => {
      try {
        return await check();
      } catch (error) {
        if (!(error instanceof KubeparcelError)) throw error;
        if (isPassing()) passing('signature', path, error.message);
        else fault('signature', path, error.message);
        return undefined;
      }
    },
    signedBy: (fingerprint) => keys.add(fingerprint),
    report: () => ({ findings, files, keys: [...keys] }),
  };
}

/**
 * The keys to check a view with: those given, else the view's own; none, with a finding, when there are none to be had.
 *
 * @param path of the view's own key
 */
export async function certificatesFor(
  check: ViewCheck,
  path: string,
  given: Uint8Array | string | undefined,
): Promise<Key[]> {
  if (given !== undefined) return readCertificates(given, 'the keys given');
  const bytes = await check.readOptional(path);
  if (bytes !== undefined) return (await check.signature(path, () => readCertificates(bytes, path))) ?? [];
  check.fault('missing', path, 'the public key is not there');
  return [];
}

/** With keys given: whether the key that hosts get with the view is one of those that signed it. */
export async function checkOwnKey(check: ViewCheck, path: string): Promise<void> {
  const bytes = await check.readOptional(path);
  if (bytes === undefined) return;
  const own = await check.signature(path, () => readCertificates(bytes, path));
  const { keys } = check.report();
  if (own !== undefined && keys.length > 0 && !own.some((key) => keys.includes(fingerprintOf(key)))) {
    check.fault('signature', path, 'the key that hosts get here is none of those that signed');
  }
}

/** Holds what an index lists against what the state says that it must. */
export function comparePackages(
  check: ViewCheck,
  index: string,
  found: readonly IndexedFile[],
  expected: readonly IndexedFile[],
): void {
  const facts = ({ path, size, sha256: digest }: IndexedFile) => JSON.stringify([path, size, digest]);
  const wanted = new Set(expected.map(facts));
  const had = new Set(found.map(facts));
  for (const each of found) {
    if (!wanted.has(facts(each))) check.fault('index', index, `it lists ${each.path}, which the state does not`);
  }
  for (const each of expected) {
    if (!had.has(facts(each))) check.fault('index', index, `it does not list ${each.path} as the state does`);
  }
  if (found.length !== had.size) check.fault('index', index, 'it lists a package twice');
}
