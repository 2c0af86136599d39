import { createHash } from 'node:crypto';
import { arChunks, writeAr } from '../archive/ar.ts';
import { type TarEntry, tarSource, writeTar } from '../archive/tar.ts';
import { isBlockCodec } from '../compress/block-store.ts';
import { compress } from '../compress/compress.ts';
import { compressArchive } from '../compress/compress-archive.ts';
import type { Packager, SpliceOptions, WriteOptions } from '../layout/packager.ts';
import { Spool } from '../layout/spool.ts';
import { verifiedContent } from '../layout/tree.ts';
import type { Codec } from '../model/compression.ts';
import { contentSha256, contentSize } from '../model/content.ts';
import type { Entry, FileEntry, Layout } from '../model/layout.ts';
import type { OutputChunk } from '../support/output-chunks.ts';
import { checkDebLayout } from './check-layout.ts';
import { controlMembers } from './write-control.ts';

const SUFFIXES: Readonly<Record<Codec, string>> = { none: '', gzip: '.gz', xz: '.xz', zstd: '.zst' };

/** Format version 2.0 (deb(5)). */
const DEBIAN_BINARY = Buffer.from('2.0\n');

/** Writes DEBs (deb(5)) with the same compression for control.tar and data.tar. */
export const debPackager: Packager = {
  /** As dpkg-deb names it: name_version_architecture.deb without the epoch. */
  fileName: ({ name, version, architecture }) =>
    `${name}_${version.upstream}${version.revision === '' ? '' : `-${version.revision}`}_${architecture}.deb`,
  write: writeDeb,
  splice: spliceDeb,
};

/**
 * @throws KubeparcelError of kind 'format' for a layout that a DEB cannot represent, 'verification' for a stored content
 *   that differs from the layout
 */
async function* writeDeb(layout: Layout, options: WriteOptions): AsyncGenerator<Uint8Array, void, undefined> {
  checkDebLayout(layout);
  const { compression, signal } = options;
  const sums = new Map<string, string>();
  const spool = await Spool.create(options.spoolDirectory);
  try {
    const size = await spool.write(compress(writeTar(dataEntries(layout, sums, options)), compression, signal));
    const control = await collectChunks(compress(writeTar(controlEntries(layout, sums)), compression, signal));
    const suffix = SUFFIXES[compression.codec];
    yield* writeAr(
      [
        { name: 'debian-binary', size: DEBIAN_BINARY.length, content: [DEBIAN_BINARY] },
        { name: `control.tar${suffix}`, size: control.reduce((sum, { length }) => sum + length, 0), content: control },
        { name: `data.tar${suffix}`, size, content: spool.read(signal) },
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
  const controlTar = Buffer.concat(await collectChunks(writeTar(controlEntries(layout, sums))));
  const control =
    codec === 'zstd'
      ? [await blocks.zstdFrame(controlTar, level)]
      : await collectChunks(compress([controlTar], compression, signal));
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

async function collectChunks(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}

/** The MD5 of a file. Reads the file only if its MD5 is not known from compressing it. */
function knownMd5(
  { path, content }: FileEntry,
  sums: ReadonlyMap<string, string>,
  { objects, blocks }: SpliceOptions,
): Promise<string> {
  const find = async () => {
    const known = sums.get(path);
    if (known !== undefined) return known;
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

/** A file's verified content; adds its MD5 to `sums` at the end. */
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
