import { type Architecture, elfArchitecture } from '../model/architecture.ts';
import type { SharedLibraryNeed } from '../model/payload.ts';
import { KubeparcelError } from '../support/errors.ts';
import type { RandomAccess } from './store/random-access.ts';

/** The properties of an ELF file that a package needs. */
export interface ElfFacts {
  readonly architecture: Architecture;
  /** Sorted by soname; empty for a statically linked binary. */
  readonly libraries: readonly SharedLibraryNeed[];
}

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const DT = { NULL: 0n, NEEDED: 1n, STRTAB: 5n, STRSZ: 10n, VERNEED: 0x6ffffffen, VERNEEDNUM: 0x6fffffffn } as const;

// Limits: far more than linkers write, but still cheap to read.
const MAX_HEADERS = 512;
const MAX_DYNAMIC_BYTES = 1 << 16;
const MAX_NEEDED = 256;
const MAX_VERSIONS = 4096;
const MAX_STRING = 1024;

export function startsAsElf(head: Uint8Array): boolean {
  return head[0] === 0x7f && head[1] === 0x45 && head[2] === 0x4c && head[3] === 0x46;
}

/**
 * Reads an ELF file's header and dynamic section (ELF gABI chapters 4 and 5; symbol versions: LSB core, 10.7.3). Reads
 * only a few KiB of the file and loops only up to the limits above.
 *
 * @param where the binary's name, for errors
 * @throws KubeparcelError of kind 'format' for a damaged file and for an unsupported architecture
 */
export async function readElf(file: RandomAccess, where: string): Promise<ElfFacts> {
  const header = await exactly(file, 0, 64, where);
  if (!startsAsElf(header)) throw damaged(where, 'no ELF header');
  if (header[4] !== 2 || (header[5] !== 1 && header[5] !== 2)) throw damaged(where, 'not a 64-bit binary');
  const view = viewOf(header, header[5] === 1);
  const machine = view.u16(18);
  const architecture = elfArchitecture(machine, view.littleEndian);
  if (architecture === undefined) {
    const order = view.littleEndian ? 'little' : 'big';
    throw damaged(where, `unsupported architecture (machine ${machine}, ${order}-endian)`);
  }
  const type = view.u16(16);
  if (type !== 2 && type !== 3) throw damaged(where, `ELF type ${type}, not an executable`);
  const segments = await readSegments(file, view, where);
  const dynamic = segments.find((segment) => segment.type === PT_DYNAMIC);
  const libraries = dynamic === undefined ? [] : await readNeeds(file, view.littleEndian, segments, dynamic, where);
  return { architecture, libraries };
}

interface Segment {
  readonly type: number;
  readonly offset: bigint;
  readonly address: bigint;
  readonly fileSize: bigint;
}

async function readSegments(file: RandomAccess, header: View, where: string): Promise<readonly Segment[]> {
  const entrySize = header.u16(54);
  const count = header.u16(56);
  if (count === 0) throw damaged(where, 'no program headers');
  if (entrySize !== 56 || count > MAX_HEADERS) throw damaged(where, `${count} program headers of ${entrySize} bytes`);
  const table = viewOf(await exactly(file, header.u64(32), entrySize * count, where), header.littleEndian);
  return Array.from({ length: count }, (_, i) => ({
    type: table.u32(i * entrySize),
    offset: table.u64(i * entrySize + 8),
    address: table.u64(i * entrySize + 16),
    fileSize: table.u64(i * entrySize + 32),
  }));
}

