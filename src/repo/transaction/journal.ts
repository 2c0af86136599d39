import { constants, type Stats } from 'node:fs';
import { copyFile, link, lstat, mkdir, readdir, readFile, rename, rm, rmdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { KubeparcelError } from '../../support/errors.ts';
import { isErrno, syncDirectory } from '../../support/file-system.ts';
import { writeAtomically } from '../../support/write-atomically.ts';
import { STATE_DIRECTORY } from '../model/repository.ts';

/**
 * A change of the repository that is decided: everything new is on disk in `work`, and these steps bring it to its
 * place. They are written down before the first one, so that whoever comes after a killed run goes on where it ended; each
 * can be taken twice.
 */
export interface Journal {
  /** Directory of new files, relative to the repository. */
  readonly work: string;
  readonly steps: readonly Step[];
}

/** Paths are relative to the repository. */
export type Step =
  /** A second name for a file; what has that name already stays. */
  | { readonly do: 'link'; readonly from: string; readonly to: string }
  /** A second name for a file, in place of what had that name. */
  | { readonly do: 'replace'; readonly from: string; readonly to: string }
  /** Under its name at once, in place of what was there. */
  | { readonly do: 'rename'; readonly from: string; readonly to: string }
  /** A symbolic link, in place of the one that was there. */
  | { readonly do: 'point'; readonly at: string; readonly to: string }
  /** With directories that become empty. */
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

/** Whether a killed run left a change that is decided but not done. */
export async function hasJournal(directory: string): Promise<boolean> {
  return (await statOf(join(directory, JOURNAL))) !== undefined;
}

/**
 * Decides a change and carries it out. Everything new must be on disk already.
 *
 * @returns count of files that had to be copied, since the file system has no hard links
 */
export async function commit(directory: string, journal: Journal): Promise<number> {
  await writeAtomically(join(directory, JOURNAL), [Buffer.from(JSON.stringify(journal))]);
  return carryOut(directory, journal);
}

/**
 * Finishes what a killed run had decided, and removes what it had not. Only for who holds the lock.
 *
 * @returns whether there was a change to finish
 */
export async function recover(directory: string): Promise<boolean> {
  let text: string | undefined;
  try {
    text = await readFile(join(directory, JOURNAL), 'utf8');
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
  if (text !== undefined) await carryOut(directory, parseJournal(directory, text));
  await sweep(directory);
  return text !== undefined;
}

function parseJournal(directory: string, text: string): Journal {
  try {
    return journalSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new KubeparcelError('format', 'the list of what a killed run had begun is damaged', {
      where: join(directory, JOURNAL),
      hint: 'bring the repository back from a copy, or make it anew from its pool',
      cause,
    });
  }
}

async function carryOut(directory: string, { work, steps }: Journal): Promise<number> {
  const made = new Set<string>();
  let copies = 0;
  const unfinished = join(directory, work, 'unfinished');
  await mkdir(join(directory, work), { recursive: true });
  for (const step of steps) {
    if (step.do === 'remove') {
      await removeFile(directory, step.path);
      continue;
    }
    const to = join(directory, step.to);
    const parent = dirname(to);
    if (!made.has(parent)) {
      await mkdir(parent, { recursive: true });
      made.add(parent);
    }
    if (step.do === 'rename') await renameOnce(join(directory, step.from), to);
    else if (step.do === 'point') await point(step.at, to, unfinished);
    else if (step.do === 'replace') copies += await replace(join(directory, step.from), to, unfinished);
    else copies += await linkOnce(join(directory, step.from), to, unfinished);
  }
  await syncDirectory(join(directory, STATE_DIRECTORY));
  await rm(join(directory, JOURNAL), { force: true });
  await rm(join(directory, work), { recursive: true, force: true });
  return copies;
}

async function renameOnce(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    // Done before the run was killed.
    if (!isErrno(error, 'ENOENT') || (await statOf(to)) === undefined) throw error;
  }
}

/** @returns count of copies that had to be made */
async function linkOnce(from: string, to: string, unfinished: string): Promise<number> {
  if ((await statOf(to)) !== undefined) return 0;
  return replace(from, to, unfinished);
}

async function replace(from: string, to: string, unfinished: string): Promise<number> {
  // rename(2) does nothing with two names of one file, and leaves both.
  await rm(unfinished, { force: true });
  let copies = 0;
  try {
    await link(from, unfinished);
  } catch (error) {
    if (!NO_LINKS.some((code) => isErrno(error, code))) throw error;
    await copyFile(from, unfinished, constants.COPYFILE_FICLONE);
    copies = 1;
  }
  await rename(unfinished, to);
  return copies;
}

/** What file systems without hard links answer, or with too many of one file. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS', 'EXDEV'];

async function point(at: string, to: string, unfinished: string): Promise<void> {
  await rm(unfinished, { force: true });
  await symlink(at, unfinished);
  await rename(unfinished, to);
}

async function removeFile(directory: string, path: string): Promise<void> {
  await rm(join(directory, path), { recursive: true, force: true });
  for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) {
    try {
      await rmdir(join(directory, parent));
    } catch {
      return;
    }
  }
}

/** Work directories and half-made copies and links of runs that decided nothing. */
async function sweep(directory: string): Promise<void> {
  const state = join(directory, STATE_DIRECTORY);
  for (const name of await readdir(state)) {
    if (/^(work|lock)\./.test(name) || name.endsWith('.tmp')) {
      await rm(join(state, name), { recursive: true, force: true });
    }
  }
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}
