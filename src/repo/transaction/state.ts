import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { FORMATS } from '../../model/format.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { isErrno } from '../../support/file-system.ts';
import { CHANNELS, type RepositorySettings, type RepositoryState, STATE_DIRECTORY } from '../model/repository.ts';

export const DEFAULT_SETTINGS: RepositorySettings = {
  origin: 'kubeparcel',
  label: 'Kubernetes',
  validDays: undefined,
  rpmCompression: 'gz',
};

/** A name of a file or directory without characters that are special in paths, shells or URLs. */
const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.+~^_:%@-]{0,254}$/);
const path = z.string().regex(/^(?!.*(^|\/)\.{1,2}(\/|$))[^/\0].*$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const minor = z.string().regex(/^\d+\.\d+$/);
const size = z.int().nonnegative();
const channel = z.enum(CHANNELS);
const format = z.enum(FORMATS);

const stateSchema = z.object({
  settings: z.object({
    origin: z.string(),
    label: z.string(),
    validDays: z.int().positive().optional(),
    rpmCompression: z.enum(['gz', 'zst']),
  }),
  packages: z.array(
    z.object({
      format,
      name,
      version: z.string().min(1),
      architecture: name,
      file: name,
      size,
      sha256,
      channels: z.partialRecord(channel, z.array(minor)),
    }),
  ),
  views: z.array(
    z.object({
      channel,
      minor: minor.optional(),
      format,
      date: size,
      content: sha256,
      signedBy: z.array(z.string()),
      files: z.array(z.object({ path, size, sha256 })),
      previous: z.array(z.array(path)),
    }),
  ),
});

/**
 * Reads the state of a repository; undefined if the directory is not a repository.
 *
 * @throws KubeparcelError of kind 'io' if the state is unreadable, of kind 'format' if it is invalid
 */
export async function readState(directory: string): Promise<RepositoryState | undefined> {
  const file = join(directory, STATE_DIRECTORY, 'state.json');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return undefined;
    throw new KubeparcelError('io', 'cannot read the state of the repository', { where: file, cause });
  }
  try {
    return stateSchema.parse(JSON.parse(text)) as RepositoryState;
  } catch (cause) {
    throw new KubeparcelError('format', 'the state of the repository is damaged', {
      where: file,
      hint: 'restore it from a backup, or create a new repository from the pool: kubeparcel repo add NEW DIR/pool/*/*/*',
      cause,
    });
  }
}

/**
 * Like `readState`, for a directory that must be a repository.
 *
 * @throws KubeparcelError of kind 'usage' if it is not
 */
export async function openState(directory: string): Promise<RepositoryState> {
  const state = await readState(directory);
  if (state !== undefined) return state;
  throw new KubeparcelError('usage', 'not a repository', {
    where: directory,
    hint: 'create one: kubeparcel repo add DIR PACKAGE...',
  });
}

export function stateText(state: RepositoryState): string {
  return `${JSON.stringify(state, null, 1)}\n`;
}

/** Whether a name is allowed for a file in the pool. */
export function isPlainName(text: string): boolean {
  return name.safeParse(text).success;
}
