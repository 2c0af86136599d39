import { readChangelog } from '../../../rpm/changelog.ts';
import { dependencyTarget, isRich, parseRich } from '../../../rpm/dependency.ts';
import { readFileList, type StatedFile } from '../../../rpm/read-file-list.ts';
import { type Header, numberOf, numbersOf, textOf, textsOf } from '../../../rpm/read-header.ts';
import { readDependencies } from '../../../rpm/relations.ts';
import { SIGNATURE_TAGS, TAGS } from '../../../rpm/tags.ts';
import { attributes, element, escapeText } from '../../../support/xml.ts';
import {
  CHANGELOG_LIMIT,
  type FileDigests,
  type PackageRecord,
  type PackageXml,
  RECORD_SCHEMA,
} from '../../model/record.ts';
import { type RpmHeaders, readRpmHeaders } from './read-header.ts';
import { isPrimary, listedRequires, relationsXml } from './relations-xml.ts';

/**
 * Reads the headers of an RPM for rpm-md, and checks all digests in it.
 *
 * @throws KubeparcelError as `readRpmHeaders`
 */
export async function readRpmRecord(
  path: string,
  digests: FileDigests,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<PackageRecord> {
  const headers = await readRpmHeaders(path, options.signal);
  const { header, name, version, architecture } = headers;
  const { files } = readFileList(header);
  const dependencies = readDependencies(header);
  return {
    schema: RECORD_SCHEMA,
    format: 'rpm',
    name,
    version,
    architecture,
    size: digests.size,
    sha256: digests.sha256,
    installedSize: installedSize(header),
    date: numberOf(header, TAGS.BUILDTIME) ?? 0,
    summary: textOf(header, TAGS.SUMMARY) ?? '',
    description: textOf(header, TAGS.DESCRIPTION) ?? '',
    changelog: readChangelog(header).slice(0, CHANGELOG_LIMIT),
    requires: listedRequires(dependencies, new Set(files.map((file) => file.path))).map((dependency) =>
      isRich(dependency.name) ? parseRich(dependency.name) : { anyOf: [dependencyTarget(dependency)] },
    ),
    provides: dependencies.provides.map((provided) => {
      const { name: own, constraint } = dependencyTarget(provided);
      return { name: own, version: constraint?.version, ...(constraint && { operator: constraint.operator }) };
    }),
    stanza: '',
    section: '',
    files: files.map((file) => file.path),
    xml: packageXml(headers, files, digests),
  };
}

function installedSize(header: Header): number {
  return numberOf(header, TAGS.LONGSIZE) ?? numberOf(header, TAGS.SIZE) ?? 0;
}

/** As createrepo_c writes it, except that the time of the file is the build time. */
function packageXml(headers: RpmHeaders, files: readonly StatedFile[], digests: FileDigests): PackageXml {
  const { header, signatures, name, architecture } = headers;
  const field = (tag: number) => textOf(header, tag) ?? '';
  const built = numberOf(header, TAGS.BUILDTIME) ?? 0;
  const archive =
    numberOf(signatures, SIGNATURE_TAGS.LONGARCHIVESIZE) ??
    numberOf(signatures, SIGNATURE_TAGS.ARCHIVESIZE) ??
    numberOf(header, TAGS.ARCHIVESIZE) ??
    0;
  const version = `<version${attributes({
    epoch: numberOf(header, TAGS.EPOCH) ?? 0,
    ver: field(TAGS.VERSION),
    rel: field(TAGS.RELEASE),
  })}/>`;
  const before = [
    '<package type="rpm">',
    `  ${element('name', name)}`,
    `  ${element('arch', architecture)}`,
    `  ${version}`,
    `  <checksum type="sha256" pkgid="YES">${digests.sha256}</checksum>`,
    `  ${element('summary', field(TAGS.SUMMARY))}`,
    `  ${element('description', field(TAGS.DESCRIPTION))}`,
    `  ${element('packager', field(TAGS.PACKAGER))}`,
    `  ${element('url', field(TAGS.URL))}`,
    `  <time${attributes({ file: built, build: built })}/>`,
    `  <size${attributes({ package: digests.size, installed: installedSize(header), archive })}/>`,
    '',
  ];
  const after = [
    '',
    '  <format>',
    `    ${element('rpm:license', field(TAGS.LICENSE))}`,
    `    ${element('rpm:vendor', field(TAGS.VENDOR))}`,
    `    ${element('rpm:group', field(TAGS.GROUP))}`,
    `    ${element('rpm:buildhost', field(TAGS.BUILDHOST))}`,
    `    ${element('rpm:sourcerpm', field(TAGS.SOURCERPM))}`,
    `    <rpm:header-range${attributes({ start: headers.start, end: headers.end })}/>`,
    ...relationsXml(header, new Set(files.map(({ path }) => path))),
    ...files.filter(({ path }) => isPrimary(path)).map((file) => `    ${fileXml(file)}`),
    '  </format>',
    '</package>',
    '',
  ];
  const head = `<package${attributes({ pkgid: digests.sha256, name, arch: architecture })}>`;
  return {
    primary: [before.join('\n'), after.join('\n')],
    filelists: [head, `  ${version}`, ...files.map((file) => `  ${fileXml(file)}`), '</package>', ''].join('\n'),
    other: [head, `  ${version}`, ...changelogXml(header), '</package>', ''].join('\n'),
  };
}

function fileXml({ path, kind, role }: StatedFile): string {
  const type = kind === 'directory' ? 'dir' : role === 'ghost' ? 'ghost' : undefined;
  return `<file${attributes({ type })}>${escapeText(path)}</file>`;
}

/**
 * The newest entries, oldest first. Readers use the time as a key, so each further entry with the same time is one second
 * later than the previous one, as in createrepo_c.
 */
function changelogXml(header: Header): string[] {
  const authors = textsOf(header, TAGS.CHANGELOGNAME) ?? [];
  const texts = textsOf(header, TAGS.CHANGELOGTEXT) ?? [];
  const times = (numbersOf(header, TAGS.CHANGELOGTIME) ?? []).slice(0, CHANGELOG_LIMIT);
  const oldestFirst = times
    .map((date, at) => ({ date, author: (authors[at] ?? '').replace(/ +$/, ''), change: texts[at] ?? '' }))
    .reverse();
  let last = Number.NEGATIVE_INFINITY;
  let lastStated: number | undefined;
  return oldestFirst.map(({ date, author, change }) => {
    const shown = date === lastStated ? last + 1 : date;
    lastStated = date;
    last = shown;
    return `  <changelog${attributes({ author, date: shown })}>${escapeText(change)}</changelog>`;
  });
}
