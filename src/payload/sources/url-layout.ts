import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import gte from 'semver/functions/gte.js';
import lt from 'semver/functions/lt.js';
import valid from 'semver/functions/valid.js';
import { z } from 'zod';
import type { Architecture } from '../../model/architecture.ts';
import { COMPONENTS, type Component } from '../../model/component.ts';
import type { DigestAlgorithm } from '../../model/digest.ts';
import type { Artifact } from '../../release/release.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { parseValidatedYaml } from '../../support/validated-yaml.ts';

const SERVERS = ['kubernetes', 'cniPlugins', 'criTools'] as const;
type Server = (typeof SERVERS)[number];

/** Base URLs that replace those of packaging/sources.yaml. */
export type ServerBases = Readonly<Partial<Record<Server, string | undefined>>>;

const path = z.string().regex(/^[A-Za-z0-9{][A-Za-z0-9{}._/-]*$/, 'a relative path with {placeholders}');
const release = z
  .string('a full version such as 0.8.0')
  .refine((text) => valid(text) === text, 'a full version such as 0.8.0');

const pathsSchema = z
  .array(z.strictObject({ from: release.optional(), path }))
  .min(1)
  .refine((paths) => paths[0]?.from === undefined, 'the first path is for the oldest versions and must not have `from`')
  .refine(
    (paths) =>
      paths.slice(1).every((entry, i) => {
        const before = paths[i]?.from;
        return entry.from !== undefined && (before === undefined || lt(before, entry.from));
      }),
    'all other paths need `from`, in ascending order',
  )
  .refine(
    (paths) => paths.every((entry) => entry.path.includes('{version}') && entry.path.includes('{arch}')),
    'each path must contain {version} and {arch}',
  );

const urlLayoutSchema = z.strictObject({
  servers: z.record(z.enum(SERVERS), z.url({ protocol: /^https?$/ })),
  channels: z.strictObject({
    server: z.enum(SERVERS),
    path: path.refine((text) => text.includes('{channel}'), 'the path must contain {channel}'),
  }),
  components: z.record(
    z.enum(COMPONENTS),
    z.strictObject({ server: z.enum(SERVERS), packing: z.enum(['plain', 'tgz']), paths: pathsSchema }),
  ),
  digests: z
    .array(z.strictObject({ algorithm: z.enum(['sha256', 'sha512']), suffix: z.string().regex(/^\.[a-z0-9]+$/) }))
    .min(1),
});

/** URLs of the artifacts of a release: packaging/sources.yaml. */
export type UrlLayout = z.output<typeof urlLayoutSchema>;

/**
 * Reads packaging/sources.yaml.
 *
 * @param directory the packaging directory
 * @throws KubeparcelError: 'config' with file, line and column; 'io' when it cannot be read
 */
export async function loadUrlLayout(directory: string): Promise<UrlLayout> {
  const file = posix.join(directory, 'sources.yaml');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new KubeparcelError('io', 'cannot read the list of release servers', { where: file, cause });
  }
  return parseUrlLayout(text, file);
}

/** Parses the text of a sources.yaml; see loadUrlLayout for the errors. */
export function parseUrlLayout(text: string, where: string): UrlLayout {
  return parseValidatedYaml(text, urlLayoutSchema, where);
}

/**
 * The layout with other base URLs.
 *
 * @throws KubeparcelError of kind 'usage' for a base that is not an http or https URL
 */
export function withBases(layout: UrlLayout, bases: ServerBases): UrlLayout {
  const servers = { ...layout.servers };
  for (const server of SERVERS) {
    const base = bases[server];
    if (base === undefined) continue;
    const url = URL.canParse(base) ? new URL(base) : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
      throw new KubeparcelError('usage', `invalid base URL of a server: ${JSON.stringify(base)}`, {
        hint: 'use a URL such as https://mirror.example/path',
      });
    }
    servers[server] = url.href;
  }
  return { ...layout, servers };
}

/** The layout of a mirror that has the paths of all servers below one URL. */
export function withMirror(layout: UrlLayout, base: string): UrlLayout {
  return withBases(layout, { kubernetes: base, cniPlugins: base, criTools: base });
}

/** The URL of an artifact. `version`: of the component, without `v`. */
export function artifactUrl(
  layout: UrlLayout,
  component: Component,
  version: string,
  architecture: Architecture,
): Pick<Artifact, 'packing' | 'name' | 'url'> {
  const { server, packing, paths } = layout.components[component];
  const template = paths.findLast(({ from }) => from === undefined || gte(version, from))?.path ?? '';
  const relative = template.replaceAll('{version}', version).replaceAll('{arch}', architecture);
  return { packing, name: posix.basename(relative), url: join(layout.servers[server], relative) };
}

/** The URL of the newest version in a channel: stable or stable-1.36. */
export function channelUrl(layout: UrlLayout, channel: string): string {
  return join(layout.servers[layout.channels.server], layout.channels.path.replaceAll('{channel}', channel));
}

/** The URLs of an artifact's digest files, in order of preference. */
export function digestUrls(
  layout: UrlLayout,
  url: string,
): readonly { readonly algorithm: DigestAlgorithm; readonly url: string }[] {
  return layout.digests.map(({ algorithm, suffix }) => ({ algorithm, url: `${url}${suffix}` }));
}

/** The path of a URL relative to the base URL of its server; undefined for a URL of any other server. */
export function pathBelowBases(layout: UrlLayout, url: string): string | undefined {
  for (const server of SERVERS) {
    const base = join(layout.servers[server], '');
    if (url.startsWith(base)) return url.slice(base.length);
  }
  return undefined;
}

function join(base: string, relative: string): string {
  return `${base.replace(/\/+$/, '')}/${relative}`;
}
