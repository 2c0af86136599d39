/** What rpm's own tables say of the architectures that it can be told to build for (rpmrc, installplatform). */
interface RpmArchitecture {
  /** `%{_isa}`: the word in a package's provide of its own architecture, name(x86-64). */
  readonly isa: string | undefined;
  /** The lead's number of it. */
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

/** Undefined for one that packages are not written for. */
export function rpmArchitecture(name: string): RpmArchitecture | undefined {
  return ARCHITECTURES.get(name);
}
