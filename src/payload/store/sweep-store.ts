import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../../support/file-system.ts';
import { isAbandoned } from '../../support/ownership.ts';
import { SEALED } from '../../support/store-failure.ts';

const DAY = 86_400_000;
/** After this long, nobody comes back for the rest of a download. */
const PARTIAL_AGE = 14 * DAY;

/** Removes what nobody works on any more: files of killed processes, and downloads that were given up. */
export async function sweepStore(directory: string): Promise<void> {
  const now = Date.now();
  const sweep = async (room: string, concerned: RegExp, isStale: (name: string, age: number) => boolean) => {
    for (const name of (await readdir(join(directory, room))).filter((each) => concerned.test(each)).sort()) {
      const path = join(directory, room, name);
      try {
        const { mtimeMs, ctimeMs } = await stat(path);
        // An object that is about to be committed carries its seal already, a time long ago.
        if (isStale(name, now - (mtimeMs === SEALED * 1000 ? ctimeMs : mtimeMs))) {
          await rm(path, { recursive: true, force: true });
        }
      } catch (error) {
        // Another process sweeps too.
        if (!isErrno(error, 'ENOENT')) throw error;
      }
    }
  };
  await sweep('tmp', /^/, (name, age) => isAbandoned(name) || age > DAY);
  await sweep('partial', /^/, (_, age) => age > PARTIAL_AGE);
  // Records that are whole stay; there are hundreds.
  await sweep('index', /^\./, (_, age) => age > DAY);
}
