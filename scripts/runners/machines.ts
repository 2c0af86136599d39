import { endianness } from 'node:os';
import { type Architecture, nodeArchitecture } from '../../src/model/architecture.ts';

interface Machine {
  /** GNU triplet: the prefix of Debian's compilers. */
  readonly gnu: string;
  readonly musl: string;
  readonly debian: string;
  readonly qemu: string;
  /** Debian package with a cross compiler. */
  readonly compiler: string;
}

/** Names of the architectures in toolchains, Debian and qemu. */
export const MACHINES: Readonly<Record<Architecture, Machine>> = {
  amd64: {
    gnu: 'x86_64-linux-gnu',
    musl: 'x86_64-linux-musl',
    debian: 'amd64',
    qemu: 'qemu-x86_64-static',
    compiler: 'gcc-x86-64-linux-gnu',
  },
  arm64: {
    gnu: 'aarch64-linux-gnu',
    musl: 'aarch64-linux-musl',
    debian: 'arm64',
    qemu: 'qemu-aarch64-static',
    compiler: 'gcc-aarch64-linux-gnu',
  },
  ppc64le: {
    gnu: 'powerpc64le-linux-gnu',
    musl: 'powerpc64le-linux-musl',
    debian: 'ppc64el',
    qemu: 'qemu-ppc64le-static',
    compiler: 'gcc-powerpc64le-linux-gnu',
  },
  s390x: {
    gnu: 's390x-linux-gnu',
    musl: 's390x-linux-musl',
    debian: 's390x',
    qemu: 'qemu-s390x-static',
    compiler: 'gcc-s390x-linux-gnu',
  },
};

/** @returns this machine's architecture; undefined if kubeparcel does not support it */
export function ownArchitecture(): Architecture | undefined {
  return process.platform === 'linux' ? nodeArchitecture(process.arch, endianness()) : undefined;
}
