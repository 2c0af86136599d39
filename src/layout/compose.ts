import type { Catalog } from '../catalog/model.ts';
import type { PackageDefinition } from '../catalog/package-schema.ts';
import type { Target } from '../catalog/targets.ts';
import type { Architecture } from '../model/architecture.ts';
import { packageArchitecture } from '../model/architecture.ts';
import { versionNumbers } from '../model/kubernetes-version.ts';
import type { ChangelogEntry, Layout } from '../model/layout.ts';
import type { PackageVersion } from '../model/package-version.ts';
import type { ComponentPayload, Payload } from '../model/payload.ts';
import { KubeparcelError } from '../support/errors.ts';
import { composeEntries } from './compose-entries.ts';
import { expandPath, type Paths, targetPaths } from './compose-paths.ts';
import { composeRelations } from './compose-relations.ts';
import { composeScripts, type Restart } from './compose-scripts.ts';
import { debianChangelog } from './documents.ts';
import type { PackageIdentity } from './packager.ts';
import type { TemplateSet, TemplateValues } from './templates.ts';

export interface ComposeInput {
  readonly catalog: Catalog;
  readonly templates: TemplateSet;
  /** Name of a package in the catalog: kubelet. */
  readonly name: string;
  readonly target: Target;
  readonly architecture: Architecture;
  /** Must contain the package's component for the architecture. */
  readonly payload: Payload;
  /** Debian revision and RPM release, before the distribution's suffix. */
  readonly revision: string;
  /** `Name <address>` */
  readonly maintainer: string;
  /** Seconds since 1970-01-01 UTC; build date and mtime of every file. */
  readonly date: number;
  /** What happens to a running kubelet when its package is upgraded. */
  readonly restart: Restart;
  /** Whether to configure kernel modules and sysctls at boot; by default, the value of the target's distributions. */
  readonly kernel: boolean | undefined;
  /** kubelet-confgen for the architecture; undefined to build the package without it. */
  readonly confgen: Uint8Array | undefined;
}

/**
 * Composes the layout of one package of a release for a target. Pure.
 *
 * @throws KubeparcelError of kind 'usage' for a package that is not in the catalog; 'config' for invalid data or
 *   templates; 'format' for a payload without a required file or with a library that no known package contains
 */
export function composeLayout(input: ComposeInput): Layout {
  const { target, payload, date, maintainer } = input;
  const { format } = target;
  const definition = findDefinition(input);
  const component = findComponent(input, definition);
  const identity = packageIdentity({ ...input, name: definition.name, version: component.version });
  const { version } = identity;
  const changelog = [changelogEntry(definition, component.version, version, date, maintainer)];
  const paths = targetPaths(target, payload.version);
  const kernel = input.kernel ?? commonKernel(target);
  const generator = generatorPath(definition, input, paths);
  const values = templateValues(input, definition, component.version, paths, version, kernel, generator);
  return {
    format,
    ...identity,
    summary: definition.summary,
    description: definition.description,
    // A DEB states licenses per file in its copyright file.
    license:
      format === 'rpm' && generator !== '' ? `${definition.license} AND MIT AND BSD-3-Clause` : definition.license,
    maintainer,
    homepage: definition.homepage,
    section: definition.section[format],
    source: definition.name,
    multiArch: format === 'deb' ? definition.multiArch : undefined,
    date,
    relations: composeRelations(definition, target, payload.version, component.files),
    scripts: composeScripts(definition, format, input.templates, values),
    changelog,
    entries: composeEntries({
      definition,
      target,
      files: component.files,
      paths,
      templates: input.templates,
      values,
      kernel,
      confgen: input.confgen,
      debianChangelog: debianChangelog(definition.name, changelog),
      date,
    }),
  };
}

/** The path of kubelet-confgen without the leading slash; '' in packages without it. */
function generatorPath({ contents }: PackageDefinition, { confgen }: ComposeInput, paths: Paths): string {
  const rule = contents.find((each) => 'program' in each);
  return rule === undefined || !('program' in rule) || confgen === undefined
    ? ''
    : expandPath(rule.path, paths).slice(1);
}

