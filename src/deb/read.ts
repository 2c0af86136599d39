import { createReadStream } from 'node:fs';
import { readAr } from '../archive/ar.ts';
import { collect } from '../archive/chunks.ts';
import { decompress } from '../compress/compress.ts';
import type { ReadOptions, ReadPackage } from '../layout/packager.ts';
import { type Codec, detectCodec, MAGIC_LENGTH, unsupportedCodec } from '../model/compression.ts';
import type { Layout } from '../model/layout.ts';
import { KubeparcelError } from '../support/errors.ts';
import { changelogPaths, parseDebChangelog, parseFilesLicense } from './documents.ts';
import { type ControlArchive, readControl } from './read-control.ts';
import { type DataArchive, readData } from './read-data.ts';

const GIB = 2 ** 30;
const MAX_UNPACKED = 16 * GIB;
const MAX_CONTROL = 16 << 20;
const MAX_CHANGELOG = 16 << 20;

/**
 * Reads any DEB (deb(5)) and verifies its structure, the checksums of its compressed members and md5sums. Nothing is
 * unpacked to disk. Roles are inferred: conffiles are config, files below /usr/share/doc are doc, and those named
 * copyright are license. The layout's license is that of `Files: *` in a machine-readable copyright file. A hard link
 * becomes a file with the same content.
 *
 * @throws KubeparcelError of kind 'format' for a damaged or hostile file or one that is not a DEB, 'io' for an unreadable
 *   file
 */
export async function readDeb(path: string, options: ReadOptions = {}): Promise<ReadPackage> {
  try {
    return toPackage(await readMembers(fileChunks(path, options.signal), options.maxUnpackedBytes ?? MAX_UNPACKED));
  } catch (error) {
    throw error instanceof KubeparcelError && error.kind !== 'io' ? error.within(path) : error;
  }
}

async function* fileChunks(path: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, undefined> {
  signal?.throwIfAborted();
  try {
    for await (const chunk of createReadStream(path)) {
      signal?.throwIfAborted();
      yield chunk;
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && 'syscall' in error) {
      throw new KubeparcelError('io', `the package cannot be read (${error.code})`, { where: path, cause: error });
    }
    throw error;
  }
}

interface Members {
  readonly control: ControlArchive;
  readonly data: DataArchive;
  readonly codec: Codec;
}

/** deb(5): debian-binary, control.tar and data.tar in this order. Names of additional members begin with `_`. */
async function readMembers(chunks: AsyncIterable<Uint8Array>, maxUnpacked: number): Promise<Members> {
  let versionSeen = false;
  let control: ControlArchive | undefined;
  let data: DataArchive | undefined;
  let codec: Codec = 'none';
  for await (const { name, content } of readAr(chunks)) {
    if (!versionSeen) {
      if (name !== 'debian-binary') {
        throw new KubeparcelError('format', 'an ar archive, but not a DEB package');
      }
      await checkFormatVersion(content);
      versionSeen = true;
    } else if (name.startsWith('_')) {
      // Ignored; signatures of debsigs, for example.
    } else if (control === undefined && /^control\.tar(\.|$)/.test(name)) {
      const [, unpacked] = await openMember(name, content, MAX_CONTROL);
      control = await within(name, () => readControl(unpacked));
    } else if (control !== undefined && data === undefined && /^data\.tar(\.|$)/.test(name)) {
      const controlArchive = control;
      const [dataCodec, unpacked] = await openMember(name, content, maxUnpacked);
      codec = dataCodec;
      data = await within(name, () => readData(unpacked, controlArchive));
    } else {
      throw new KubeparcelError('format', `unexpected member ${JSON.stringify(name)}`);
    }
  }
  if (control === undefined || data === undefined) {
    throw new KubeparcelError('format', `the package has no ${control === undefined ? 'control.tar' : 'data.tar'}`);
  }
  return { control, data, codec };
}

async function checkFormatVersion(content: AsyncIterable<Uint8Array>): Promise<void> {
  const tooLong = () => new KubeparcelError('format', 'debian-binary is longer than 1024 bytes');
  const text = Buffer.from(await collect(content, 1024, tooLong)).toString('latin1');
  if (!/^2\.\d+\n/.test(text)) {
    throw new KubeparcelError('format', `unsupported version of the DEB format: ${JSON.stringify(text.slice(0, 20))}`);
  }
}

const SUFFIXES: Readonly<Record<string, Codec>> = { '': 'none', '.gz': 'gzip', '.xz': 'xz', '.zst': 'zstd' };

/** Decompresses a member. Its suffix and its first bytes must state the same codec. */
async function openMember(
  name: string,
  content: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<[codec: Codec, unpacked: AsyncIterable<Uint8Array>]> {
  const suffix = name.slice(name.indexOf('.tar') + 4);
  const codec = SUFFIXES[suffix];
  if (codec === undefined) {
    throw unsupportedCodec(suffix === '.bz2' ? 'bzip2' : suffix.slice(1));
  }
  const source = content[Symbol.asyncIterator]();
  const start: Uint8Array[] = [];
  for (let length = 0; length < MAGIC_LENGTH; ) {
    const next = await source.next();
    if (next.done) {
      break;
    }
    start.push(next.value);
    length += next.value.length;
  }
  const found = detectCodec(Buffer.concat(start).subarray(0, MAGIC_LENGTH));
  if (found !== codec) {
    throw new KubeparcelError('format', `the suffix of the member means ${codec}, but its content is ${found}`, {
      where: name,
    });
  }
  async function* whole() {
    yield* start;
    yield* { [Symbol.asyncIterator]: () => source };
  }
  return [codec, decompress(whole(), codec, { maxBytes })];
}

/** Adds the name of the member to errors. */
async function within<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof KubeparcelError && error.kind === 'format' ? error.within(name) : error;
  }
}

async function toPackage({ control, data, codec }: Members): Promise<ReadPackage> {
  const changelog = await readChangelog(control.facts.name, data.documents);
  const copyright = data.documents.get(`/usr/share/doc/${control.facts.name}/copyright`);
  const layout: Layout = {
    format: 'deb',
    ...control.facts,
    license: copyright === undefined ? '' : parseFilesLicense(Buffer.from(copyright).toString('utf8')),
    scripts: control.scripts,
    date: control.date,
    changelog,
    entries: data.entries,
  };
  return { layout, codec, metadata: control.fields, digests: data.digests };
}

async function readChangelog(name: string, documents: ReadonlyMap<string, Uint8Array>): Promise<Layout['changelog']> {
  const path = changelogPaths(name).find((candidate) => documents.has(candidate));
  const packed = path === undefined ? undefined : documents.get(path);
  if (path === undefined || packed === undefined) {
    return [];
  }
  return within(path, async () => {
    const tooLong = () => new KubeparcelError('format', `the changelog is longer than ${MAX_CHANGELOG} bytes`);
    const text = await collect(decompress([packed], 'gzip', { maxBytes: MAX_CHANGELOG }), MAX_CHANGELOG, tooLong);
    return parseDebChangelog(Buffer.from(text).toString('utf8'));
  });
}
