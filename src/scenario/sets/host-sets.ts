import { createHash } from 'node:crypto';
import { copyFile, link, mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Settings } from '../../pipeline/prepare.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { isErrno } from '../../support/file-system.ts';
import type { Wanted } from '../managers/manager.ts';
import type { PackageSet } from '../model/expectation.ts';
import { MOUNT, type ScenarioHost } from '../model/host.ts';
import { type KnownMinors, setRecipe } from '../model/set-versions.ts';
import { buildSet } from './build-set.ts';
import { indexPackages } from './index-packages.ts';
import { type OfficialLayouts, officialFacts } from './official-layout.ts';
import {
  type PackageFile,
  packagesFor,
  payloadOf,
  plainVersion,
  printedVersion,
  readPackageDirectory,
} from './package-directory.ts';

/** A package set on one host. */
export interface HostSet {
  readonly name: PackageSet;
  /** Its directory in the container, and on this machine. */
  readonly directory: string;
  readonly mounted: string;
  /** Source of the set, for messages. */
  readonly source: string;
  /** Kubernetes version: 1.37.0. */
  readonly version: string;
  /** The Debian revision, the RPM release of the kubelet. */
  readonly revision: string;
  /** Directory of the drop-in, if it differs from that of the host's distribution. */
  readonly dropIns: string | undefined;
  readonly payload: 'sample' | 'real';
  /** Sorted by name. */
  readonly packages: readonly (Wanted & { readonly plainVersion: string })[];
}

export type HostSets = ReadonlyMap<PackageSet, HostSet>;

/** Source of the packages under test. */
export type PackagesUnderTest =
  /** Directories with packages; undefined if there are no packages of that format. */
  | { readonly kind: 'directories'; readonly deb?: string; readonly rpm?: string }
  /** Built now, like `kubeparcel build`. */
  | { readonly kind: 'build'; readonly settings: Settings };

export interface SetsRequest {
  readonly packages: PackagesUnderTest;
  /** Settings of the other sets, except version, revision, formats and distributions. */
  readonly sample: Settings;
  readonly minors: KnownMinors;
  readonly official: OfficialLayouts;
  /** An existing directory that containers can read. */
  readonly directory: string;
  readonly signal?: AbortSignal;
  readonly onBuild?: (set: PackageSet, target: string) => void;
}

/** Sets are built on first use, once each, and shared by hosts that use the same files. */
export interface SetMaker {
  /** @throws KubeparcelError if the set is not available for the host */
  set(host: ScenarioHost, name: PackageSet): Promise<HostSet>;
  /** An empty repository. */
  empty(host: ScenarioHost): Promise<string>;
}

