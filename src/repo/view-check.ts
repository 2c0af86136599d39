import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubeparcelError } from '../support/errors.ts';
import { sha256 } from './pack.ts';
import type { Finding } from './repository.ts';
import type { ViewReport } from './verify.ts';

/** More than the index of any repository of this kind. */
const MAX_INDEX = 1 << 30;

/** What a view's check has found so far. Paths are relative to the repository. */
export interface ViewCheck {
  note(kind: Finding['kind'], path: string, what: string): void;
  /** A file's bytes; undefined, with a finding, when it is not there. */
  read(path: string): Promise<Buffer | undefined>;
  /** A file that an index names; undefined, with a finding, when it is not there or is another. */
  readNamed(path: string, stated: { readonly size: number; readonly sha256: string }): Promise<Buffer | undefined>;
  /** Runs a check of a signature; what it throws is a finding. */
  signature<T>(path: string, check: () => Promise<T>): Promise<T | undefined>;
  signedBy(fingerprint: string): void;
  report(): ViewReport;
}

export function startCheck(folder: string): ViewCheck {
  const findings: Finding[] = [];
  const keys = new Set<string>();
  let files = 0;
  const note = (kind: Finding['kind'], path: string, what: string) => {
    findings.push({ kind, path, what });
  };
  const read = async (path: string) => {
    try {
      const facts = await lstat(join(folder, path));
      if (facts.isFile() && facts.size <= MAX_INDEX) {
        files += 1;
        return await readFile(join(folder, path));
      }
      note('index', path, 'it is no file, or too large for one');
    } catch {
      note('missing', path, 'it is not there');
    }
    return undefined;
  };
  return {
    note,
    read,
    readNamed: async (path, stated) => {
      const bytes = await read(path);
      if (bytes === undefined) return undefined;
      if (bytes.length === stated.size && sha256(bytes) === stated.sha256) return bytes;
      note('changed', path, 'it is not what the index that names it says');
      return undefined;
    },
    signature: async (path, check) => {
      try {
        return await check();
      } catch (error) {
        if (!(error instanceof KubeparcelError)) throw error;
        note('signature', path, error.message);
        return undefined;
      }
    },
    signedBy: (fingerprint) => keys.add(fingerprint),
    report: () => ({ findings, files, keys: [...keys] }),
  };
}

/** What an index says of a package. */
export interface IndexedPackage {
  /** Relative to the repository. */
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

/** Holds what an index lists against what the state says that it must. */
export function comparePackages(
  check: ViewCheck,
  index: string,
  found: readonly IndexedPackage[],
  expected: readonly IndexedPackage[],
): void {
  const facts = ({ path, size, sha256: digest }: IndexedPackage) => JSON.stringify([path, size, digest]);
  const wanted = new Set(expected.map(facts));
  const had = new Set(found.map(facts));
  for (const each of found) {
    if (!wanted.has(facts(each))) check.note('index', index, `it lists ${each.path}, which the state does not`);
  }
  for (const each of expected) {
    if (!had.has(facts(each))) check.note('index', index, `it does not list ${each.path} as the state does`);
  }
  if (found.length !== had.size) check.note('index', index, 'it lists a package twice');
}
