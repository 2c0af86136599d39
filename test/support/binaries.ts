import { gzipSync } from 'node:zlib';
import { Header } from 'tar';
import type { Architecture } from '../../src/model/architecture.ts';

const MACHINES = { amd64: 62, arm64: 183, ppc64le: 21, s390x: 22 } as const;

export interface ElfShape {
  /** Required symbol versions by soname; undefined for a static binary. */
  readonly needs?: Readonly<Record<string, readonly string[]>>;
  /** Bytes after the tables, so that binaries differ. */
  readonly tail?: Uint8Array | string;
}

/** A 64-bit ELF file with headers and tables, without code. */
export function makeElf(architecture: Architecture, { needs, tail = '' }: ElfShape = {}): Buffer {
  const little = architecture !== 's390x';
  const strings: string[] = [''];
  let used = 1;
  const string = (text: string): number => {
    const at = used;
    strings.push(text);
    used += text.length + 1;
    return at;
  };
  const sonames = Object.entries(needs ?? {}).map(([soname, versions]) => ({
    soname: string(soname),
    versions: versions.map(string),
  }));
  const base = 0x400000;
  const headers = needs === undefined ? 1 : 2;
  const dynamicAt = 64 + 56 * headers;
  const dynamicSize = needs === undefined ? 0 : (sonames.length + 5) * 16;
  const verneedAt = dynamicAt + dynamicSize;
  const verneed = Buffer.alloc(sonames.reduce((sum, { versions }) => sum + 16 + 16 * versions.length, 0));
  const stringsAt = verneedAt + verneed.length;
  const file = Buffer.concat([
    Buffer.alloc(verneedAt),
    verneed,
    Buffer.from(`${strings.join('\0')}\0`),
    typeof tail === 'string' ? Buffer.from(tail) : tail,
  ]);
  const u16 = (at: number, value: number) => (little ? file.writeUInt16LE(value, at) : file.writeUInt16BE(value, at));
  const u32 = (at: number, value: number) => (little ? file.writeUInt32LE(value, at) : file.writeUInt32BE(value, at));
  const u64 = (at: number, value: number) =>
    little ? file.writeBigUInt64LE(BigInt(value), at) : file.writeBigUInt64BE(BigInt(value), at);

  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, little ? 1 : 2, 1]).copy(file);
  u16(16, 2);
  u16(18, MACHINES[architecture]);
  u32(20, 1);
  u64(32, 64);
  u16(52, 64);
  u16(54, 56);
  u16(56, headers);
  const segment = (index: number, type: number, offset: number, size: number) => {
    const at = 64 + 56 * index;
    u32(at, type);
    u64(at + 8, offset);
    u64(at + 16, base + offset);
    u64(at + 32, size);
    u64(at + 40, size);
  };
  segment(0, 1, 0, file.length);
  if (needs !== undefined) {
    segment(1, 2, dynamicAt, dynamicSize);
    const entries: [number, number][] = sonames.map(({ soname }) => [1, soname]);
    entries.push(
      [5, base + stringsAt],
      [10, used],
      [0x6ffffffe, base + verneedAt],
      [0x6fffffff, sonames.length],
      [0, 0],
    );
    for (const [i, [tag, value]] of entries.entries()) {
      u64(dynamicAt + 16 * i, tag);
      u64(dynamicAt + 16 * i + 8, value);
    }
    let at = verneedAt;
    for (const [i, { soname, versions }] of sonames.entries()) {
      const length = 16 + 16 * versions.length;
      u16(at, 1);
      u16(at + 2, versions.length);
      u32(at + 4, soname);
      u32(at + 8, 16);
      u32(at + 12, i === sonames.length - 1 ? 0 : length);
      for (const [j, version] of versions.entries()) {
        const aux = at + 16 + 16 * j;
        u32(aux + 8, version);
        u32(aux + 12, j === versions.length - 1 ? 0 : 16);
      }
      at += length;
    }
  }
  return file;
}

export interface TarMember {
  readonly path: string;
  readonly body?: Uint8Array | string;
  readonly mode?: number;
  readonly type?: 'File' | 'Directory' | 'SymbolicLink' | 'Link' | 'CharacterDevice' | 'BlockDevice' | 'FIFO';
  readonly linkpath?: string;
}

/** A gzipped tar archive of exactly these members, including invalid ones. */
export function makeTgz(members: readonly TarMember[]): Buffer {
  return gzipSync(makeTar(members), { level: 1 });
}

export function makeTar(members: readonly TarMember[]): Buffer {
  const blocks: Uint8Array[] = [];
  for (const { path, body = '', mode = 0o755, type = 'File', linkpath } of members) {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const block = Buffer.alloc(512);
    const size = type === 'File' ? bytes.length : 0;
    new Header({ path, mode, type, size, uid: 0, gid: 0, mtime: new Date(0), ...(linkpath && { linkpath }) }).encode(
      block,
    );
    blocks.push(block);
    if (size > 0) {
      blocks.push(bytes, Buffer.alloc((512 - (size % 512)) % 512));
    }
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}
