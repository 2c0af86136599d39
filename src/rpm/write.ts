import { createHash } from 'node:crypto';
import { isBlockCodec } from '../compress/block-store.ts';
import type { PackageIdentity, Packager, SpliceOptions, WriteOptions } from '../layout/packager.ts';
import type { Compression } from '../model/compression.ts';
import type { Layout } from '../model/layout.ts';
import type { OutputChunk } from '../support/output-chunks.ts';
import { changelogEntries } from './changelog.ts';
import { checkRpmLayout } from './check-layout.ts';
import { sortDependencies } from './dependency.ts';
import { DIGEST_SHA256, fileEntries, hasLargeFiles, type ListedFile, listFiles } from './file-list.ts';
import { encodeHeader, type HeaderEntry, i18nString, int32, string, stringArray } from './header.ts';
import { encodeLead } from './lead.ts';
import { type PayloadFacts, packPayload, spoolPayload } from './payload.ts';
import { DEPENDENCY_TAGS, type DependencyList, rpmlibDependencies, statedDependencies } from './relations.ts';
import { interpreterDependencies, scriptEntries } from './scripts.ts';
import { type PackageFacts, signatureHeader } from './signature-header.ts';
import { NO_GROUP, TAGS } from './tags.ts';

/** rpm requires the tag RPMVERSION, but does not use its value. */
const RPM_VERSION = '4.18.0';
/** A constant, so that the same layout gives the same bytes on every machine. */
const BUILD_HOST = 'localhost';

/** Writes RPM packages of version 4: lead, signature header, header, payload (a compressed cpio archive). */
export const rpmPackager: Packager = {
  fileName: ({ name, version, architecture }: PackageIdentity) =>
    `${name}-${version.upstream}-${version.revision}.${architecture}.rpm`,
  write: writeRpm,
  splice: spliceRpm,
};

async function* writeRpm(layout: Layout, options: WriteOptions): AsyncGenerator<Uint8Array, void, undefined> {
  checkRpmLayout(layout);
  const files = listFiles(layout.entries);
  const payload = await spoolPayload(files, options);
  try {
    const header = headerOf(layout, files, payload, options.compression);
    // The MD5 covers header and payload in this order, so the payload is read twice.
    const md5 = createHash('md5').update(header);
    for await (const chunk of payload.chunks()) md5.update(chunk);
    yield encodeLead(layout);
    yield signatureHeader(packageFacts(header, payload, md5.digest('hex')), []);
    yield header;
    yield* payload.chunks();
  } finally {
    await payload.close();
  }
}

async function spliceRpm(layout: Layout, options: SpliceOptions): Promise<OutputChunk[] | undefined> {
  const { codec } = options.compression;
  checkRpmLayout(layout);
  const files = listFiles(layout.entries);
  // Compressed blocks cannot be spliced into an archive with stripped headers.
  if (!isBlockCodec(codec) || hasLargeFiles(files)) return undefined;
  const payload = await packPayload(files, codec, options);
  const header = headerOf(layout, files, payload, options.compression);
  const md5 = await options.blocks.digest('md5', [header, ...payload.chunks]);
  return [encodeLead(layout), signatureHeader(packageFacts(header, payload, md5), []), header, ...payload.chunks];
}

function headerOf(
  layout: Layout,
  files: readonly ListedFile[],
  payload: PayloadFacts,
  compression: Compression,
): Uint8Array {
  return encodeHeader('immutable', [
    ...identityEntries(layout),
    ...buildEntries(layout),
    ...dependencyEntries(layout, files, compression),
    ...scriptEntries(layout),
    ...changelogEntries(layout.changelog),
    ...fileEntries(files),
    ...payloadEntries(payload, compression),
  ]);
}

function identityEntries(layout: Layout): HeaderEntry[] {
  const { epoch, upstream, revision } = layout.version;
  return [
    [TAGS.HEADERI18NTABLE, stringArray(['C'])],
    [TAGS.NAME, string(layout.name)],
    [TAGS.VERSION, string(upstream)],
    [TAGS.RELEASE, string(revision)],
    ...(epoch === 0 ? [] : [[TAGS.EPOCH, int32([epoch])] as const]),
    [TAGS.SUMMARY, i18nString(layout.summary)],
    [TAGS.DESCRIPTION, i18nString(layout.description)],
    [TAGS.GROUP, i18nString(layout.section || NO_GROUP)],
    ...text(TAGS.LICENSE, layout.license),
    ...text(TAGS.PACKAGER, layout.maintainer),
    ...text(TAGS.URL, layout.homepage),
    [TAGS.ENCODING, string('utf-8')],
  ];
}

function buildEntries({ architecture, date, source, version }: Layout): HeaderEntry[] {
  return [
    [TAGS.OS, string('linux')],
    [TAGS.ARCH, string(architecture)],
    [TAGS.PLATFORM, string(`${architecture}-linux`)],
    [TAGS.BUILDTIME, int32([date])],
    [TAGS.BUILDHOST, string(BUILD_HOST)],
    [TAGS.SOURCERPM, string(`${source}-${version.upstream}-${version.revision}.src.rpm`)],
    [TAGS.RPMVERSION, string(RPM_VERSION)],
  ];
}

function text(tag: number, value: string): HeaderEntry[] {
  return value === '' ? [] : [[tag, string(value)]];
}

function dependencyEntries(layout: Layout, files: readonly ListedFile[], compression: Compression): HeaderEntry[] {
  const stated = statedDependencies(layout);
  stated.requires.push(...interpreterDependencies(layout), ...rpmlibDependencies(layout, stated, files, compression));
  return (Object.keys(DEPENDENCY_TAGS) as DependencyList[]).flatMap((list): HeaderEntry[] => {
    const dependencies = sortDependencies(stated[list]);
    const tags = DEPENDENCY_TAGS[list];
    return dependencies.length === 0
      ? []
      : [
          [tags.name, stringArray(dependencies.map(({ name }) => name))],
          [tags.version, stringArray(dependencies.map(({ version }) => version))],
          [tags.flags, int32(dependencies.map(({ flags }) => flags))],
        ];
  });
}

function payloadEntries(payload: PayloadFacts, { codec, level }: Compression): HeaderEntry[] {
  return [
    [TAGS.PAYLOADFORMAT, string('cpio')],
    ...(codec === 'none' ? [] : [[TAGS.PAYLOADCOMPRESSOR, string(codec)] as const]),
    [TAGS.PAYLOADFLAGS, string(codec === 'none' ? '' : String(level))],
    [TAGS.PAYLOADDIGEST, stringArray([payload.digest])],
    [TAGS.PAYLOADDIGESTALGO, int32([DIGEST_SHA256])],
    [TAGS.PAYLOADDIGESTALT, stringArray([payload.archiveDigest])],
  ];
}

function packageFacts(header: Uint8Array, payload: PayloadFacts, md5: string): PackageFacts {
  return {
    sha1: createHash('sha1').update(header).digest('hex'),
    sha256: createHash('sha256').update(header).digest('hex'),
    md5,
    size: header.length + payload.size,
    archiveSize: payload.archiveSize,
  };
}
