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
  /** Must hold the package's component for the architecture. */
  readonly payload: Payload;
  /** Debian revision and RPM release, before the distribution's suffix. */
  readonly revision: string;
  /** `Name <address>` */
  readonly maintainer: string;
  /** Seconds since 1970-01-01 UTC; the build date and the time of every file. */
  readonly date: number;
  /** What becomes of a kubelet that runs while its package is upgraded. */
  readonly restart: Restart;
  /** Modules and sysctls for the kubelet at boot; undefined: what the target's distributions say. */
  readonly kernel: boolean | undefined;
  /** The program kubelet-confgen for the architecture; undefined: packages without it. */
  readonly confgen: Uint8Array | undefined;
}

/**
 * Makes one package of a release: everything that its writer needs to know, decided for its target. Pure.
 *
 * @throws KubeparcelError of kind 'usage' for a package that is not in the catalog; of kind 'config' for data or a
 * template that does not fit; of kind 'format' for a payload that lacks a file or links a library that no package has
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
  const kernel = input.kernel ?? agreedKernel(target);
  const generator = generatorPath(definition, input, paths);
  const values = templateValues(input, definition, component.version, paths, version, kernel, generator);
  return {
    format,
    ...identity,
    summary: definition.summary,
    description: definition.description,
    // A DEB states licences by file, in its copyright.
    licence:
      format === 'rpm' && generator !== '' ? `${definition.licence} AND MIT AND BSD-3-Clause` : definition.licence,
    maintainer,
    homepage: definition.homepage,
    section: definition.section[format],
    source: definition.name,
    ...(format === 'deb' && definition.multiArch !== undefined ? { multiArch: definition.multiArch } : {}),
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

/** The path of the generator in a package that brings it, without the leading slash; else empty. */
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
    /** As the package manager says it. */
    fullVersion: `${upstream}-${revision}`,
    kubernetes: payload.version,
    format: target.format,
    architecture,
    target: target.id,
    homepage: definition.homepage,
    licence: definition.licence,
    maintainer,
    upstream: definition.upstream,
    paths: { ...paths, dropIns: paths['drop-ins'] },
    restart,
    kernel: kernel ? 'on' : 'off',
    generated: definition.generated.join(' '),
    /** Of all packages: the generator's record speaks of them together. */
    generatedByAll: catalog.packages.flatMap((each) => each.generated).join(' '),
    /** Where kubelet-confgen is, without the leading slash; empty for a package without it. */
    generator,
    /** SHA-256 of what former packages put there, separated by blanks. */
    formerDropIns: catalog.formerFiles
      .filter(({ path }) => path === FORMER_DROP_IN)
      .flatMap(({ sha256 }) => sha256)
      .join(' '),
  };
}

/** systemd.unit(5): what stands here hides the file of the same name in /usr/lib. */
const FORMER_DROP_IN = '/etc/systemd/system/kubelet.service.d/10-kubeadm.conf';

function agreedKernel({ id, distributions }: Target): boolean {
  const kernel = distributions.some((distribution) => distribution.kernel);
  if (kernel && !distributions.every((distribution) => distribution.kernel)) {
    throw new KubeparcelError('config', `the distributions of ${id} do not agree on kernel`, {
      hint: 'make it the same in packaging/distributions, or set kernel in kubeparcel.yaml',
    });
  }
  return kernel;
}

/** What a package's file is named after; known before its payload is. */
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
    throw new KubeparcelError('usage', `no such package: ${JSON.stringify(name)}`, {
      hint: `name one of ${catalog.packages.map((each) => each.name).join(', ')}`,
    });
  }
  return definition;
}

function findComponent({ payload, architecture }: ComposeInput, { name, component }: PackageDefinition) {
  const found = payload.components.find((each) => each.component === component && each.architecture === architecture);
  if (found === undefined) {
    throw new KubeparcelError('format', `the payload has no ${component} for ${architecture}`, {
      where: `package ${name} of Kubernetes ${payload.version}`,
      hint: 'fetch the release for this architecture, too, or leave the package or the architecture out',
    });
  }
  return found satisfies ComponentPayload;
}

/** Pre-releases sort before their release in both formats when they begin with `~`; neither takes another `-`. */
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
