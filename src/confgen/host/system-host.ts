import { type FileRead, type FileStat, type Host, READ_LIMIT } from './host.ts';
import { EEXIST, EISDIR, ELOOP, ENOENT, ENOTDIR, errorMessage, type SystemCalls, TOO_LARGE } from './system-calls.ts';

/** The limit of the kernel (path_resolution(7)). */
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
 * A host on system calls. Resolves links itself, so that absolute links and excess `..` stay below the root. The last
 * component is opened without following links.
 *
 * @param root `/`, or a directory to use as `/`
 */
export function systemHost(calls: SystemCalls, root: string): Host {
  const prefix = root.replace(/\/+$/, '');

  /** The real path on the machine, or an error. Follows a link in the last component only with `followLast`. */
  function resolve(path: string, followLast: boolean): string | number {
    if (path.indexOf('\0') !== -1) return ENOENT;
    let rest = componentsOf(path);
    let resolved: string[] = [];
    let missing = false;
    for (let links = 0; rest.length > 0; ) {
      const [name = '', ...after] = rest;
      rest = after;
      if (name === '..') {
        resolved = resolved.slice(0, -1);
        continue;
      }
      const next = [...resolved, name];
      // Nothing exists below a missing directory; `write` creates the directories.
      const mode = missing ? ENOENT : calls.lstat(realPath(next));
      if (mode === ENOENT) missing = true;
      else if (mode < 0) return mode;
      else if ((mode & FILE_TYPE) === LINK && (rest.length > 0 || followLast)) {
        links += 1;
        if (links > MAX_LINKS) return ELOOP;
        const target = calls.readlink(realPath(next));
        if (typeof target === 'number') return target;
        if (target.charAt(0) === '/') resolved = [];
        rest = [...componentsOf(target), ...rest];
        continue;
      } else if ((mode & FILE_TYPE) !== DIRECTORY && rest.length > 0) return ENOTDIR;
      resolved = next;
    }
    return resolved.length === 0 && prefix === '' ? '/' : realPath(resolved);
  }

  function realPath(names: readonly string[]): string {
    return names.length === 0 ? prefix : `${prefix}/${names.join('/')}`;
  }

  function read(path: string, limit = READ_LIMIT): FileRead {
    const real = resolve(path, true);
    const text = typeof real === 'number' ? real : calls.read(real, limit);
    if (typeof text === 'string') return { kind: 'text', text };
    if (text === TOO_LARGE) return { kind: 'too-large', limit };
    return isAbsent(text) ? { kind: 'absent' } : { kind: 'unreadable', reason: errorMessage(text) };
  }

  function createDirectories(directory: string): void {
    if (directory === '' || directory === prefix || calls.lstat(directory) >= 0) return;
    createDirectories(directoryOf(directory));
    const status = calls.mkdir(directory);
    // EEXIST: a concurrent run created it.
    if (status < 0 && status !== EEXIST) throw new Error(`cannot create ${directory}: ${errorMessage(status)}`);
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
      // hostname(5): one name, and comment lines.
      const lines = file.kind === 'text' ? file.text.split('\n').map((line) => line.trim()) : [];
      return lines.filter((line) => line !== '' && line.charAt(0) !== '#')[0] ?? '';
    },
    write(path, text, mode) {
      const failed = (error: number) => new Error(`cannot write ${path}: ${errorMessage(error)}`);
      const real = resolve(path, false);
      if (typeof real === 'number') throw failed(real);
      // The adapters write different bytes for a lone surrogate.
      if (/[\uD800-\uDFFF]/u.test(text)) throw new Error(`cannot write ${path}: invalid Unicode`);
      const existing = calls.lstat(real);
      // On some file systems, rename(2) replaces an empty directory.
      if (existing >= 0 && (existing & FILE_TYPE) === DIRECTORY) throw failed(EISDIR);
      const directory = directoryOf(real);
      createDirectories(directory);
      // The process ID separates concurrent runs. A killed run may have left a file with the same ID.
      const temporary = `${directory}/.${real.slice(real.lastIndexOf('/') + 1)}.${calls.pid()}.tmp`;
      calls.unlink(temporary);
      const created = calls.create(temporary, text, mode);
      if (created < 0) throw failed(created);
      const renamed = calls.rename(temporary, real);
      if (renamed < 0) {
        calls.unlink(temporary);
        throw failed(renamed);
      }
      // Not supported by some file systems; the file is complete anyway.
      calls.syncDirectory(directory === '' ? '/' : directory);
    },
    remove(path) {
      const real = resolve(path, false);
      const removed = typeof real === 'number' ? real : calls.unlink(real);
      if (removed < 0 && !isAbsent(removed)) throw new Error(`cannot remove ${path}: ${errorMessage(removed)}`);
    },
  };
}

function isAbsent(error: number): boolean {
  return error === ENOENT || error === ENOTDIR || error === ELOOP;
}

function componentsOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

/** The directory of a real path; empty for `/`. */
function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
