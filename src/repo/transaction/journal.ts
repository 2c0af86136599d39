import { constants } from 'node:fs';
import { copyFile, link, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { KubeparcelError } from '../../support/errors.ts';
import { isErrno, lstatIfExists, removeEmptyDirectories, syncDirectory } from '../../support/file-system.ts';
import { writeAtomically } from '../../support/write-atomically.ts';
import { STATE_DIRECTORY } from '../model/repository.ts';

/**
 * A committed change: all new files are on disk in `work`, and these steps move them into place. The journal is written
 * before the first step. After a killed run, the next process carries out all steps again; each is idempotent.
 */
export interface Journal {
  /** Directory of new files, relative to the repository. */
  readonly work: string;
  readonly steps: readonly Step[];
}

/** Paths are relative to the repository. */
export type Step =
  /** Creates a hard link unless `to` exists. */
  | { readonly do: 'link'; readonly from: string; readonly to: string }
  /** Creates a hard link, replacing `to`. */
  | { readonly do: 'replace'; readonly from: string; readonly to: string }
  /** Renames a file, replacing `to`. */
  | { readonly do: 'rename'; readonly from: string; readonly to: string }
  /** Creates a symbolic link with the target `at`, replacing `to`. */
  | { readonly do: 'point'; readonly at: string; readonly to: string }
  /** Removes a file or directory, and parent directories that become empty. */
  | { readonly do: 'remove'; readonly path: string };

const path = z.string().regex(/^(?!.*(^|\/)\.{1,2}(\/|$))[^/\0].*$/);
const journalSchema = z.object({
  work: path,
  steps: z.array(
    z.discriminatedUnion('do', [
      z.object({ do: z.literal('link'), from: path, to: path }),
      z.object({ do: z.literal('replace'), from: path, to: path }),
      z.object({ do: z.literal('rename'), from: path, to: path }),
      z.object({ do: z.literal('point'), at: path, to: path }),
      z.object({ do: z.literal('remove'), path }),
    ]),
  ),
});

const JOURNAL = `${STATE_DIRECTORY}/journal.json`;

/** Whether a killed run left a committed change that has to be completed. */
export async function hasJournal(directory: string): Promise<boolean> {
  return (await lstatIfExists(join(directory, JOURNAL))) !== undefined;
}

/**
 * Commits a change and carries it out. All new files must be on disk already.
 *
 * @returns number of files that were copied because the file system has no hard links
 */
export async function commit(directory: string, journal: Journal): Promise<number> {
  await writeAtomically(join(directory, JOURNAL), [Buffer.from(JSON.stringify(journal))]);
  return apply(directory, journal);
}

/**
 * Completes the committed change of a killed run and removes temporary files. The caller holds the lock.
 *
 * @returns whether there was a change to complete
 */
export async function recover(directory: string): Promise<boolean> {
  let text: string | undefined;
  try {
    text = await readFile(join(directory, JOURNAL), 'utf8');
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
  if (text !== undefined) await apply(directory, parseJournal(directory, text));
  await sweep(directory);
  return text !== undefined;
}

function parseJournal(directory: string, text: string): Journal {
  try {
    return journalSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new KubeparcelError('format', 'the journal of a killed run is damaged', {
      where: join(directory, JOURNAL),
      hint: 'restore the repository from a backup, or create it again from its pool',
      cause,
    });
  }
}

async function apply(directory: string, { work, steps }: Journal): Promise<number> {
  const created = new Set<string>();
  let copies = 0;
  const temporary = join(directory, work, 'unfinished');
  await mkdir(join(directory, work), { recursive: true });
  for (const step of steps) {
    if (step.do === 'remove') {
      await removeFile(directory, step.path);
      continue;
    }
    const to = join(directory, step.to);
    const parent = dirname(to);
    if (!created.has(parent)) {
      await mkdir(parent, { recursive: true });
      created.add(parent);
    }
    if (step.do === 'rename') await renameUnlessDone(join(directory, step.from), to);
    else if (step.do === 'point') await replaceLink(step.at, to, temporary);
    else if (step.do === 'replace') copies += await replace(join(directory, step.from), to, temporary);
    else copies += await linkUnlessExists(join(directory, step.from), to, temporary);
  }
  await syncDirectory(join(directory, STATE_DIRECTORY));
  await rm(join(directory, JOURNAL), { force: true });
  await rm(join(directory, work), { recursive: true, force: true });
  return copies;
}

async function renameUnlessDone(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    // The killed run has already renamed it.
    if (!isErrno(error, 'ENOENT') || (await lstatIfExists(to)) === undefined) throw error;
  }
}

/** @returns number of copies made */
async function linkUnlessExists(from: string, to: string, temporary: string): Promise<number> {
  if ((await lstatIfExists(to)) !== undefined) return 0;
  return replace(from, to, temporary);
}

async function replace(from: string, to: string, temporary: string): Promise<number> {
  // rename(2) of two hard links of one file does nothing and keeps both.
  await rm(temporary, { force: true });
  let copies = 0;
  try {
    await link(from, temporary);
  } catch (error) {
    if (!NO_LINKS.some((code) => isErrno(error, code))) throw error;
    await copyFile(from, temporary, constants.COPYFILE_FICLONE);
    copies = 1;
  }
  await rename(temporary, to);
  return copies;
}

/** Errors of file systems without hard links, or with too many links of one file. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS', 'EXDEV'];

async function replaceLink(at: string, to: string, temporary: string): Promise<void> {
  await rm(temporary, { force: true });
  await symlink(at, temporary);
  await rename(temporary, to);
}

async function removeFile(directory: string, path: string): Promise<void> {
  await rm(join(directory, path), { recursive: true, force: true });
  await removeEmptyDirectories(directory, dirname(path));
}

/**
 * Removes work directories and temporary files of runs that were killed before the commit. Files next to the lock belong
 * to processes that wait for it, and are removed by the lock.
 */
async function sweep(directory: string): Promise<void> {
  const state = join(directory, STATE_DIRECTORY);
  for (const name of await readdir(state)) {
    if (name.startsWith('work.') || name.endsWith('.tmp')) {
      await rm(join(state, name), { recursive: true, force: true });
    }
  }
}