async function readNeeds(
  file: RandomAccess,
  littleEndian: boolean,
  segments: readonly Segment[],
  dynamic: Segment,
  where: string,
): Promise<readonly SharedLibraryNeed[]> {
  const length = Number(dynamic.fileSize < MAX_DYNAMIC_BYTES ? dynamic.fileSize : BigInt(MAX_DYNAMIC_BYTES));
  const table = viewOf(await exactly(file, dynamic.offset, length - (length % 16), where), littleEndian);
  const needed: bigint[] = [];
  const values = new Map<bigint, bigint>();
  for (let at = 0; at + 16 <= table.length; at += 16) {
    const tag = table.u64(at);
    if (tag === DT.NULL) break;
    if (tag === DT.NEEDED) {
      needed.push(table.u64(at + 8));
    } else {
      values.set(tag, table.u64(at + 8));
    }
  }
  if (needed.length > MAX_NEEDED) throw damaged(where, `more than ${MAX_NEEDED} needed libraries`);
  if (needed.length === 0) return [];
  const strings = values.get(DT.STRTAB);
  if (strings === undefined) throw damaged(where, 'needed libraries but no string table');
  const base = fileOffset(segments, strings, where);
  const size = values.get(DT.STRSZ) ?? 0n;
  const stringAt = async (index: bigint): Promise<string> => {
    if (index >= size) throw damaged(where, 'a name outside the string table');
    const rest = size - index;
    const bytes = await file.read(
      safeNumber(base + index, where),
      Number(rest < MAX_STRING ? rest : BigInt(MAX_STRING)),
    );
    const end = bytes.indexOf(0);
    const text = end < 0 ? '' : bytes.subarray(0, end).toString('latin1');
    if (!/^[!-~]+$/.test(text)) throw damaged(where, 'an invalid name in the string table');
    return text;
  };
  const versions = new Map<string, Set<string>>();
  for (const index of needed) {
    versions.set(await stringAt(index), new Set());
  }
  const verneed = values.get(DT.VERNEED);
  if (verneed !== undefined) {
    await readVersions(file, littleEndian, {
      start: fileOffset(segments, verneed, where),
      count: values.get(DT.VERNEEDNUM) ?? 0n,
      stringAt,
      versions,
      where,
    });
  }
  return [...versions.entries()]
    .map(([soname, required]) => ({ soname, symbolVersions: [...required].sort() }))
    .sort((a, b) => (a.soname < b.soname ? -1 : 1));
}

interface VersionTable {
  readonly start: bigint;
  readonly count: bigint;
  readonly stringAt: (index: bigint) => Promise<string>;
  readonly versions: Map<string, Set<string>>;
  readonly where: string;
}

/** Follows Elf64_Verneed and its Elf64_Vernaux entries, up to MAX_VERSIONS. */
async function readVersions(file: RandomAccess, littleEndian: boolean, table: VersionTable): Promise<void> {
  const { stringAt, versions, where } = table;
  let budget = MAX_VERSIONS;
  let at = table.start;
  for (let left = table.count; left > 0n; left--) {
    const need = viewOf(await exactly(file, at, 16, where), littleEndian);
    const soname = await stringAt(BigInt(need.u32(4)));
    const required = versions.get(soname) ?? new Set<string>();
    versions.set(soname, required);
    let auxiliary = at + BigInt(need.u32(8));
    for (let names = need.u16(2); names > 0; names--) {
      if (--budget < 0) throw damaged(where, `more than ${MAX_VERSIONS} symbol versions`);
      const aux = viewOf(await exactly(file, auxiliary, 16, where), littleEndian);
      required.add(await stringAt(BigInt(aux.u32(8))));
      const next = aux.u32(12);
      if (next === 0) break;
      auxiliary += BigInt(next);
    }
    const next = need.u32(12);
    if (next === 0) break;
    if (--budget < 0) throw damaged(where, `more than ${MAX_VERSIONS} symbol versions`);
    at += BigInt(next);
  }
}

/** Translates a virtual address from the dynamic section into a file offset. */
function fileOffset(segments: readonly Segment[], address: bigint, where: string): bigint {
  const segment = segments.find((s) => s.type === PT_LOAD && address >= s.address && address < s.address + s.fileSize);
  if (segment === undefined) throw damaged(where, 'a table at an address outside all loaded segments');
  return segment.offset + (address - segment.address);
}

interface View {
  readonly littleEndian: boolean;
  readonly length: number;
  u16(at: number): number;
  u32(at: number): number;
  u64(at: number): bigint;
}

function viewOf(bytes: Buffer, littleEndian: boolean): View {
  return {
    littleEndian,
    length: bytes.length,
    u16: (at) => (littleEndian ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)),
    u32: (at) => (littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)),
    u64: (at) => (littleEndian ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at)),
  };
}

async function exactly(file: RandomAccess, offset: number | bigint, length: number, where: string): Promise<Buffer> {
  const bytes = await file.read(safeNumber(BigInt(offset), where), length);
  if (bytes.length !== length) throw damaged(where, 'its headers point past its end');
  return bytes;
}

function safeNumber(value: bigint, where: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged(where, 'its headers point past its end');
  return Number(value);
}

function damaged(where: string, what: string): KubeparcelError {
  return new KubeparcelError('format', `unusable binary: ${what}`, { where });
}
