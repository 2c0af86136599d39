import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Key } from 'openpgp';
import { z } from 'zod';
import { gzipSmall } from '../compress/codecs/gzip.ts';
import { debianChangelog } from '../layout/documents.ts';
import { parseCompression } from '../model/compression.ts';
import type { Format } from '../model/format.ts';
import type { Entry, EntryRole, Layout } from '../model/layout.ts';
import { RELATION_KINDS } from '../model/relation.ts';
import { packageRoot } from '../support/package-root.ts';
import { parseValidatedYaml } from '../support/validated-yaml.ts';
import { fingerprintOf, publicKeyFile, userIdOf } from './certificate.ts';
import { newestSignatureDate } from './check-key.ts';

const perFormat = <Schema extends z.ZodType>(schema: Schema) => z.strictObject({ deb: schema, rpm: schema });

const keyringSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/),
  summary: z.string().min(1),
  description: z.string().min(1),
  homepage: z.url(),
  licence: z.string().min(1),
  section: perFormat(z.string()),
  architecture: perFormat(z.string()),
  keys: perFormat(z.strictObject({ path: z.string().startsWith('/'), form: z.enum(['binary', 'armored']) })),
  compression: perFormat(z.string().transform(parseCompression)),
  'own-directories': perFormat(z.array(z.string().startsWith('/'))),
  copyright: z.string().min(1),
});

/** packaging/keyring.yaml: what the keyring package is. */
export type KeyringDefinition = z.output<typeof keyringSchema>;

/** @throws KubeparcelError of kind 'config' for data that says something else than it must */
export async function loadKeyring(directory: string = join(packageRoot(), 'packaging')): Promise<KeyringDefinition> {
  const path = join(directory, 'keyring.yaml');
  return parseValidatedYaml(await readFile(path, 'utf8'), keyringSchema, path);
}

export interface KeyringInput {
  readonly definition: KeyringDefinition;
  readonly format: Format;
  /** Public keys, each once. */
  readonly certificates: readonly Key[];
  /** Package's name; the definition's by default. */
  readonly name?: string | undefined;
  /** `Name <address>` */
  readonly maintainer: string;
  readonly homepage?: string | undefined;
}

/**
 * The package with a repository's public keys. Its version is the day of the newest signature in the keys (2026.11.23):
 * the same keys make the same package, and a key that was extended makes a newer one. Pure but for parsing.
 */
export async function keyringLayout(input: KeyringInput): Promise<Layout> {
  const { definition, format, maintainer } = input;
  const certificates = [...input.certificates].sort((a, b) => (fingerprintOf(a) < fingerprintOf(b) ? -1 : 1));
  const name = input.name ?? definition.name;
  const homepage = input.homepage ?? definition.homepage;
  const date = Math.max(...certificates.map(newestSignatureDate));
  const version = { epoch: 0, upstream: dayOf(date), revision: '1' };
  const users = await Promise.all(certificates.map(userIdOf));
  const changes = certificates.map((each, at) => `${fingerprintOf(each)} (${plain(users[at] ?? '')})`);
  const changelog = [{ version: `${version.upstream}-1`, date, author: maintainer, changes: ['Keys:', ...changes] }];
  const owners = [...new Set(users.map(plain))].join('\n ');
  const values = { name, homepage, owners, year: version.upstream.slice(0, 4) };
  const files = [
    {
      path: expand(definition.keys[format].path, values),
      bytes: publicKeyFile(certificates, definition.keys[format].form),
      role: 'plain' as const,
    },
    ...(format === 'deb'
      ? debDocuments(name, debianChangelog(name, changelog), expand(definition.copyright, values))
      : []),
  ];
  const directories = format === 'deb' ? files.flatMap(({ path }) => parents(path)) : definition['own-directories'].rpm;
  const base = { owner: 'root', group: 'root', mtime: date } as const;
  const entries: Entry[] = [
    ...[...new Set(directories)].map(
      (path): Entry => ({ ...base, kind: 'directory', path, mode: 0o755, role: 'plain' }),
    ),
    ...files.map(
      ({ path, bytes, role }): Entry => ({
        ...base,
        kind: 'file',
        path,
        mode: 0o644,
        role,
        content: { kind: 'memory', bytes },
      }),
    ),
  ];
  const { summary, description, licence } = definition;
  return {
    format,
    name,
    version,
    architecture: definition.architecture[format],
    summary,
    description,
    licence,
    maintainer,
    homepage,
    section: definition.section[format],
    source: name,
    ...(format === 'deb' ? { multiArch: 'foreign' } : {}),
    date,
    relations: Object.fromEntries(RELATION_KINDS.map((kind) => [kind, []])) as unknown as Layout['relations'],
    scripts: {},
    changelog,
    entries: entries.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path))),
  };
}

function debDocuments(
  name: string,
  changelog: string,
  copyright: string,
): { path: string; bytes: Uint8Array; role: EntryRole }[] {
  const directory = `/usr/share/doc/${name}`;
  return [
    { path: `${directory}/changelog.Debian.gz`, bytes: gzipSmall(Buffer.from(changelog)), role: 'doc' },
    { path: `${directory}/copyright`, bytes: Buffer.from(copyright), role: 'licence' },
  ];
}

function expand(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{([a-z]+)\}/g, (whole, key: string) => values[key] ?? whole);
}

/** User IDs are what their makers wrote: nothing of them may begin a line or a field. */
function plain(userId: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
  return userId.replace(/[\u0000-\u001f\u007f]+/g, ' ').trim() || 'nobody named';
}

/** 2026.11.23 */
function dayOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10).replaceAll('-', '.');
}

function parents(path: string): string[] {
  const steps = path.split('/').slice(1, -1);
  return steps.map((_, index) => `/${steps.slice(0, index + 1).join('/')}`);
}