export function setMaker(request: SetsRequest): SetMaker {
  const { directory, signal } = request;
  const built = new Map<string, Promise<PackageFile[]>>();
  const directories = new Map<string, Promise<string>>();
  const once = <T>(map: Map<string, Promise<T>>, key: string, make: () => Promise<T>) => {
    const made = map.get(key) ?? make();
    map.set(key, made);
    return made;
  };

  const build = (name: PackageSet, settings: Settings, host: ScenarioHost) => {
    const { format, family, id } = host.distribution;
    const target = family ?? id;
    const key = `${name}-${target}-${host.architecture}`;
    return once(built, key, async () => {
      request.onBuild?.(name, `${target} ${host.architecture}`);
      const out = join(directory, 'built', key);
      await mkdir(out, { recursive: true });
      await buildSet(
        {
          ...settings,
          formats: [format],
          architectures: [host.architecture],
          distributions: family === undefined ? [id] : settings.distributions,
        },
        out,
        { ...(isOfficial(name) ? { official: request.official } : {}), ...(signal === undefined ? {} : { signal }) },
      );
      return await readPackageDirectory(out);
    });
  };

  const current = async (host: ScenarioHost): Promise<{ files: PackageFile[]; source: string }> => {
    const { packages } = request;
    if (packages.kind === 'build') {
      const { version, source } = packages.settings;
      return { files: await build('current', packages.settings, host), source: `${source}, ${version}` };
    }
    const source = packages[host.distribution.format];
    if (source === undefined)
      return { files: [], source: `the given packages, which have no ${host.distribution.format}` };
    return { files: await once(built, `directory:${source}`, () => readPackageDirectory(source)), source };
  };

  const derivedSet = async (host: ScenarioHost, name: Exclude<PackageSet, 'current'>) => {
    const base = await maker.set(host, 'current');
    const recipe = setRecipe(name, base, request.minors);
    if (recipe === undefined) {
      throw new KubeparcelError('config', `${base.version}-${base.revision} has no set ${name}`);
    }
    // The other packages of the next revision keep their versions, independent of pins.
    const versionIn = (packageName: string) => base.packages.find((each) => each.name === packageName)?.plainVersion;
    const [tools, plugins] = [versionIn('cri-tools'), versionIn('kubernetes-cni')];
    const components: Settings['components'] =
      name === 'next-revision'
        ? {
            ...(tools === undefined ? {} : { criTools: tools }),
            ...(plugins === undefined ? {} : { cniPlugins: plugins }),
          }
        : {};
    const settings: Settings = {
      ...request.sample,
      ...recipe,
      components,
      ...(isOfficial(name) ? { confgen: false } : {}),
    };
    return { files: await build(name, settings, host), source: `sample, ${recipe.version}` };
  };

  /** A directory with the files and an index, shared by hosts with the same files. */
  const indexedDirectory = (host: ScenarioHost, files: readonly string[]) =>
    once(directories, [host.distribution.format, ...files].join('\n'), async () => {
      const digest = createHash('sha256')
        .update([host.distribution.format, ...files].join('\n'))
        .digest('hex')
        .slice(0, 12);
      const target = join(directory, 'sets', digest);
      await mkdir(target, { recursive: true });
      for (const file of files) await linkOrCopy(file, join(target, basename(file)));
      await indexPackages(target, host.distribution.format, signal);
      return target;
    });

  const sets = new Map<string, Promise<HostSet>>();
  const maker: SetMaker = {
    set: (host, name) =>
      once(sets, `${host.id} ${name}`, async () => {
        const { files, source } = await (name === 'current' ? current(host) : derivedSet(host, name));
        const chosen = packagesFor(host, files);
        const mounted = await indexedDirectory(
          host,
          chosen.map(({ path }) => path),
        );
        return hostSet(name, host, chosen, { source, mounted, official: request.official });
      }),
    empty: (host) => indexedDirectory(host, []),
  };
  return maker;
}

function hostSet(
  name: PackageSet,
  host: ScenarioHost,
  chosen: readonly PackageFile[],
  { source, mounted, official }: { source: string; mounted: string; official: OfficialLayouts },
): HostSet {
  const directory = mountedAt(name);
  const first =
    chosen.find(({ layout }) => layout.name === 'kubelet') ??
    chosen.find(({ layout }) => layout.name === 'kubeadm') ??
    chosen[0];
  const version = first === undefined ? '' : plainVersion(first.layout);
  return {
    name,
    directory,
    mounted,
    source,
    version,
    revision: first?.layout.version.revision ?? '',
    dropIns: isOfficial(name) ? officialFacts(official, host.distribution.format, version)?.dropIns : undefined,
    payload: payloadOf(chosen),
    packages: chosen.map(({ path, layout }) => ({
      name: layout.name,
      version: printedVersion(layout),
      plainVersion: plainVersion(layout),
      file: `${directory}/${basename(path)}`,
    })),
  };
}

function isOfficial(name: PackageSet): boolean {
  return name === 'official' || name === 'official-legacy';
}

/** Directory of a set in a container. */
export function mountedAt(name: PackageSet | 'none'): string {
  return `${MOUNT}/packages/${name}`;
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP'].some((code) => isErrno(error, code))) throw error;
    await copyFile(from, to);
  }
}
