import { decompress } from '../compress/compress.ts';
import type { PackageIdentity, ReadOptions, ReadPackage } from '../layout/packager.ts';
import { CODECS, type Codec, detectCodec, MAGIC_LENGTH, unsupportedCodec } from '../model/compression.ts';
import type { Entry, Layout } from '../model/layout.ts';
import { KubeparcelError } from '../support/errors.ts';
import { readChangelog } from './changelog.ts';
import { checkLeadIdentity } from './lead.ts';
import { openPackage, type PackageFile, readExactly, readFrom, readSections } from './package-file.ts';
import { readFileList } from './read-file-list.ts';
import { badHeader, type Header, numberOf, textOf } from './read-header.ts';
import { readPayload } from './read-payload.ts';
import { readDependencies, readRelations } from './relations.ts';
import { interpretersOf, readScripts } from './scripts.ts';
import { checkDigests, type StatedDigest, statedDigests } from './signature-header.ts';
import { NO_GROUP, readableTags, SIGNATURE_TAGS, TAGS } from './tags.ts';

const MAX_UNPACKED_BYTES = 16 * 2 ** 30;

/**
 * Reads a binary RPM package of version 3 or 4 (RPM V4 format) and verifies all digests in it. Signatures are listed but
 * not verified. The layout leaves out what rpmbuild and kubeparcel add to every package; relations are in rpm's order.
 * Triggers are only in the metadata.
 *
 * @throws KubeparcelError of kind 'format' for a file that is not an RPM, is damaged, or unpacks to more than the limit;
 *   'verification' for a digest that does not match; 'io' if the file cannot be read
 */
export async function readRpm(path: string, options: ReadOptions = {}): Promise<ReadPackage> {
  const file = await openPackage(path);
  try {
    return await readPackage(file, options);
  } catch (error) {
    throw error instanceof KubeparcelError ? error.within(path) : error;
  } finally {
    await file.handle.close();
  }
}

async function readPackage(file: PackageFile, options: ReadOptions): Promise<ReadPackage> {
  const { lead, signatures, header, headerAt } = await readSections(file);
  const payloadAt = headerAt + header.bytes.length;
  const digests = statedDigests(signatures, header);
  checkHeader(header, digests);
  checkSize(signatures, file.size - headerAt);
  const identity = readIdentity(header);
  checkLeadIdentity(lead, identity);
  const codec = await payloadCodec(file, payloadAt, header);
  const entries = await readEntries(file, payloadAt, { signatures, header, digests, codec, options });
  return {
    layout: readLayout(header, identity, entries),
    codec,
    metadata: readableTags(signatures, header),
    digests,
  };
}

function checkHeader(header: Header, digests: readonly StatedDigest[]): void {
  const check = checkDigests(digests, 'header');
  check.update(header.bytes);
  check.finish();
}

/** @param found bytes of header and payload in the file */
export function checkSize(signatures: Header, found: number): void {
  const stated = numberOf(signatures, SIGNATURE_TAGS.LONGSIGSIZE) ?? numberOf(signatures, SIGNATURE_TAGS.SIGSIZE);
  if (stated !== undefined && stated !== found) {
    throw new KubeparcelError('format', `the package has ${found} bytes of header and payload instead of ${stated}`, {
      hint: 'download the package again',
    });
  }
}

export function readIdentity(header: Header): PackageIdentity {
  const needed = (name: 'NAME' | 'VERSION' | 'RELEASE' | 'ARCH'): string => {
    const text = textOf(header, TAGS[name]);
    if (text === undefined || text === '') {
      throw badHeader('immutable', `has no ${name}`);
    }
    return text;
  };
  return {
    name: needed('NAME'),
    version: { epoch: numberOf(header, TAGS.EPOCH) ?? 0, upstream: needed('VERSION'), revision: needed('RELEASE') },
    architecture: needed('ARCH'),
  };
}

function readLayout(header: Header, identity: PackageIdentity, entries: readonly Entry[]): Layout {
  const text = (tag: number) => textOf(header, tag) ?? '';
  const group = text(TAGS.GROUP);
  return {
    format: 'rpm',
    ...identity,
    summary: text(TAGS.SUMMARY),
    description: text(TAGS.DESCRIPTION),
    license: text(TAGS.LICENSE),
    maintainer: text(TAGS.PACKAGER),
    homepage: text(TAGS.URL),
    section: group === NO_GROUP ? '' : group,
    source: text(TAGS.SOURCERPM).replace(/-[^-]+-[^-]+\.(no)?src\.rpm$/, ''),
    date: numberOf(header, TAGS.BUILDTIME) ?? 0,
    relations: readRelations(readDependencies(header), identity, interpretersOf(header)),
    scripts: readScripts(header),
    changelog: readChangelog(header),
    entries,
  };
}

/**
 * The codec in PAYLOADCOMPRESSOR; the first bytes of the payload must match it. Without the tag, the payload is gzip or
 * uncompressed: rpm's gzip reader passes uncompressed data through.
 */
async function payloadCodec(file: PackageFile, payloadAt: number, header: Header): Promise<Codec> {
  const format = textOf(header, TAGS.PAYLOADFORMAT) ?? 'cpio';
  if (format !== 'cpio') {
    throw new KubeparcelError('format', `unsupported payload format ${JSON.stringify(format)}; expected cpio`);
  }
  const stated = textOf(header, TAGS.PAYLOADCOMPRESSOR);
  if (stated !== undefined && (stated === 'none' || !CODECS.some((codec) => codec === stated))) {
    throw unsupportedCodec(stated);
  }
  const first = await readExactly(file, payloadAt, Math.min(MAGIC_LENGTH, file.size - payloadAt));
  const found = detectCodec(first);
  if (stated !== undefined && stated !== found) {
    throw new KubeparcelError('format', `the payload is not compressed with ${stated}, as the header states`);
  }
  return found;
}

interface PayloadContext {
  readonly signatures: Header;
  readonly header: Header;
  readonly digests: readonly StatedDigest[];
  readonly codec: Codec;
  readonly options: ReadOptions;
}

async function readEntries(
  file: PackageFile,
  payloadAt: number,
  { signatures, header, digests, codec, options }: PayloadContext,
): Promise<Entry[]> {
  const list = readFileList(header);
  const whole = checkDigests(digests, 'header and payload');
  const packed = checkDigests(digests, 'payload');
  const unpacked = checkDigests(digests, 'payload, unpacked');
  whole.update(header.bytes);
  const compressed = observed(readFrom(file, payloadAt, options.signal), (chunk) => {
    whole.update(chunk);
    packed.update(chunk);
  });
  let archiveSize = 0;
  const archive = observed(
    decompress(compressed, codec, { maxBytes: options.maxUnpackedBytes ?? MAX_UNPACKED_BYTES }),
    (chunk) => {
      archiveSize += chunk.length;
      unpacked.update(chunk);
    },
  );
  const entries = await readPayload(archive, list);
  packed.finish();
  whole.finish();
  unpacked.finish();
  const statedSize =
    numberOf(signatures, SIGNATURE_TAGS.LONGARCHIVESIZE) ?? numberOf(signatures, SIGNATURE_TAGS.ARCHIVESIZE);
  if (statedSize !== undefined && statedSize !== archiveSize) {
    throw new KubeparcelError('format', `the payload unpacks to ${archiveSize} bytes instead of ${statedSize}`);
  }
  return entries;
}

async function* observed(
  chunks: AsyncIterable<Uint8Array>,
  observe: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) {
    observe(chunk);
    yield chunk;
  }
}
