import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Catalog } from '../../catalog/model.ts';
import type { Format } from '../../model/format.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { packageRoot } from '../../support/package-root.ts';
import { parseValidatedYaml } from '../../support/validated-yaml.ts';

const MANAGERS = ['apt', 'dnf', 'zypper'] as const;
export type Manager = (typeof MANAGERS)[number];

/** A kind of machine for tests, as a container image. */
export interface HostImage {
  /** debian-12, dnf-on-debian-12, el-9 */
  readonly id: string;
  readonly title: string;
  readonly manager: Manager;
  /** dnf; yum on machines without dnf. */
  readonly program: string;
  readonly format: Format;
  readonly distribution: string;
  /** Builds the host from the vendor's image; undefined if there is none. */
  readonly vendor: VendorRecipe | undefined;
  /** Builds the host from Debian packages; undefined if that is not possible. */
  readonly local: LocalRecipe | undefined;
}

export interface VendorRecipe {
  readonly image: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Run in sequence, with network access. */
  readonly commands: readonly (readonly string[])[];
}

export interface LocalRecipe {
  readonly suite: string;
  readonly packages: readonly string[];
  readonly files: Readonly<Record<string, string>>;
  /** Run in sequence, without network access. */
  readonly commands: readonly (readonly string[])[];
  /** Names that an empty RPM provides, sorted: `iptables = 1.8.9`; empty on DEB hosts. */
  readonly provides: readonly string[];
}

const identifier = z.string().regex(/^[a-z0-9][a-z0-9.-]*$/, 'lower-case letters, digits, . and -');
const command = z.array(z.string()).min(1);
const packages = z.array(z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/, 'a Debian package'));
const files = z.record(z.string().regex(/^(\/[A-Za-z0-9_][A-Za-z0-9._-]*)+$/, 'an absolute path'), z.string());

const localSchema = z.strictObject({
  packages,
  files,
  commands: z.array(command),
  hosts: z.array(
    z.strictObject({
      id: identifier,
      title: z.string().min(1),
      distribution: identifier,
      manager: z.enum(MANAGERS),
      suite: identifier,
      packages,
      files: files.default({}),
      commands: z.array(command).default([]),
      provides: z.array(z.string().regex(/^[^\s<>=]+( = [^\s<>=]+)?$/, 'NAME, or NAME = VERSION')).default([]),
      versions: z.record(z.string(), z.string()).default({}),
      sonames: z.record(z.string(), z.array(z.string())).default({}),
    }),
  ),
});

const vendorSchema = z.strictObject({
  preparations: z.array(
    z.strictObject({
      manager: z.enum(MANAGERS),
      program: z.string().optional(),
      distributions: z.array(identifier),
      environment: z.record(z.string(), z.string()).default({}),
      commands: z.array(command),
    }),
  ),
});

const engineSchema = z.strictObject({ packages });

/**
 * Reads all hosts: those of local.yaml, then those with only a vendor image, each in the order of its file.
 *
 * @throws KubeparcelError of kind 'config' for data that does not match the schema and for unknown distributions
 */
export async function loadHosts(catalog: Catalog, directory: string = hostsDirectory()): Promise<HostImage[]> {
  const localFile = join(directory, 'local.yaml');
  const vendorFile = join(directory, 'vendor.yaml');
  const local = parseValidatedYaml(await readFile(localFile, 'utf8'), localSchema, localFile);
  const vendor = parseValidatedYaml(await readFile(vendorFile, 'utf8'), vendorSchema, vendorFile);
  const profile = (id: string, where: string) => {
    const found = catalog.distributions.find((distribution) => distribution.id === id);
    if (found === undefined)
      throw new KubeparcelError('config', `unknown distribution ${JSON.stringify(id)}`, { where });
    return found;
  };
  const vendors = vendor.preparations.flatMap(({ distributions, manager, program = manager, environment, commands }) =>
    distributions.map((id): HostImage => {
      const { image, format } = profile(id, vendorFile);
      if (image === undefined) throw new KubeparcelError('config', `${id} has no image`, { where: vendorFile });
      const recipe = { image, environment, commands };
      return { id, title: titleOf(id), manager, program, format, distribution: id, vendor: recipe, local: undefined };
    }),
  );
  const locals = local.hosts.map((host): HostImage => {
    const { id, title, manager, distribution, suite } = host;
    const { format, names } = profile(distribution, localFile);
    const recipe: LocalRecipe = {
      suite,
      packages: sorted([...local.packages, ...host.packages]),
      files: { ...local.files, ...host.files },
      commands: [...local.commands, ...host.commands],
      provides:
        format === 'rpm'
          ? sorted([...host.provides, ...packageProvides(names, host.versions), ...libraryProvides(host.sonames)])
          : [],
    };
    const vendor = vendors.find((other) => other.id === id)?.vendor;
    return { id, title, manager, program: manager, format, distribution, vendor, local: recipe };
  });
  return [...locals, ...vendors.filter(({ id }) => !locals.some((host) => host.id === id))];
}

/** Debian packages that a machine needs to run the engine and to build images. */
export async function enginePackages(directory: string = hostsDirectory()): Promise<readonly string[]> {
  const file = join(directory, 'engine.yaml');
  return parseValidatedYaml(await readFile(file, 'utf8'), engineSchema, file).packages;
}

function hostsDirectory(): string {
  return join(packageRoot(), 'packaging', 'hosts');
}

/** el-9: Rocky Linux 9; opensuse-leap-15.6: openSUSE Leap 15.6 */
function titleOf(id: string): string {
  const [, name = id, release = ''] = /^(.*)-([0-9.]+)$/.exec(id) ?? [];
  const titles: Readonly<Record<string, string>> = {
    el: 'Rocky Linux',
    amazonlinux: 'Amazon Linux',
    'opensuse-leap': 'openSUSE Leap',
  };
  return `${titles[name] ?? name.charAt(0).toUpperCase() + name.slice(1)} ${release}`.trim();
}

function packageProvides(
  names: Readonly<Record<string, readonly string[]>>,
  versions: Readonly<Record<string, string>>,
): string[] {
  return Object.values(names)
    .flat()
    .map((name) => (versions[name] === undefined ? name : `${name} = ${versions[name]}`));
}

/** rpm's form of 64-bit shared libraries: `libc.so.6()(64bit)`, `libc.so.6(GLIBC_2.34)(64bit)`. */
function libraryProvides(sonames: Readonly<Record<string, readonly string[]>>): string[] {
  return Object.entries(sonames).flatMap(([soname, versions]) =>
    ['', ...versions].map((version) => `${soname}(${version})(64bit)`),
  );
}

function sorted(words: readonly string[]): string[] {
  return [...new Set(words)].sort((a, b) => (a < b ? -1 : 1));
}
