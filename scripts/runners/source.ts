import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RECIPE } from '../../src/runner/recipe.ts';
import { KubeparcelError } from '../../src/support/errors.ts';
import { writeAtomically } from '../../src/support/write-atomically.ts';
import { downloadSource, openDebian } from '../real-payload/debian.ts';
import { run, type Say } from '../real-payload/run.ts';

const { source } = RECIPE;

/**
 * Unpacks QuickJS into `directory`, from the cache or from Debian.
 *
 * @throws KubeparcelError of kind 'network' when it cannot be had, of kind 'verification' when it is another one
 */
export async function unpackQuickJs(directory: string, cache: string, work: string, say: Say): Promise<void> {
  const kept = join(cache, source.file);
  if ((await digestOf(kept)) !== source.sha256) {
    const debian = await openDebian(join(work, 'apt-source'), say, undefined, {
      suite: source.suite,
      binary: false,
      source: true,
    });
    const downloads = await downloadSource(debian, { name: source.package, version: source.version });
    const fetched = join(downloads, source.file);
    const digest = await digestOf(fetched);
    if (digest !== source.sha256) {
      throw new KubeparcelError('verification', `the source of QuickJS has the SHA-256 ${digest}`, {
        where: source.file,
        hint: `${source.sha256} was expected; look at what the mirror gave`,
      });
    }
    await writeAtomically(kept, [await readFile(fetched)]);
  }
  const archive = join(work, source.file);
  await copyFile(kept, archive);
  await mkdir(directory, { recursive: true });
  await run('tar', ['-xf', archive, '--strip-components=1', '-C', directory], {
    cwd: work,
    signal: undefined,
    failure: 'the source of QuickJS could not be unpacked',
    kind: 'io',
    hint: 'see that the disk is not full, and that xz-utils is installed',
  });
}

async function digestOf(file: string): Promise<string | undefined> {
  const bytes = await readFile(file).catch(() => undefined);
  return bytes === undefined ? undefined : createHash('sha256').update(bytes).digest('hex');
}
