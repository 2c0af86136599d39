import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RECIPE } from '../../src/runner/recipe.ts';
import { KubeparcelError } from '../../src/support/errors.ts';
import { writeAtomically } from '../../src/support/write-atomically.ts';
import { downloadSource, openDebian } from '../real-payload/debian.ts';
import { run, type Say } from '../run.ts';

const { source } = RECIPE;

/**
 * Unpacks QuickJS into `directory`, from the cache or from Debian.
 *
 * @throws KubeparcelError of kind 'network' if the download fails, of kind 'verification' if the digest differs
 */
export async function unpackQuickJs(directory: string, cache: string, work: string, say: Say): Promise<void> {
  const cached = join(cache, source.file);
  if ((await digestOf(cached)) !== source.sha256) {
    const debian = await openDebian(join(work, 'apt-source'), say, undefined, {
      suite: source.suite,
      binary: false,
      source: true,
    });
    const downloads = await downloadSource(debian, { name: source.package, version: source.version });
    const fetched = join(downloads, source.file);
    const digest = await digestOf(fetched);
    if (digest !== source.sha256) {
      throw new KubeparcelError('verification', `unexpected SHA-256 of the QuickJS source: ${digest}`, {
        where: source.file,
        hint: `expected ${source.sha256}; check the mirror`,
      });
    }
    await writeAtomically(cached, [await readFile(fetched)]);
  }
  const archive = join(work, source.file);
  await copyFile(cached, archive);
  await mkdir(directory, { recursive: true });
  await run('tar', ['-xf', archive, '--strip-components=1', '-C', directory], {
    cwd: work,
    failure: 'cannot unpack the QuickJS source',
    kind: 'io',
    hint: 'check the free disk space, and that xz-utils is installed',
  });
}

async function digestOf(file: string): Promise<string | undefined> {
  const bytes = await readFile(file).catch(() => undefined);
  return bytes === undefined ? undefined : createHash('sha256').update(bytes).digest('hex');
}
