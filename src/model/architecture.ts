import type { Format } from './format.ts';

export const ARCHITECTURES = ['amd64', 'arm64', 'ppc64le', 's390x'] as const;
/** The architectures that Kubernetes is released for, by GOARCH name. */
export type Architecture = (typeof ARCHITECTURES)[number];

interface ArchitectureFacts {
  /** The name in packages of each format. */
  readonly packageNames: Readonly<Record<Format, string>>;
  /** EI_DATA and e_machine of 64-bit binaries (ELF gABI, chapter 4). */
  readonly elf: { readonly machine: number; readonly littleEndian: boolean };
}

const FACTS: Readonly<Record<Architecture, ArchitectureFacts>> = {
  amd64: { packageNames: { deb: 'amd64', rpm: 'x86_64' }, elf: { machine: 62, littleEndian: true } },
  arm64: { packageNames: { deb: 'arm64', rpm: 'aarch64' }, elf: { machine: 183, littleEndian: true } },
  // Big-endian PowerPC has the same machine number.
  ppc64le: { packageNames: { deb: 'ppc64el', rpm: 'ppc64le' }, elf: { machine: 21, littleEndian: true } },
  s390x: { packageNames: { deb: 's390x', rpm: 's390x' }, elf: { machine: 22, littleEndian: false } },
};

/** The name of an architecture in packages of a format. */
export function packageArchitecture(format: Format, architecture: Architecture): string {
  return FACTS[architecture].packageNames[format];
}

/** The GOARCH name of a package's architecture; `all` for `all` and `noarch`; an unknown name is returned unchanged. */
export function goArchitecture(packageName: string): string {
  if (packageName === 'noarch') return 'all';
  return ARCHITECTURES.find((each) => Object.values(FACTS[each].packageNames).includes(packageName)) ?? packageName;
}

/** The architecture of a 64-bit ELF binary; undefined when Kubernetes is not released for it. */
export function elfArchitecture(machine: number, littleEndian: boolean): Architecture | undefined {
  return ARCHITECTURES.find(
    (each) => FACTS[each].elf.machine === machine && FACTS[each].elf.littleEndian === littleEndian,
  );
}

/** The architecture that Node reports (`process.arch` and `os.endianness()`); undefined for any other. */
export function nodeArchitecture(arch: string, endianness: 'LE' | 'BE'): Architecture | undefined {
  switch (arch) {
    case 'x64':
      return 'amd64';
    case 'arm64':
      return 'arm64';
    case 'ppc64':
      return endianness === 'LE' ? 'ppc64le' : undefined;
    case 's390x':
      return 's390x';
    default:
      return undefined;
  }
}
