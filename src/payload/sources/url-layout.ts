import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import gte from 'semver/functions/gte.js';
import lt from 'semver/functions/lt.js';
import valid from 'semver/functions/valid.js';
import { z } from 'zod';
import type { Architecture } from '../../model/architecture.ts';
import { COMPONENTS, type Component } from '../../model/component.ts';
import type { Digest } from '../../model/digest.ts';
import type { Artifact } from '../../release/release.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { parseValidatedYaml } from '../../support/validated-yaml.ts';

const SERVERS = ['kubernetes', 'cniPlugins', 'criTools'] as const;
type Server = (typeof SERVERS)[number];

/** Base URLs by what is published there; a missing one stays as packaging/sources.yaml has it. */
export type ServerBases = Readonly<Partial<Record<Server, string | undefined>>>;

const path = z.string().regex(/^[A-Za-z0-9{][A-Za-z0-9{}._/-]*$/, 'a relative path with {placeholders}');
const release = z
  .string('a full version such as 0.8.0')
  .refine((text) => valid(text) === text, 'a full version such as 0.8.0');

const pathsSchema = z
  .array(z.strictObject({ from: release.optional(), path }))
  .min(1)
  .refine((paths) => paths[0]?.from === undefined, 'the first path is for all older versions and has no `from`')
  .refine(
    (paths) =>
      paths.slice(1).every((one, i) => {
        const before = paths[i]?.from;
        return one.from !== undefined && (before === undefined || lt(before, one.from));
      }),
    'further paths need a `from`, oldest first',
  )
  .refine(
    (paths) => paths.every((one) => one.path.includes('{version}') && one.path.includes('{arch}')),
    'each path names {version} and {arch}',
  );

const urlLayoutSchema = z.strictObject({
  servers: z.record(z.enum(SERVERS), z.url({ protocol: /^https?$/ })),
  channels: z.strictObject({
    server: z.enum(SERVERS),
    path: path.refine((text) => text.includes('{channel}'), 'the path names {channel}'),
  }),
  components: z.record(
    z.enum(COMPONENTS),
    z.strictObject({ server: z.enum(SERVERS), packing: z.enum(['plain', 'tgz']), paths: pathsSchema }),
  ),
  digests: z
    .array(z.strictObject({ algorithm: z.enum(['sha256', 'sha512']), suffix: z.string().regex(/^\.[a-z0-9]+$/) }))
    .min(1),
});

/** Where the parts of a release are published: packaging/sources.yaml. */
export type UrlLayout = z.output<typeof urlLayoutSchema>;

/** Where digests of an artifact may be published, best first. */
export interface PublishedDigest {
  readonly algorithm: Digest['algorithm'];
  readonly url: string;
}

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
    throw new KubeparcelError('io', 'the list of release servers cannot be read', { where: file, cause });
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
      throw new KubeparcelError('usage', `not the base URL of a server: ${JSON.stringify(base)}`, {
        hint: 'write it as https://mirror.example/path',
      });
    }
    servers[server] = url.href;
  }
  return { ...layout, servers };
}

/** The layout of a mirror that has all servers' paths below one URL. */
export function withMirror(layout: UrlLayout, base: string): UrlLayout {
  return withBases(layout, { kubernetes: base, cniPlugins: base, criTools: base });
}

/** Where an artifact is published. `version`: the component's own, without `v`. */
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

/** Where the name of a channel's newest version is published; `channel`: stable or stable-1.36. */
export function channelUrl(layout: UrlLayout, channel: string): string {
  return join(layout.servers[layout.channels.server], layout.channels.path.replaceAll('{channel}', channel));
}

/** Where the digests of the artifact at a URL may be, in the order in which they are taken. */
export function digestUrls(layout: UrlLayout, url: string): readonly PublishedDigest[] {
  return layout.digests.map(({ algorithm, suffix }) => ({ algorithm, url: `${url}${suffix}` }));
}

/** The path of a URL below the layout's bases; undefined when it is below none of them. */
export function pathBelowBases(layout: UrlLayout, url: string): string | undefined {
  for (const server of SERVERS) {
    const base = join(layout.servers[server], '');
    if (url.startsWith(base)) {
      return url.slice(base.length);
    }
  }
  return undefined;
}

function join(base: string, relative: string): string {
  return `${base.replace(/\/+$/, '')}/${relative}`;
}
