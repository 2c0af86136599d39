import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { arChunks, writeAr } from '../archive/ar.ts';
import { type TarEntry, tarSource, writeTar } from '../archive/tar.ts';
import { compress } from '../compress/compress.ts';
import { compressArchive, isBlockCodec } from '../compress/compress-archive.ts';
import type { Packager, SpliceOptions, WriteOptions } from '../layout/packager.ts';
import { verifiedContent } from '../layout/tree.ts';
import type { Codec } from '../model/compression.ts';
import { contentSha256, contentSize } from '../model/content.ts';
import type { Entry, FileEntry, Layout } from '../model/layout.ts';
import type { OutputChunk } from '../support/output-chunks.ts';
import { checkDebLayout } from './check-layout.ts';
import { controlMembers } from './write-control.ts';

const SUFFIXES: Readonly<Record<Codec, string>> = { none: '', gzip: '.gz', xz: '.xz', zstd: '.zst' };

/** What deb(5) calls version 2.0 of the format. */
const DEBIAN_BINARY = Buffer.from('2.0\n');

const SPOOL_CHUNK = 1 << 16;

/** DEBs as deb(5) describes them, with control.tar and data.tar in the same compression. */
export const debPackager: Packager = {
  /** name_version_architecture.deb, without the epoch, as dpkg-deb names it. */
  fileName: ({ name, version, architecture }) =>
    `${name}_${version.upstream}${version.revision === '' ? '' : `-${version.revision}`}_${architecture}.deb`,
  write: writeDeb,
  splice: spliceDeb,
};

/**
 * @throws KubeparcelError of kind 'format' for a layout that no DEB can hold, 'verification' for a stored content that
 *   is not what the layout says
 */
async function* writeDeb(layout: Layout, options: WriteOptions): AsyncGenerator<Uint8Array, void, undefined> {
  checkDebLayout(layout);
  const { compression, signal } = options;
  const sums = new Map<string, string>();
  const spool = await openSpool(options.spoolDirectory);
  try {
    const size = await fill(spool, compress(writeTar(dataEntries(layout, sums, options)), compression, signal));
    const control = await all(compress(writeTar(controlEntries(layout, sums)), compression, signal));
    const suffix = SUFFIXES[compression.codec];
    yield* writeAr(
      [
        { name: 'debian-binary', size: DEBIAN_BINARY.length, content: [DEBIAN_BINARY] },
        { name: `control.tar${suffix}`, size: control.reduce((sum, { length }) => sum + length, 0), content: control },
        { name: `data.tar${suffix}`, size, content: drain(spool, signal) },
      ],
      layout.date,
    );
  } finally {
    await spool.close();
  }
}

/** @throws as writeDeb */
async function spliceDeb(layout: Layout, options: SpliceOptions): Promise<OutputChunk[] | undefined> {
  const { compression, blocks, onBytes, signal, ...uncounted } = options;
  const { codec, level } = compression;
  if (!isBlockCodec(codec)) return undefined;
  checkDebLayout(layout);
  const sums = new Map<string, string>();
  const source = tarSource(dataEntries(layout, sums, uncounted));
  const data = await compressArchive(source, { codec, level, store: blocks, onBytes, signal });
  for (const entry of layout.entries) {
    if (entry.kind === 'file') sums.set(entry.path, await knownMd5(entry, sums, options));
  }
  const controlTar = Buffer.concat(await all(writeTar(controlEntries(layout, sums))));
  const control =
    codec === 'zstd'
      ? [await blocks.zstdFrame(controlTar, level)]
      : await all(compress([controlTar], compression, signal));
  const suffix = SUFFIXES[codec];
  return arChunks(
    [
      { name: 'debian-binary', chunks: [DEBIAN_BINARY] },
      { name: `control.tar${suffix}`, chunks: control },
      { name: `data.tar${suffix}`, chunks: data.chunks },
    ],
    layout.date,
  );
}

async function all(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const kept: Uint8Array[] = [];
  for await (const chunk of chunks) kept.push(chunk);
  return kept;
}

/** The MD5 of a content; it is read for it only where it was not read to be compressed. */
function knownMd5(
  { path, content }: FileEntry,
  sums: ReadonlyMap<string, string>,
  { objects, blocks }: SpliceOptions,
): Promise<string> {
  const find = async () => {
    const passed = sums.get(path);
    if (passed !== undefined) return passed;
    const md5 = createHash('md5');
    for await (const chunk of verifiedContent(content, objects)) md5.update(chunk);
    return md5.digest('hex');
  };
  return content.kind === 'memory' ? find() : blocks.fact('md5', content.sha256, find);
}

type ContentOptions = Pick<WriteOptions, 'objects' | 'onBytes'>;

function* dataEntries(
  layout: Layout,
  sums: Map<string, string>,
  options: ContentOptions,
): Generator<TarEntry, void, undefined> {
  yield { path: './', kind: 'directory', mode: 0o755, owner: 'root', group: 'root', mtime: layout.date };
  for (const entry of layout.entries) {
    yield dataEntry(entry, sums, options);
  }
}

function dataEntry(entry: Entry, sums: Map<string, string>, options: ContentOptions): TarEntry {
  const { mode, owner, group, mtime } = entry;
  const base = { path: `.${entry.path}`, mode, owner, group, mtime };
  switch (entry.kind) {
    case 'directory':
      return { ...base, path: `${base.path}/`, kind: 'directory' };
    case 'symlink':
      return { ...base, kind: 'symlink', target: entry.target };
    case 'file':
      return {
        ...base,
        kind: 'file',
        size: contentSize(entry.content),
        key: contentSha256(entry.content),
        content: { [Symbol.asyncIterator]: () => summed(entry, sums, options) },
      };
  }
}

/** A file's verified content; when it has passed, its MD5 stands in `sums`. */
async function* summed(
  { path, content }: FileEntry,
  sums: Map<string, string>,
  { objects, onBytes }: ContentOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const md5 = createHash('md5');
  for await (const chunk of verifiedContent(content, objects)) {
    md5.update(chunk);
    onBytes?.(chunk.length);
    yield chunk;
  }
  sums.set(path, md5.digest('hex'));
}

function* controlEntries(layout: Layout, sums: ReadonlyMap<string, string>): Generator<TarEntry, void, undefined> {
  const base = { owner: 'root', group: 'root', mtime: layout.date };
  yield { ...base, path: './', kind: 'directory', mode: 0o755 };
  for (const { name, mode, bytes } of controlMembers(layout, (path) => sums.get(path) ?? '')) {
    yield { ...base, path: `./${name}`, kind: 'file', mode, size: bytes.length, content: [bytes] };
  }
}

/** A file that has lost its name already, so that nothing is left behind however the process ends. */
async function openSpool(directory: string): Promise<FileHandle> {
  const path = join(directory, `.${randomBytes(8).toString('hex')}.data.tar`);
  const spool = await open(path, 'wx+', 0o600);
  try {
    await rm(path);
  } catch (error) {
    await spool.close();
    throw error;
  }
  return spool;
}

async function fill(spool: FileHandle, chunks: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0;
  for await (const chunk of chunks) {
    await spool.writeFile(chunk);
    size += chunk.length;
  }
  return size;
}

async function* drain(spool: FileHandle, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, undefined> {
  for (let position = 0; ; ) {
    signal?.throwIfAborted();
    const { bytesRead, buffer } = await spool.read(Buffer.allocUnsafe(SPOOL_CHUNK), 0, SPOOL_CHUNK, position);
    if (bytesRead === 0) {
      return;
    }
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
