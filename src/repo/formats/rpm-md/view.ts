import { sha256 } from '../../../model/digest.ts';
import { signTogether } from '../../../sign/signatures.ts';
import type { Signer } from '../../../sign/signer.ts';
import { attributes } from '../../../support/xml.ts';
import type { PackageRecord, PackageXml } from '../../model/record.ts';
import type { RepositorySettings } from '../../model/repository.ts';
import { linkPath } from '../../model/repository.ts';
import { separateArmors, type ViewFile, type ViewRequest } from '../../model/view-files.ts';
import { pack } from '../index-compression.ts';

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** The files of an rpm-md view. */
export function rpmMdFiles({ settings, listed, ...options }: ViewRequest): Promise<ViewFile[]> {
  const packages = listed.map(({ entry, record }) => ({ href: linkPath(entry), record }));
  return repodataFiles(packages, { ...options, compression: settings.rpmCompression });
}

interface RepodataOptions {
  readonly compression: RepositorySettings['rpmCompression'];
  /** Empty for an unsigned repository. */
  readonly signers: readonly Signer[];
  /** Seconds since 1970-01-01 UTC. */
  readonly date: number;
}

/**
 * The files of an rpm-md repository, as `createrepo_c --no-database` writes them: repomd.xml and the documents that it
 * names, whose file names begin with their digest.
 *
 * @param listed `href`: relative to the directory that contains repodata/
 */
export async function repodataFiles(
  listed: readonly { readonly href: string; readonly record: PackageRecord }[],
  { compression, signers, date }: RepodataOptions,
): Promise<ViewFile[]> {
  const packages = listed.map(({ href, record }) => ({ href, xml: xmlOf(record) }));
  const documents: readonly (readonly [type: string, root: string, namespaces: string, body: string[]])[] = [
    [
      'primary',
      'metadata',
      'xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm"',
      packages.map(({ href, xml }) => `${xml.primary[0]}  <location${attributes({ href })}/>${xml.primary[1]}`),
    ],
    [
      'filelists',
      'filelists',
      'xmlns="http://linux.duke.edu/metadata/filelists"',
      packages.map(({ xml }) => xml.filelists),
    ],
    ['other', 'otherdata', 'xmlns="http://linux.duke.edu/metadata/other"', packages.map(({ xml }) => xml.other)],
  ];
  const data = await Promise.all(
    documents.map(async ([type, root, namespaces, body]) => {
      const open = Buffer.from(
        `${DECLARATION}<${root} ${namespaces} packages="${packages.length}">\n${body.join('')}</${root}>\n`,
      );
      const bytes = await pack(open, compression);
      const path = `repodata/${sha256(bytes)}-${type}.xml.${compression}`;
      return { type, path, bytes, open: { size: open.length, sha256: sha256(open) } };
    }),
  );
  const repomd = Buffer.from(
    [
      `${DECLARATION}<repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">`,
      `  <revision>${date}</revision>`,
      ...data.flatMap(({ type, path, bytes, open }) => [
        `  <data type="${type}">`,
        `    <checksum type="sha256">${sha256(bytes)}</checksum>`,
        `    <open-checksum type="sha256">${open.sha256}</open-checksum>`,
        `    <location${attributes({ href: path })}/>`,
        `    <timestamp>${date}</timestamp>`,
        `    <size>${bytes.length}</size>`,
        `    <open-size>${open.size}</open-size>`,
        '  </data>',
      ]),
      '</repomd>',
      '',
    ].join('\n'),
  );
  const files: ViewFile[] = data.map(({ path, bytes }) => ({ path, bytes, role: 'named' }));
  if (signers.length > 0) {
    const signature = await signTogether(signers, repomd, date);
    files.push({ path: 'repodata/repomd.xml.key', bytes: Buffer.from(separateArmors(signers)), role: 'pointer' });
    files.push({ path: 'repodata/repomd.xml.asc', bytes: Buffer.from(signature), role: 'pointer' });
  }
  files.push({ path: 'repodata/repomd.xml', bytes: repomd, role: 'pointer' });
  return files;
}

function xmlOf({ xml, name }: PackageRecord): PackageXml {
  if (xml === undefined) throw new Error(`the record of ${name} has no rpm-md`);
  return xml;
}
