import { type ChildProcess, spawn } from 'node:child_process';
import { KubeparcelError } from '../../support/errors.ts';
import type { SourceFile } from '../storage/list-files.ts';
import type { Upload } from './plan.ts';
import type { Comparison, PublishContext, PublishTarget } from './target.ts';

/**
 * Keep times and links, write new files under temporary names, and compare digests of files with the same size (an index
 * may change without changing its size, within one second).
 */
const OPTIONS = ['--times', '--perms', '--chmod=D755,F644', '--checksum', '--hard-links', '--links', '--timeout=60'];
const FROM_LIST = ['--from0', '--files-from=-'];
const MAX_OUTPUT = 512 << 20;

/**
 * An rsync destination: `rsync://host/module/path`, `user@host:path`. Connection and authentication are up to rsync
 * (RSYNC_RSH, the configuration of ssh, RSYNC_PASSWORD).
 */
export class RsyncTarget implements PublishTarget {
  readonly name: string;
  readonly mode = 'source';
  readonly #url: string;

  /** @throws KubeparcelError of kind 'usage' if rsync would take the destination for an option */
  constructor(destination: string) {
    if (destination.startsWith('-')) {
      throw new KubeparcelError('usage', 'a target cannot begin with -', { where: destination });
    }
    this.name = destination;
    this.#url = destination.replace(/\/*$/, '/');
  }

  async compare(files: readonly SourceFile[], context: PublishContext): Promise<Comparison> {
    // A dry run of rsync lists the files that differ.
    const paths = files.map(({ path }) => path);
    const output = await rsync([...OPTIONS, '--dry-run', '--out-format=%n', ...FROM_LIST], paths, this.#url, context);
    const changed = new Set(output.map(unescapeName));
    const sizes = new Map(files.map(({ path, size }) => [path, size]));
    return {
      local: files.map((file) => ({ ...file, digest: changed.has(file.path) ? undefined : 'same' })),
      remote: (await remoteFiles(this.#url, context)).map((path) => ({
        path,
        size: sizes.get(path) ?? -1,
        digest: 'same',
      })),
    };
  }

  async present(context: PublishContext): Promise<ReadonlySet<string>> {
    return new Set(await remoteFiles(this.#url, context));
  }

  async upload(uploads: readonly Upload[], context: PublishContext): Promise<void> {
    // rsync creates hard links only between files of one list.
    const names = new Set(uploads.flatMap(({ path, twin }) => (twin === undefined ? [path] : [twin, path])));
    await rsync([...OPTIONS, ...FROM_LIST], [...names], this.#url, context);
    for (const upload of uploads) context.onEvent({ type: 'uploaded', upload });
  }

  /** Deletes exactly these files: names in the list that the repository does not have (--delete-missing-args). */
  async remove(paths: readonly string[], context: PublishContext): Promise<void> {
    await rsync(['--delete-missing-args', '--timeout=60', ...FROM_LIST], paths, this.#url, context, isVanished);
    for (const path of paths) context.onEvent({ type: 'deleted', path });
  }

  async close(): Promise<void> {}
}

/** rsync reports missing parent directories as vanished (status 24) when a whole view is gone, but deletes the files. */
function isVanished(status: number | null): boolean {
  return status === 24;
}

async function remoteFiles(url: string, context: PublishContext): Promise<string[]> {
  // --list-only fails if the directory does not exist yet; the first publication creates it.
  const lines = await run(
    ['--recursive', '--list-only', '--timeout=60', '--', url],
    '',
    context,
    (status, text) => status === 23 && /No such file or directory/.test(text),
  );
  return lines.flatMap((line) => {
    const [, type, entry] = /^([-l])\S+\s+[\d,.]+ \d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d (.+)$/.exec(line) ?? [];
    if (entry === undefined) return [];
    return [unescapeName(type === 'l' ? entry.replace(/ -> .*$/, '') : entry)];
  });
}

function rsync(
  options: readonly string[],
  paths: readonly string[],
  url: string,
  context: PublishContext,
  accepts?: Accepts,
): Promise<string[]> {
  const list = paths.map((path) => `${path}\0`).join('');
  // --mkpath requires rsync 3.2.3. The names in the list are relative to the directory.
  return run([...options, '--mkpath', '--', `${context.directory.replace(/\/*$/, '')}/`, url], list, context, accepts);
}

/** Whether a nonzero exit status is acceptable. */
type Accepts = (status: number | null, errors: string) => boolean;

/** Runs rsync and returns the lines of its output. */
async function run(
  args: readonly string[],
  input: string,
  { signal }: PublishContext,
  accepts: Accepts = () => false,
): Promise<string[]> {
  signal?.throwIfAborted();
  const child = spawn('rsync', args, { stdio: ['pipe', 'pipe', 'pipe'], signal });
  const [status, output, errors] = await finished(child, input);
  if (status !== 0 && !accepts(status, errors)) {
    const detail = errors.trim().split('\n').at(-1) ?? '';
    throw new KubeparcelError('network', `rsync exited with status ${status}${detail === '' ? '' : `: ${detail}`}`, {
      where: args.at(-1) ?? '',
      hint: 'test the target with rsync --list-only TARGET',
    });
  }
  return output.split('\n').filter((line) => line !== '');
}

function finished(
  child: ChildProcess,
  input: string,
): Promise<[status: number | null, output: string, errors: string]> {
  return new Promise((resolve, reject) => {
    const texts = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.setEncoding('utf8').on('data', (chunk: string) => {
        texts[name] += chunk;
        if (texts[name].length > MAX_OUTPUT) child.kill();
      });
    }
    child.on('error', (cause: NodeJS.ErrnoException) => {
      const missing = new KubeparcelError('usage', 'rsync is not installed', {
        hint: 'install rsync 3.2.3 or newer',
        cause,
      });
      reject(cause.code === 'ENOENT' ? missing : cause);
    });
    child.on('close', (status) => resolve([status, texts.stdout, texts.stderr]));
    // EPIPE: rsync exited before it had read the list. Its exit status is reported instead.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

/** rsync escapes control characters as \#012. */
function unescapeName(name: string): string {
  return name.replace(/\\#([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
