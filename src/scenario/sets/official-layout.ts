import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Catalog } from '../../catalog/model.ts';
import { bound, coveringRanges } from '../../catalog/range-schema.ts';
import { rangeAt } from '../../catalog/ranges.ts';
import { type Format, SCRIPT_NAMES, type ScriptName } from '../../model/format.ts';
import type { DirectoryEntry, Entry, Layout } from '../../model/layout.ts';
import { PACKAGERS } from '../../pipeline/formats.ts';
import type { PackageJob } from '../../pipeline/run.ts';
import { packageRoot } from '../../support/package-root.ts';
import { parseValidatedYaml } from '../../support/validated-yaml.ts';
import { absolutePath, mode } from '../model/expectation.ts';

function factsOf(format: Format) {
  const names: readonly string[] = SCRIPT_NAMES[format];
  return z.strictObject({
    revision: z.string().min(1),
    unit: z.strictObject({ directory: absolutePath, mode }),
    'drop-ins': absolutePath,
    conffile: z.boolean().default(false),
    environment: z.boolean(),
    'keep-files': z.array(absolutePath).default([]),
    scripts: z
      .record(
        z.string().refine((name) => names.includes(name), `one of ${names.join(', ')}`),
        z.string(),
      )
      .default({}),
  });
}

function officialSchema({ minors }: Pick<Catalog, 'minors'>) {
  const span = { oldest: minors[0]?.minor ?? '', newest: minors.at(-1)?.minor ?? '' };
  const layout = z.strictObject({ since: bound, until: bound.optional(), deb: factsOf('deb'), rpm: factsOf('rpm') });
  return z.strictObject({ layouts: coveringRanges(layout, span) });
}

/** Layouts of the official packages by version range, oldest first. */
export type OfficialLayouts = z.output<ReturnType<typeof officialSchema>>['layouts'];

/** @throws KubeparcelError of kind 'config' with the line of an error in packaging/official.yaml */
export async function loadOfficialLayouts(catalog: Catalog): Promise<OfficialLayouts> {
  const file = join(packageRoot(), 'packaging', 'official.yaml');
  return parseValidatedYaml(await readFile(file, 'utf8'), officialSchema(catalog), file).layouts;
}

/** Revision and drop-in directory of the official packages of a version. */
export function officialFacts(
  layouts: OfficialLayouts,
  format: Format,
  version: string,
): { readonly revision: string; readonly dropIns: string } | undefined {
  const found = rangeAt(layouts, version)?.[format];
  return found === undefined ? undefined : { revision: found.revision, dropIns: found['drop-ins'] };
}

/** The newest minor with the oldest layout: 1.27. */
export function lastLegacyMinor(layouts: OfficialLayouts): string | undefined {
  const [, minor] = layouts[0]?.until?.split('.') ?? [];
  return minor === undefined ? undefined : `1.${Number(minor) - 1}`;
}

/**
 * Converts layouts built without kubelet-confgen to those of the official packages of the same version: revision, maintainer,
 * paths of unit, drop-in and env file, and the kubelet's scripts. Pure.
 *
 * @param version Kubernetes' version: 1.36.3
 */
export function officialLayouts(jobs: readonly PackageJob[], layouts: OfficialLayouts, version: string): PackageJob[] {
  return jobs.map(({ task, layout }) => {
    const facts = rangeAt(layouts, version)?.[layout.format];
    if (facts === undefined) return { task, layout };
    const { entries, relations, changelog, ...rest } = layout;
    const official: Layout = {
      ...rest,
      version: { ...layout.version, revision: facts.revision },
      maintainer: 'Kubernetes Authors <dev@kubernetes.io>',
      // Keeps versions in paths of the distribution consistent with the package.
      changelog: changelog.map((entry) => ({ ...entry, version: `${layout.version.upstream}-${facts.revision}` })),
      relations,
      scripts: layout.name === 'kubelet' ? scriptsOf(facts.scripts) : {},
      entries: entriesOf(entries, layout.format, facts),
    };
    return { task: { ...task, file: PACKAGERS[layout.format].fileName(official) }, layout: official };
  });
}

type Facts = OfficialLayouts[number][Format];

function scriptsOf(scripts: Readonly<Record<string, string>>): Layout['scripts'] {
  const written: Partial<Record<ScriptName, { interpreter: string; body: string }>> = {};
  for (const names of Object.values(SCRIPT_NAMES)) {
    for (const name of names) {
      const body = scripts[name];
      if (body !== undefined) written[name] = { interpreter: '/bin/sh', body: body.trimEnd() };
    }
  }
  return written;
}

function entriesOf(entries: readonly Entry[], format: Format, facts: Facts): Entry[] {
  const moved = entries.flatMap((entry): Entry[] => {
    if (entry.path.endsWith('/kubelet.service')) {
      return [{ ...entry, path: `${facts.unit.directory}/kubelet.service`, mode: Number.parseInt(facts.unit.mode, 8) }];
    }
    if (entry.path.endsWith('/kubelet.service.d')) {
      return [{ ...entry, path: `${facts['drop-ins']}/kubelet.service.d` }];
    }
    if (entry.path.endsWith('/kubelet.service.d/10-kubeadm.conf')) {
      const path = `${facts['drop-ins']}/kubelet.service.d/10-kubeadm.conf`;
      return [{ ...entry, path, role: facts.conffile ? 'config' : 'plain' }];
    }
    if (/\/(default|sysconfig)\/kubelet$/.test(entry.path) && !facts.environment) return [];
    return [entry];
  });
  const isKubelet = moved.some(({ path }) => path.endsWith('/kubelet.service'));
  const [model] = moved;
  const kept: Entry[] = facts['keep-files'].flatMap((path) =>
    isKubelet && model !== undefined
      ? [{ ...base(model), path, mode: 0o644, kind: 'file', content: { kind: 'memory', bytes: new Uint8Array() } }]
      : [],
  );
  return sortedByPath(format === 'deb' ? withParents([...moved, ...kept]) : [...moved, ...kept]);
}

function base({ mtime, owner, group }: Entry) {
  return { mtime, owner, group, role: 'plain' as const };
}

/** Adds the parent directories of all entries, which a DEB lists, and drops parents that are no longer needed. */
function withParents(entries: readonly Entry[]): Entry[] {
  const [model] = entries;
  if (model === undefined) return [];
  const needed = entries.filter(
    (entry) =>
      entry.kind !== 'directory' ||
      !/^\/(usr\/lib|etc)\/systemd(\/system)?$|^\/usr\/lib$|^\/etc\/default$/.test(entry.path),
  );
  const listed = new Set(needed.map(({ path }) => path));
  const parents = new Set(needed.flatMap(({ path }) => parentsOf(path)).filter((path) => !listed.has(path)));
  return [
    ...needed,
    ...[...parents].map((path): DirectoryEntry => ({ ...base(model), path, mode: 0o755, kind: 'directory' })),
  ];
}

function parentsOf(path: string): string[] {
  const parts = path.split('/').slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`);
}

function sortedByPath(entries: readonly Entry[]): Entry[] {
  return [...entries].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}
