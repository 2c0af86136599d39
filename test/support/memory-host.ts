import type { FileRead, FileStat, Host } from '../../src/confgen/host/host.ts';
import { READ_LIMIT } from '../../src/confgen/host/host.ts';

/**
 * A file of a tree: its text, or another kind of file. Missing parent directories are created. `hex` is a file with these
 * bytes, for invalid UTF-8; `size` is a file of that many `#`.
 */
export type TreeNode =
  | string
  | { readonly file: string; readonly mode?: number | undefined }
  | { readonly hex: string; readonly mode?: number | undefined }
  | { readonly size: number; readonly mode?: number | undefined }
  | { readonly link: string }
  | { readonly directory: true; readonly mode?: number | undefined }
  | { readonly socket: true; readonly mode?: number | undefined }
  /** A pipe or a device. */
  | { readonly other: true; readonly mode?: number | undefined }
  /** A file without read permission; only in memory, because root can read every file. */
  | { readonly denied: true };

/** Files by absolute path. */
export type Tree = Readonly<Record<string, TreeNode>>;

export interface MemoryHost extends Host {
  /** The current tree, without implied directories. */
  tree(): Tree;
  /** Written and removed paths, in order. */
  readonly touched: readonly string[];
  /** Paths passed to `read`, in order. */
  readonly reads: readonly string[];
}

/** A host in memory. Follows the contract of `Host`, including absolute links and loops of links. */
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

  /** Resolves links, the last one only with `followLast`; undefined for a loop or a file in the middle. */
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
      if (real === undefined || kindOf(nodes.get(real)) === 'directory') throw new Error(`cannot write ${path}`);
      touched.push(path);
      given.add(real);
      put(real, { file: text, mode });
    },
    remove(path) {
      const real = resolve(path, false);
      if (real === undefined || !nodes.has(real)) return;
      if (kindOf(nodes.get(real)) === 'directory') throw new Error(`cannot remove ${path}: is a directory`);
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
    return { kind: 'unreadable', reason: kind === 'directory' ? 'is a directory' : 'not a regular file' };
  if (typeof node === 'object' && 'denied' in node) return { kind: 'unreadable', reason: 'permission denied' };
  const bytes = bytesOf(node);
  if (bytes.length > limit) return { kind: 'too-large', limit };
  try {
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { kind: 'unreadable', reason: 'not UTF-8' };
  }
}

/** The bytes of a file; empty for other kinds. */
export function bytesOf(node: TreeNode): Uint8Array {
  if (typeof node === 'string') return Buffer.from(node);
  if ('file' in node) return Buffer.from(node.file);
  if ('hex' in node) return Buffer.from(node.hex, 'hex');
  return 'size' in node ? Buffer.alloc(node.size, '#') : Buffer.alloc(0);
}
