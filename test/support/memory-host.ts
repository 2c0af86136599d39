import type { FileRead, FileStat, Host } from '../../src/confgen/host/host.ts';
import { READ_LIMIT } from '../../src/confgen/host/host.ts';

/**
 * What stands at a path: a file's text, or one of the things that a host can have there instead. Missing parent
 * directories are made by themselves. `file` may be given as `hex` (bytes that are no UTF-8) or `size` (that many `#`).
 */
export type TreeNode =
  | string
  | { readonly file: string; readonly mode?: number | undefined }
  | { readonly hex: string; readonly mode?: number | undefined }
  | { readonly size: number; readonly mode?: number | undefined }
  | { readonly link: string }
  | { readonly directory: true; readonly mode?: number | undefined }
  | { readonly socket: true; readonly mode?: number | undefined }
  /** Stands for a pipe or a device: neither is read. */
  | { readonly other: true; readonly mode?: number | undefined }
  /** A file that may not be read; only in memory, because root reads everything. */
  | { readonly denied: true };

/** Absolute paths and what stands there. */
export type Tree = Readonly<Record<string, TreeNode>>;

export interface MemoryHost extends Host {
  /** The tree as it is now, after writes and removals; implied directories are not in it. */
  tree(): Tree;
  /** Every path that was written or removed, in order. */
  readonly touched: readonly string[];
  /** Every path that was read with `read`, in order, as it was asked for. */
  readonly reads: readonly string[];
}

/** A host that lives in memory and keeps to the rules of `Host`, absolute links and loops of links included. */
export function memoryHost(tree: Tree, hostName = 'node-a'): MemoryHost {
  const nodes = new Map<string, TreeNode>();
  const put = (path: string, node: TreeNode): void => {
    for (let parent = directoryOf(path); parent !== '/' && !nodes.has(parent); parent = directoryOf(parent)) {
      nodes.set(parent, { directory: true });
    }
    nodes.set(path, node);
  };
  for (const [path, node] of Object.entries(tree)) put(path, node);
  const given = new Set(Object.keys(tree));
  const touched: string[] = [];
  const reads: string[] = [];

  /** The path with every link but, unless asked, the last one followed; undefined for a loop or a file amidst. */
  const resolve = (path: string, followLast: boolean): string | undefined => {
    let rest = path.split('/').filter((part) => part !== '' && part !== '.');
    let at = '/';
    for (let links = 0; rest.length > 0; ) {
      const [name = '', ...after] = rest;
      rest = after;
      if (name === '..') {
        at = directoryOf(at);
        continue;
      }
      const next = at === '/' ? `/${name}` : `${at}/${name}`;
      const node = nodes.get(next);
      if (typeof node === 'object' && 'link' in node && (rest.length > 0 || followLast)) {
        links += 1;
        if (links > 40) return undefined;
        if (node.link.startsWith('/')) at = '/';
        rest = [...node.link.split('/').filter((part) => part !== '' && part !== '.'), ...rest];
        continue;
      }
      if (rest.length > 0 && node !== undefined && kindOf(node) !== 'directory') return undefined;
      at = next;
    }
    return at;
  };

  const nodeAt = (path: string, followLast: boolean): TreeNode | undefined => {
    const real = resolve(path, followLast);
    if (real === undefined) return undefined;
    return real === '/' ? { directory: true } : nodes.get(real);
  };

  return {
    read(path, limit = READ_LIMIT): FileRead {
      reads.push(path);
      return readNode(nodeAt(path, true), limit);
    },
    stat(path): FileStat {
      const node = nodeAt(path, false);
      const kind = kindOf(node);
      return node === undefined || kind === undefined ? { kind: 'absent' } : { kind, mode: modeOf(node) };
    },
    readLink(path) {
      const node = nodeAt(path, false);
      return typeof node === 'object' && 'link' in node ? node.link : undefined;
    },
    list(path) {
      const real = resolve(path, true);
      if (real === undefined || (real !== '/' && kindOf(nodes.get(real)) !== 'directory')) return undefined;
      const prefix = real === '/' ? '/' : `${real}/`;
      const names = [...nodes.keys()].filter((at) => at.startsWith(prefix) && !at.slice(prefix.length).includes('/'));
      return names.map((at) => at.slice(prefix.length)).sort();
    },
    hostName: () => hostName,
    write(path, text, mode) {
      const real = resolve(path, false);
      if (real === undefined || kindOf(nodes.get(real)) === 'directory') throw new Error(`${path}: cannot be written`);
      touched.push(path);
      given.add(real);
      put(real, { file: text, mode });
    },
    remove(path) {
      const real = resolve(path, false);
      if (real === undefined || !nodes.has(real)) return;
      if (kindOf(nodes.get(real)) === 'directory') throw new Error(`${path}: is a directory`);
      touched.push(path);
      given.delete(real);
      nodes.delete(real);
    },
    tree: () => Object.fromEntries([...nodes].filter(([path]) => given.has(path))),
    touched,
    reads,
  };
}

function directoryOf(path: string): string {
  const cut = path.lastIndexOf('/');
  return cut <= 0 ? '/' : path.slice(0, cut);
}

function kindOf(node: TreeNode | undefined): Exclude<FileStat['kind'], 'absent'> | undefined {
  if (node === undefined) return undefined;
  if (typeof node === 'string' || 'file' in node || 'hex' in node || 'size' in node || 'denied' in node) return 'file';
  if ('link' in node) return 'symlink';
  if ('directory' in node) return 'directory';
  return 'socket' in node ? 'socket' : 'other';
}

function modeOf(node: TreeNode): number {
  if (typeof node === 'object' && 'link' in node) return 0o777;
  if (typeof node === 'object' && 'denied' in node) return 0;
  const given = typeof node === 'object' ? node.mode : undefined;
  return given ?? (kindOf(node) === 'directory' ? 0o755 : 0o644);
}

function readNode(node: TreeNode | undefined, limit: number): FileRead {
  if (node === undefined) return { kind: 'absent' };
  const kind = kindOf(node);
  if (kind !== 'file')
    return { kind: 'unreadable', reason: kind === 'directory' ? 'it is a directory' : 'it is no file' };
  if (typeof node === 'object' && 'denied' in node) return { kind: 'unreadable', reason: 'permission denied' };
  const bytes = bytesOf(node);
  if (bytes.length > limit) return { kind: 'too-large', limit };
  try {
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { kind: 'unreadable', reason: 'it is not UTF-8' };
  }
}

/** The bytes of a file of a tree; empty for what is no file. */
export function bytesOf(node: TreeNode): Uint8Array {
  if (typeof node === 'string') return Buffer.from(node);
  if ('file' in node) return Buffer.from(node.file);
  if ('hex' in node) return Buffer.from(node.hex, 'hex');
  return 'size' in node ? Buffer.alloc(node.size, '#') : Buffer.alloc(0);
}
