import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Architecture } from '../model/architecture.ts';
import { packageRoot } from '../support/package-root.ts';

/** Everything that determines the bytes of a runner, except the compiler and the C library. */
export const RECIPE = {
  source: {
    /** Without Debian's patches, which change only the Makefile. */
    package: 'quickjs',
    version: '2025.04.26-1',
    suite: 'trixie',
    file: 'quickjs_2025.04.26.orig.tar.xz',
    sha256: 'ec81da5b3249ed648dbc7df4a1654988910e66a118d9b71cb63534216efcfbbe',
    /** Without quickjs-libc.c, whose modules std and os can start programs. */
    files: ['quickjs.c', 'dtoa.c', 'libregexp.c', 'libunicode.c', 'cutils.c'],
  },
  own: ['main.c', 'host.c'],
  flags: [
    '-Os',
    '-std=gnu11',
    '-D_GNU_SOURCE',
    '-DCONFIG_VERSION="2025-04-26"',
    '-fwrapv',
    '-fno-pie',
    '-ffunction-sections',
    '-fdata-sections',
  ],
  link: ['-static', '-no-pie', '-s', '-Wl,--gc-sections', '-Wl,--build-id=none'],
  /** On ppc64le, long double has 64 bits in musl, but 128 bits in GCC by default. */
  flagsOf: { amd64: [], arm64: [], ppc64le: ['-mlong-double-64'], s390x: [] } satisfies Record<
    Architecture,
    readonly string[]
  >,
} as const;

/** Directory of the C sources; in the npm package, bin/ below it contains the runners. */
export function runnersDirectory(): string {
  return join(packageRoot(), 'runners');
}

/** @returns 16 hex digits of a digest over RECIPE and runners/*.{c,h}; it is part of the directory names of runners */
export async function recipeDigest(): Promise<string> {
  const directory = runnersDirectory();
  const hash = createHash('sha256').update(JSON.stringify(RECIPE));
  const names = (await readdir(directory)).filter((each) => /\.[ch]$/.test(each)).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(directory, name))));
  for (const [index, text] of texts.entries()) hash.update(`\0${names[index]}\0`).update(text);
  return hash.digest('hex').slice(0, 16);
}
