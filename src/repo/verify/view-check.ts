import type { Key } from 'openpgp';
import { sha256 } from '../../model/digest.ts';
import { fingerprintOf, readCertificates } from '../../sign/certificate.ts';
import { KubeparcelError } from '../../support/errors.ts';
import type { RepositoryReader } from '../read/reader.ts';
import type { VerifyFinding, VerifyFindingKind } from './finding.ts';

/** Larger than any real index. */
const MAX_INDEX = 256 << 20;

/** Result of checking a view. */
export interface ViewReport {
  readonly findings: readonly VerifyFinding[];
  /** Number of files read. */
  readonly files: number;
  /** Fingerprints of keys with valid signatures. */
  readonly keys: readonly string[];
}

/** Size and digest of a file according to an index. */
export interface ExpectedContent {
  readonly size: number;
  readonly sha256: string;
}

/** A package or an index that another index names. */
export interface IndexedFile extends ExpectedContent {
  /** Relative to the repository. */
  readonly path: string;
}

const CHANGED = 'size or digest differs from the index that names it';

/** Reads the files of a view and collects findings. Paths are relative to the repository. */
export class ViewCheck {
  readonly #reader: RepositoryReader;
  readonly #isPublished: boolean;
  readonly #findings: VerifyFinding[] = [];
  readonly #keys = new Set<string>();
  #files = 0;

  /** @param options.published check a published copy, which an interrupted run may have left between two steps */
  constructor(reader: RepositoryReader, { published }: { readonly published: boolean }) {
    this.#reader = reader;
    this.#isPublished = published;
  }

  fault(kind: VerifyFindingKind, path: string, what: string): void {
    this.#findings.push({ kind, path, what });
  }

  /** A state between two publishing steps, invisible to clients: a note for a published copy, otherwise a fault. */
  transientFault(kind: VerifyFindingKind, path: string, what: string): void {
    this.fault(this.#isPublished ? 'note' : kind, path, what);
  }

  /** Reads a file; undefined, with a finding, if it does not exist. */
  read(path: string): Promise<Buffer | undefined> {
    return this.readOptional(path, () => this.fault('missing', path, 'the file does not exist'));
  }

  /** Reads a file; undefined if it does not exist. */
  readOptional(path: string, onMissing: () => void = () => {}): Promise<Buffer | undefined> {
    return this.#withFinding(path, async () => {
      const bytes = await this.#reader.read(path, MAX_INDEX);
      if (bytes === undefined) onMissing();
      else this.#files += 1;
      return bytes;
    });
  }

  /** Reads a file that an index names; undefined, with a finding, if it does not exist or differs. */
  async readIndexed(path: string, expected: ExpectedContent): Promise<Buffer | undefined> {
    const bytes = await this.read(path);
    if (bytes === undefined) return undefined;
    if (bytes.length === expected.size && sha256(bytes) === expected.sha256) return bytes;
    this.fault('changed', path, CHANGED);
    return undefined;
  }

  /**
   * Whether a file that an index names exists and has the expected content; adds a finding otherwise.
   *
   * @param hasByHash the by-hash copy, which clients request instead, has the expected content
   */
  async matches(path: string, expected: ExpectedContent, hasByHash = false): Promise<boolean> {
    const result = await this.#withFinding(path, async () => {
      const facts = await this.#reader.examine(path, expected.size, false);
      if (facts === undefined) {
        this.fault('missing', path, 'the file does not exist');
        return false;
      }
      this.#files += 1;
      if (facts.sha256 === expected.sha256) return true;
      if (hasByHash) this.transientFault('changed', path, `${CHANGED}; the by-hash copy for clients is correct`);
      else this.fault('changed', path, CHANGED);
      return false;
    });
    return result === true;
  }

  /**
   * Runs a signature check and turns its error into a finding.
   *
   * @param isTransient whether clients do not use this signature in the current state
   */
  async signature<T>(path: string, check: () => Promise<T>, isTransient = false): Promise<T | undefined> {
    try {
      return await check();
    } catch (error) {
      if (!(error instanceof KubeparcelError)) throw error;
      if (isTransient) this.transientFault('signature', path, error.message);
      else this.fault('signature', path, error.message);
      return undefined;
    }
  }

  addSigner(fingerprint: string): void {
    this.#keys.add(fingerprint);
  }

  report(): ViewReport {
    return { findings: this.#findings, files: this.#files, keys: [...this.#keys] };
  }

  /** Turns errors about irregular and too large files into findings. */
  async #withFinding<T>(path: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof KubeparcelError) || error.kind !== 'format') throw error;
      this.fault('index', path, error.message);
      return undefined;
    }
  }
}

/**
 * The keys for checking a view: the given ones, otherwise the view's own. Adds a finding if there are none.
 *
 * @param path of the view's own key
 */
export async function certificatesFor(
  check: ViewCheck,
  path: string,
  given: Uint8Array | string | undefined,
): Promise<Key[]> {
  if (given !== undefined) return readCertificates(given, 'the specified keys');
  const bytes = await check.readOptional(path);
  if (bytes !== undefined) return (await check.signature(path, () => readCertificates(bytes, path))) ?? [];
  check.fault('missing', path, 'the public key does not exist');
  return [];
}

/** Checks that the public key which hosts download with the view is one of the keys that signed it. */
export async function checkOwnKey(check: ViewCheck, path: string): Promise<void> {
  const bytes = await check.readOptional(path);
  if (bytes === undefined) return;
  const own = await check.signature(path, () => readCertificates(bytes, path));
  const { keys } = check.report();
  if (own !== undefined && keys.length > 0 && !own.some((key) => keys.includes(fingerprintOf(key)))) {
    check.fault('signature', path, 'this public key for hosts did not sign the view');
  }
}

/** Compares the packages that an index lists with those of the state. */
export function comparePackages(
  check: ViewCheck,
  index: string,
  found: readonly IndexedFile[],
  expected: readonly IndexedFile[],
): void {
  const facts = ({ path, size, sha256: digest }: IndexedFile) => JSON.stringify([path, size, digest]);
  const inState = new Set(expected.map(facts));
  const inIndex = new Set(found.map(facts));
  for (const each of found) {
    if (!inState.has(facts(each))) check.fault('index', index, `lists ${each.path}, which the state does not contain`);
  }
  for (const each of expected) {
    if (!inIndex.has(facts(each))) check.fault('index', index, `does not list ${each.path} as recorded in the state`);
  }
  if (found.length !== inIndex.size) check.fault('index', index, 'lists a package twice');
}