function templateValues(
  { catalog, target, architecture, payload, maintainer, restart }: ComposeInput,
  definition: PackageDefinition,
  version: string,
  paths: Paths,
  { upstream, revision }: PackageVersion,
  kernel: boolean,
  generator: string,
): TemplateValues {
  return {
    name: definition.name,
    version,
    /** As the package manager shows it. */
    fullVersion: `${upstream}-${revision}`,
    kubernetes: payload.version,
    format: target.format,
    architecture,
    target: target.id,
    homepage: definition.homepage,
    license: definition.license,
    maintainer,
    upstream: definition.upstream,
    paths: { ...paths, dropIns: paths['drop-ins'] },
    restart,
    kernel: kernel ? 'on' : 'off',
    generated: definition.generated.join(' '),
    /** The generated files of all packages, because the generator has one record for all of them. */
    generatedByAll: catalog.packages.flatMap((each) => each.generated).join(' '),
    generator,
    /** SHA-256 digests of the drop-ins in other kubeadm packages, separated by spaces. */
    formerDropIns: catalog.formerFiles
      .filter(({ path }) => path === FORMER_DROP_IN)
      .flatMap(({ sha256 }) => sha256)
      .join(' '),
  };
}

/** A drop-in of other packages. It overrides ours, which has the same name in /usr/lib (systemd.unit(5)). */
const FORMER_DROP_IN = '/etc/systemd/system/kubelet.service.d/10-kubeadm.conf';

function commonKernel({ id, distributions }: Target): boolean {
  const kernel = distributions.some((distribution) => distribution.kernel);
  if (kernel && !distributions.every((distribution) => distribution.kernel)) {
    throw new KubeparcelError('config', `the distributions of ${id} have different values for kernel`, {
      hint: 'use the same value in packaging/distributions, or set kernel in kubeparcel.yaml',
    });
  }
  return kernel;
}

/** Name, version and architecture of a package; does not need the payload. */
export function packageIdentity(input: {
  readonly name: string;
  /** The component's own version, without `v`. */
  readonly version: string;
  readonly target: Target;
  readonly architecture: Architecture;
  readonly revision: string;
}): PackageIdentity {
  const { name, target, architecture } = input;
  return {
    name,
    version: {
      epoch: 0,
      upstream: upstreamVersion(input.version),
      revision: `${input.revision}${target.revisionSuffix}`,
    },
    architecture: packageArchitecture(target.format, architecture),
  };
}

function findDefinition({ catalog, name }: ComposeInput): PackageDefinition {
  const definition = catalog.packages.find((each) => each.name === name);
  if (definition === undefined) {
    throw new KubeparcelError('usage', `unknown package ${JSON.stringify(name)}`, {
      hint: `use one of ${catalog.packages.map((each) => each.name).join(', ')}`,
    });
  }
  return definition;
}

function findComponent({ payload, architecture }: ComposeInput, { name, component }: PackageDefinition) {
  const found = payload.components.find((each) => each.component === component && each.architecture === architecture);
  if (found === undefined) {
    throw new KubeparcelError('format', `the payload has no ${component} for ${architecture}`, {
      where: `package ${name} of Kubernetes ${payload.version}`,
      hint: 'fetch the release for this architecture, or leave out the package or the architecture',
    });
  }
  return found satisfies ComponentPayload;
}

/** `~` makes pre-releases sort before the release in both formats; further hyphens are not allowed. */
function upstreamVersion(version: string): string {
  return version.replace('-', '~').replaceAll('-', '.');
}

function changelogEntry(
  definition: PackageDefinition,
  componentVersion: string,
  { upstream, revision }: PackageVersion,
  date: number,
  author: string,
): ChangelogEntry {
  const [major, minor] = versionNumbers(componentVersion);
  const changes = definition.changes
    .replaceAll('{version}', componentVersion)
    .replaceAll('{minor}', `${major}.${minor}`);
  return {
    version: `${upstream}-${revision}`,
    date,
    author,
    changes: [`New release: ${definition.upstream.name} ${componentVersion}`, `Changes: ${changes}`],
  };
}
