import type { PackageIdentity } from '../layout/packager.ts';
import { formatVersion } from '../model/package-version.ts';
import { KubeparcelError } from '../support/errors.ts';

/** An architecture in rpm's tables (rpmrc, installplatform). */
interface RpmArchitecture {
  /** `%{_isa}`, as in the package's own provide: name(x86-64). */
  readonly isa: string | undefined;
  /** Number in the lead. */
  readonly leadNumber: number;
}

const ARCHITECTURES: ReadonlyMap<string, RpmArchitecture> = new Map([
  ['noarch', { isa: undefined, leadNumber: 1 }],
  ['x86_64', { isa: 'x86-64', leadNumber: 1 }],
  ['i686', { isa: 'x86-32', leadNumber: 1 }],
  ['armv7hl', { isa: 'armv7hl-32', leadNumber: 12 }],
  ['s390x', { isa: 's390-64', leadNumber: 15 }],
  ['ppc64le', { isa: 'ppc-64', leadNumber: 16 }],
  ['aarch64', { isa: 'aarch-64', leadNumber: 19 }],
  ['riscv64', { isa: 'riscv-64', leadNumber: 22 }],
]);

/** Undefined for unsupported architectures. */
export function rpmArchitecture(name: string): RpmArchitecture | undefined {
  return ARCHITECTURES.get(name);
}

/** Length of the lead in bytes (RPM V4 format, "Lead"). file(1) reads the lead; rpm only checks its magic. */
export const LEAD_LENGTH = 96;

const MAGIC = Uint8Array.of(0xed, 0xab, 0xee, 0xdb);
const OFFSETS = { major: 4, type: 6, architecture: 8, name: 10, os: 76, signatureType: 78 } as const;
const NAME_LENGTH = 66;
const TYPE_SOURCE = 1;
const OS_LINUX = 1;
const SIGNATURE_HEADER = 5;

export function encodeLead(identity: PackageIdentity): Uint8Array {
  const lead = Buffer.alloc(LEAD_LENGTH);
  lead.set(MAGIC);
  lead.writeUInt8(3, OFFSETS.major);
  lead.writeUInt16BE(rpmArchitecture(identity.architecture)?.leadNumber ?? 0, OFFSETS.architecture);
  lead.write(`${identity.name}-${formatVersion(identity.version)}`.slice(0, NAME_LENGTH - 1), OFFSETS.name, 'utf8');
  lead.writeUInt16BE(OS_LINUX, OFFSETS.os);
  lead.writeUInt16BE(SIGNATURE_HEADER, OFFSETS.signatureType);
  return lead;
}

/** @throws KubeparcelError of kind 'format' if it is not the lead of a binary RPM package of version 3 or 4 */
export function checkLeadKind(lead: Uint8Array): void {
  const view = new DataView(lead.buffer, lead.byteOffset, lead.length);
  if (!MAGIC.every((byte, index) => lead[index] === byte)) {
    throw new KubeparcelError('format', 'not an RPM package: wrong magic number');
  }
  const major = view.getUint8(OFFSETS.major);
  if (major < 3 || major > 4 || view.getUint16(OFFSETS.signatureType) !== SIGNATURE_HEADER) {
    throw new KubeparcelError('format', `unsupported RPM format ${major}; expected 3 or 4`);
  }
  const type = view.getUint16(OFFSETS.type);
  if (type === TYPE_SOURCE) {
    throw new KubeparcelError('format', 'this is a source package', { hint: 'use a binary package' });
  }
  if (type !== 0) {
    throw new KubeparcelError('format', `the lead has the unknown package type ${type}`);
  }
}

/**
 * Compares the lead with the header. Build tools differ in what they write as the name (the name alone, or
 * name-version-release with or without epoch and architecture). rpm 6 and others set the architecture number to 0 or to
 * that of x86.
 *
 * @throws KubeparcelError of kind 'format'
 */
export function checkLeadIdentity(lead: Uint8Array, identity: PackageIdentity): void {
  const field = Buffer.from(lead.buffer, lead.byteOffset + OFFSETS.name, NAME_LENGTH);
  const name = field.toString('utf8', 0, Math.max(field.indexOf(0), 0));
  const { upstream, revision } = identity.version;
  const forms = [
    '',
    identity.name,
    `${identity.name}-${upstream}-${revision}`,
    `${identity.name}-${formatVersion(identity.version)}`,
  ];
  const known = forms.flatMap((form) => [form, `${form}.${identity.architecture}`]);
  if (
    !known.some((form) =>
      Buffer.from(form)
        .subarray(0, NAME_LENGTH - 1)
        .equals(Buffer.from(name)),
    )
  ) {
    throw new KubeparcelError(
      'format',
      `the package name in the lead differs from the header: ${JSON.stringify(name)}`,
    );
  }
  const number = new DataView(lead.buffer, lead.byteOffset, lead.length).getUint16(OFFSETS.architecture);
  const expected = rpmArchitecture(identity.architecture)?.leadNumber;
  if (identity.architecture !== 'noarch' && expected !== undefined && ![0, 1, expected].includes(number)) {
    throw new KubeparcelError('format', `the architecture number in the lead (${number}) differs from the header`);
  }
}
