import { type FileRead, type FileStat, type Host, READ_LIMIT } from './host.ts';
import { EEXIST, EISDIR, ELOOP, ENOENT, ENOTDIR, type SystemCalls, TOO_LARGE, wordsOf } from './system-calls.ts';

/** What the kernel takes, too (path_resolution(7)). */
const MAX_LINKS = 40;

const FILE_TYPE = 0o170000;
const DIRECTORY = 0o040000;
const LINK = 0o120000;
const REGULAR = 0o100000;
const SOCKET = 0o140000;

const KINDS: Readonly<Record<number, 'file' | 'directory' | 'symlink' | 'socket'>> = {
  [REGULAR]: 'file',
  [DIRECTORY]: 'directory',
  [LINK]: 'symlink',
  [SOCKET]: 'socket',
};

/**
 * The host below a directory, over system calls. Links are followed by hand, so that an absolute one, or one with more
 * `..` than there are directories, stays inside; what is opened in the end is not followed any more.
 *
 * @param root `/`, or a directory that takes its place
 */
export function systemHost(calls: SystemCalls, root: string): Host {
  const prefix = root.replace(/\/+$/, '');

  /** The path on the machine with all links followed but, unless asked, the last; or a failure. */
  function resolve(path: string, followLast: boolean): string | number {
    if (path.indexOf('\0') !== -1) return ENOENT;
    let rest = componentsOf(path);
    let at: string[] = [];
    let missing = false;
    for (let links = 0; rest.length > 0; ) {
      const [name = '', ...after] = rest;
      rest = after;
      if (name === '..') {
        at = at.slice(0, -1);
        continue;
      }
      const next = [...at, name];
      // What is not there has nothing below it: `write` makes the directories.
      const mode = missing ? ENOENT : calls.lstat(onMachine(next));
      if (mode === ENOENT) missing = true;
      else if (mode < 0) return mode;
      else if ((mode & FILE_TYPE) === LINK && (rest.length > 0 || followLast)) {
        links += 1;
        if (links > MAX_LINKS) return ELOOP;
        const target = calls.readlink(onMachine(next));
        if (typeof target === 'number') return target;
        if (target.charAt(0) === '/') at = [];
        rest = [...componentsOf(target), ...rest];
        continue;
      } else if ((mode & FILE_TYPE) !== DIRECTORY && rest.length > 0) return ENOTDIR;
      at = next;
    }
    return at.length === 0 && prefix === '' ? '/' : onMachine(at);
  }

  function onMachine(names: readonly string[]): string {
    return names.length === 0 ? prefix : `${prefix}/${names.join('/')}`;
  }

  function read(path: string, limit = READ_LIMIT): FileRead {
    const real = resolve(path, true);
    const text = typeof real === 'number' ? real : calls.read(real, limit);
    if (typeof text === 'string') return { kind: 'text', text };
    if (text === TOO_LARGE) return { kind: 'too-large', limit };
    return isAbsent(text) ? { kind: 'absent' } : { kind: 'unreadable', reason: wordsOf(text) };
  }

  function makeDirectories(directory: string): void {
    if (directory === '' || directory === prefix || calls.lstat(directory) >= 0) return;
    makeDirectories(directoryOf(directory));
    const made = calls.mkdir(directory);
    // Another run may have been quicker.
    if (made < 0 && made !== EEXIST) throw new Error(`${directory} cannot be made: ${wordsOf(made)}`);
  }

  return {
    read,
    stat(path): FileStat {
      const real = resolve(path, false);
      const mode = typeof real === 'number' ? real : calls.lstat(real);
      return mode < 0 ? { kind: 'absent' } : { kind: KINDS[mode & FILE_TYPE] ?? 'other', mode: mode & 0o7777 };
    },
    readLink(path) {
      const real = resolve(path, false);
      const target = typeof real === 'number' ? real : calls.readlink(real);
      return typeof target === 'number' ? undefined : target;
    },
    list(path) {
      const real = resolve(path, true);
      const names = typeof real === 'number' ? real : calls.readdir(real);
      return typeof names === 'number' ? undefined : [...names].sort();
    },
    hostName() {
      if (prefix === '') return calls.nodeName();
      const file = read('/etc/hostname');
      // hostname(5): one name, and lines of comments.
      const lines = file.kind === 'text' ? file.text.split('\n').map((line) => line.trim()) : [];
      return lines.filter((line) => line !== '' && line.charAt(0) !== '#')[0] ?? '';
    },
    write(path, text, mode) {
      const real = resolve(path, false);
      if (typeof real === 'number') throw new Error(`${path} cannot be written: ${wordsOf(real)}`);
      // Two adapters would write different bytes for half a surrogate pair.
      if (/[\uD800-\uDFFF]/u.test(text)) throw new Error(`${path} cannot be written: its text is not Unicode`);
      const there = calls.lstat(real);
      // rename(2) would say so, too, but for an empty directory on some file systems.
      if (there >= 0 && (there & FILE_TYPE) === DIRECTORY) {
        throw new Error(`${path} cannot be written: ${wordsOf(EISDIR)}`);
      }
      const directory = directoryOf(real);
      makeDirectories(directory);
      // The number of the process keeps runs at the same time apart; what a killed one of this number left goes.
      const beside = `${directory}/.${real.slice(real.lastIndexOf('/') + 1)}.${calls.pid()}.tmp`;
      calls.unlink(beside);
      const created = calls.create(beside, text, mode);
      if (created < 0) throw new Error(`${path} cannot be written: ${wordsOf(created)}`);
      const renamed = calls.rename(beside, real);
      if (renamed < 0) {
        calls.unlink(beside);
        throw new Error(`${path} cannot be written: ${wordsOf(renamed)}`);
      }
      // Some file systems cannot; the file is whole all the same.
      calls.syncDirectory(directory === '' ? '/' : directory);
    },
    remove(path) {
      const real = resolve(path, false);
      const removed = typeof real === 'number' ? real : calls.unlink(real);
      if (removed < 0 && !isAbsent(removed)) throw new Error(`${path} cannot be removed: ${wordsOf(removed)}`);
    },
  };
}

function isAbsent(failure: number): boolean {
  return failure === ENOENT || failure === ENOTDIR || failure === ELOOP;
}

function componentsOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

/** Of a path on the machine; empty for what stands in `/`. */
function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
