import { type ChildProcess, spawn } from 'node:child_process';
import { KubeparcelError } from '../../support/errors.ts';
import type { PublishContext, PublishTarget } from './target.ts';

/**
 * What every run has: times and links kept, new files beside the old ones until they are whole, digests compared where
 * sizes are the same (an index may change without changing its size in the same second).
 */
const OPTIONS = ['--times', '--perms', '--chmod=D755,F644', '--checksum', '--hard-links', '--links', '--timeout=60'];
const MAX_LISTING = 512 << 20;

/**
 * A place that rsync writes to: `rsync://host/module/path`, `user@host:path`. Only rsync's own words reach it, as a list
 * of arguments; how it reaches the host (RSYNC_RSH, ssh's configuration) and how it says who it is (RSYNC_PASSWORD, keys)
 * is between the two.
 */
export function rsyncTarget(destination: string): PublishTarget {
  if (destination.startsWith('-'))
    throw new KubeparcelError('usage', 'a target does not begin with -', { where: destination });
  const place = destination.replace(/\/*$/, '/');
  return {
    name: destination,
    mode: 'source',
    async compare(files, context) {
      // What differs is rsync's to find out; it is asked without a change, once for all files.
      const changed = new Set(
        (
          await rsync(
            [...OPTIONS, '--dry-run', '--out-format=%n', ...fromList],
            files.map(({ path }) => path),
            place,
            context,
          )
        ).map(unescapeName),
      );
      const remote = (await remoteFiles(place, context)).map((path) => ({ path, size: -1, digest: undefined }));
      const here = new Map(files.map((file) => [file.path, file]));
      return {
        local: files.map((file) => ({ ...file, digest: changed.has(file.path) ? undefined : 'same' })),
        remote: remote.map((file) => ({ path: file.path, size: here.get(file.path)?.size ?? -1, digest: 'same' })),
      };
    },
    async present(context) {
      return new Set(await remoteFiles(place, context));
    },
    async upload(uploads, context) {
      // rsync makes hard links between files of one list.
      const names = new Set(uploads.flatMap(({ path, twin }) => (twin === undefined ? [path] : [twin, path])));
      await rsync([...OPTIONS, ...fromList], [...names], place, context);
      for (const upload of uploads) context.onEvent({ type: 'uploaded', upload });
    },
    remove: (paths, context) => deleteLeftOver(paths, place, context),
    close: () => Promise.resolve(),
  };
}

const fromList = ['--from0', '--files-from=-'];

/**
 * Names that stand in the list and not in the repository are deleted (--delete-missing-args): nothing else can be,
 * whatever came to the target in the meantime.
 */
async function deleteLeftOver(paths: readonly string[], place: string, context: PublishContext): Promise<void> {
  await rsync(['--delete-missing-args', '--timeout=60', ...fromList], paths, place, context, isVanished);
  for (const path of paths) context.onEvent({ type: 'deleted', path });
}

/** rsync tells of the names' directories that they have vanished too, where a whole view is gone, and deletes all the same. */
function isVanished(status: number | null): boolean {
  return status === 24;
}

async function remoteFiles(place: string, context: PublishContext): Promise<string[]> {
  // --list-only of a directory that is not there yet fails; its first publication makes it.
  const lines = await run(
    ['--recursive', '--list-only', '--timeout=60', '--', place],
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
  place: string,
  context: PublishContext,
  expected?: Expected,
): Promise<string[]> {
  const list = paths.map((path) => `${path}\0`).join('');
  // --mkpath of rsync 3.2.3; the directory given is the root of the names in the list.
  return run(
    [...options, '--mkpath', '--', `${context.directory.replace(/\/*$/, '')}/`, place],
    list,
    context,
    expected,
  );
}

/** Whether an exit status other than 0 is no failure. */
type Expected = (status: number | null, errors: string) => boolean;

/** Runs rsync; its output's lines. */
async function run(
  args: readonly string[],
  input: string,
  { signal }: PublishContext,
  expected: Expected = () => false,
): Promise<string[]> {
  signal?.throwIfAborted();
  const child = spawn('rsync', args, { stdio: ['pipe', 'pipe', 'pipe'], ...(signal === undefined ? {} : { signal }) });
  const [status, output, errors] = await finished(child, input);
  if (status !== 0 && !expected(status, errors)) {
    const said = errors.trim().split('\n').at(-1) ?? '';
    throw new KubeparcelError('network', `rsync ended with status ${status}${said === '' ? '' : `: ${said}`}`, {
      where: args.at(-1) ?? '',
      hint: 'try the target by hand: rsync --list-only TARGET',
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
        if (texts[name].length > MAX_LISTING) child.kill();
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
    // rsync may end before it has read its list; its status says why.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

/** rsync writes what a terminal would not like as \#012. */
function unescapeName(name: string): string {
  return name.replace(/\\#([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
