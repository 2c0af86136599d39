import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Key } from 'openpgp';
import { z } from 'zod';
import { gzipSmall } from '../compress/codecs/gzip.ts';
import { debianChangelog, parentDirectories } from '../layout/documents.ts';
import { parseCompression } from '../model/compression.ts';
import type { Format } from '../model/format.ts';
import { type Entry, type EntryRole, type Layout, sortByPath } from '../model/layout.ts';
import { noRelations } from '../model/relation.ts';
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
  license: z.string().min(1),
  section: perFormat(z.string()),
  architecture: perFormat(z.string()),
  keys: perFormat(z.strictObject({ path: z.string().startsWith('/'), form: z.enum(['binary', 'armored']) })),
  compression: perFormat(z.string().transform(parseCompression)),
  'own-directories': perFormat(z.array(z.string().startsWith('/'))),
  copyright: z.string().min(1),
});

/** The contents of packaging/keyring.yaml. */
export type KeyringDefinition = z.output<typeof keyringSchema>;

/** @throws KubeparcelError of kind 'config' for invalid data */
export async function loadKeyring(directory: string = join(packageRoot(), 'packaging')): Promise<KeyringDefinition> {
  const path = join(directory, 'keyring.yaml');
  return parseValidatedYaml(await readFile(path, 'utf8'), keyringSchema, path);
}

export interface KeyringInput {
  readonly definition: KeyringDefinition;
  readonly format: Format;
  /** Public keys without duplicates. */
  readonly certificates: readonly Key[];
  /** Name of the package; default: that of the definition. */
  readonly name?: string | undefined;
  /** `Name <address>` */
  readonly maintainer: string;
  readonly homepage?: string | undefined;
}

/**
 * The layout of a package with the public keys of a repository. Its version is the date of the newest self-signature
 * (2026.11.23): the same keys give the same package, and extending the lifetime of a key gives a newer version.
 */
export async function keyringLayout(input: KeyringInput): Promise<Layout> {
  const { definition, format, maintainer } = input;
  const certificates = [...input.certificates].sort((a, b) => (fingerprintOf(a) < fingerprintOf(b) ? -1 : 1));
  const name = input.name ?? definition.name;
  const homepage = input.homepage ?? definition.homepage;
  const date = Math.max(...certificates.map(newestSignatureDate));
  const version = { epoch: 0, upstream: dayOf(date), revision: '1' };
  const users = await Promise.all(certificates.map(userIdOf));
  const changes = certificates.map(
    (each, at) => `${fingerprintOf(each)} (${withoutControlCharacters(users[at] ?? '')})`,
  );
  const changelog = [{ version: `${version.upstream}-1`, date, author: maintainer, changes: ['Keys:', ...changes] }];
  const owners = [...new Set(users.map(withoutControlCharacters))].join('\n ');
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
  const directories =
    format === 'deb' ? files.flatMap(({ path }) => parentDirectories(path)) : definition['own-directories'].rpm;
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
  const { summary, description, license } = definition;
  return {
    format,
    name,
    version,
    architecture: definition.architecture[format],
    summary,
    description,
    license,
    maintainer,
    homepage,
    section: definition.section[format],
    source: name,
    multiArch: format === 'deb' ? 'foreign' : undefined,
    date,
    relations: noRelations(),
    scripts: {},
    changelog,
    entries: sortByPath(entries),
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
    { path: `${directory}/copyright`, bytes: Buffer.from(copyright), role: 'license' },
  ];
}

function expand(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{([a-z]+)\}/g, (whole, key: string) => values[key] ?? whole);
}

/** Removes control characters from a user ID, so that it cannot start a new line or field. */
function withoutControlCharacters(userId: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: replaces control characters
  return userId.replace(/[\u0000-\u001f\u007f]+/g, ' ').trim() || 'a key without a name';
}

/** 2026.11.23 */
function dayOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10).replaceAll('-', '.');
}
