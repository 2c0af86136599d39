import { createReadStream } from 'node:fs';
import { readAr } from '../archive/ar.ts';
import { collect } from '../archive/chunks.ts';
import { decompress } from '../compress/compress.ts';
import type { ReadOptions, ReadPackage } from '../layout/packager.ts';
import { type Codec, detectCodec, MAGIC_LENGTH, unsupportedCodec } from '../model/compression.ts';
import type { Layout } from '../model/layout.ts';
import { KubeparcelError } from '../support/errors.ts';
import { changelogPaths, parseDebChangelog, parseFilesLicence } from './documents.ts';
import { type ControlArchive, readControl } from './read-control.ts';
import { type DataArchive, readData } from './read-data.ts';

const GIB = 2 ** 30;
const MAX_UNPACKED = 16 * GIB;
const MAX_CONTROL = 16 << 20;
const MAX_CHANGELOG = 16 << 20;

/**
 * Reads any DEB (deb(5)), its own or another's, and checks all that it says about its own bytes: the structure, the
 * checksums of its compressed parts, md5sums. Nothing is unpacked to disk. Roles are inferred: conffiles are config, below
 * /usr/share/doc files are doc, and those named copyright licence; the licence is what a machine-readable copyright
 * file says of `Files: *`. A hard link becomes a file of its own with the same content.
 *
 * @throws KubeparcelError of kind 'format' for what is damaged, hostile or not a DEB, 'io' for a file that cannot be read
 */
export async function readDeb(path: string, options: ReadOptions = {}): Promise<ReadPackage> {
  try {
    return assemble(await readMembers(fileChunks(path, options.signal), options.maxUnpackedBytes ?? MAX_UNPACKED));
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
      throw new KubeparcelError('io', `it cannot be read (${error.code})`, { where: path, cause: error });
    }
    throw error;
  }
}

interface Members {
  readonly control: ControlArchive;
  readonly data: DataArchive;
  readonly codec: Codec;
}

/** deb(5): debian-binary, control.tar, data.tar in this order; further members are someone's own and begin with `_`. */
async function readMembers(chunks: AsyncIterable<Uint8Array>, maxUnpacked: number): Promise<Members> {
  let versionSeen = false;
  let control: ControlArchive | undefined;
  let data: DataArchive | undefined;
  let codec: Codec = 'none';
  for await (const { name, content } of readAr(chunks)) {
    if (!versionSeen) {
      if (name !== 'debian-binary') {
        throw new KubeparcelError('format', 'an ar archive, but not a Debian package');
      }
      await checkFormatVersion(content);
      versionSeen = true;
    } else if (name.startsWith('_')) {
      // Such as the signatures of debsigs.
    } else if (control === undefined && /^control\.tar(\.|$)/.test(name)) {
      const [, unpacked] = await open(name, content, MAX_CONTROL);
      control = await within(name, () => readControl(unpacked));
    } else if (control !== undefined && data === undefined && /^data\.tar(\.|$)/.test(name)) {
      const known = control;
      const [dataCodec, unpacked] = await open(name, content, maxUnpacked);
      codec = dataCodec;
      data = await within(name, () => readData(unpacked, known));
    } else {
      throw new KubeparcelError('format', `a member named ${JSON.stringify(name)} where it cannot be`);
    }
  }
  if (control === undefined || data === undefined) {
    throw new KubeparcelError('format', `it has no ${control === undefined ? 'control.tar' : 'data.tar'}`);
  }
  return { control, data, codec };
}

async function checkFormatVersion(content: AsyncIterable<Uint8Array>): Promise<void> {
  const tooLong = () => new KubeparcelError('format', 'debian-binary is too long');
  const text = Buffer.from(await collect(content, 1024, tooLong)).toString('latin1');
  if (!/^2\.\d+\n/.test(text)) {
    throw new KubeparcelError('format', `a Debian package of the unknown version ${JSON.stringify(text.slice(0, 20))}`);
  }
}

const SUFFIXES: Readonly<Record<string, Codec>> = { '': 'none', '.gz': 'gzip', '.xz': 'xz', '.zst': 'zstd' };

/** A member's codec, which its name and its first bytes must agree on, and what it unpacks to. */
async function open(
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
    throw new KubeparcelError('format', `named for ${codec}, but it is ${found}`, { where: name });
  }
  async function* whole() {
    yield* start;
    yield* { [Symbol.asyncIterator]: () => source };
  }
  return [codec, decompress(whole(), codec, { maxBytes })];
}

/** Says which member an error is about. */
async function within<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof KubeparcelError && error.kind === 'format' ? error.within(name) : error;
  }
}

async function assemble({ control, data, codec }: Members): Promise<ReadPackage> {
  const changelog = await readChangelog(control.facts.name, data.kept);
  const copyright = data.kept.get(`/usr/share/doc/${control.facts.name}/copyright`);
  const layout: Layout = {
    format: 'deb',
    ...control.facts,
    licence: copyright === undefined ? '' : parseFilesLicence(Buffer.from(copyright).toString('utf8')),
    scripts: control.scripts,
    date: control.date,
    changelog,
    entries: data.entries,
  };
  return { layout, codec, metadata: control.fields, digests: data.digests };
}

async function readChangelog(name: string, kept: ReadonlyMap<string, Uint8Array>): Promise<Layout['changelog']> {
  const path = changelogPaths(name).find((candidate) => kept.has(candidate));
  const packed = path === undefined ? undefined : kept.get(path);
  if (path === undefined || packed === undefined) {
    return [];
  }
  return within(path, async () => {
    const tooLong = () => new KubeparcelError('format', `a changelog of more than ${MAX_CHANGELOG} bytes`);
    const text = await collect(decompress([packed], 'gzip', { maxBytes: MAX_CHANGELOG }), MAX_CHANGELOG, tooLong);
    return parseDebChangelog(Buffer.from(text).toString('utf8'));
  });
}
