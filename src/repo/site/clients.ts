import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Catalog } from '../../catalog/model.ts';
import type { Format } from '../../model/format.ts';
import { packageRoot } from '../../support/package-root.ts';
import { parseValidatedYaml } from '../../support/validated-yaml.ts';

const CLIENTS = ['apt', 'dnf', 'zypper'] as const;
export type ClientName = (typeof CLIENTS)[number];
export const CLIENT_FORMATS: Readonly<Record<ClientName, Format>> = { apt: 'deb', dnf: 'rpm', zypper: 'rpm' };

const clientsSchema = z.strictObject({
  clients: z.array(
    z.strictObject({
      client: z.enum(CLIENTS),
      title: z.string().min(1),
      distributions: z.record(z.string().min(1), z.string().min(1)),
    }),
  ),
});

/** A package manager and the distributions that use it. */
export interface Client {
  readonly name: ClientName;
  /** Debian and Ubuntu */
  readonly title: string;
  /** `Debian 11, 12, 13`, `Ubuntu 20.04, ...` */
  readonly releases: readonly string[];
}

/** @throws KubeparcelError of kind 'config' with file and line */
export async function loadClients(
  catalog: Catalog,
  file: string = join(packageRoot(), 'packaging', 'clients.yaml'),
): Promise<Client[]> {
  const { clients } = parseValidatedYaml(await readFile(file, 'utf8'), clientsSchema, file);
  return clients.map(({ client, title, distributions }) => ({
    name: client,
    title,
    releases: Object.entries(distributions).flatMap(([id, name]) => {
      const versions = catalog.distributions
        .filter((distribution) => distribution.id.slice(0, distribution.id.lastIndexOf('-')) === id)
        .map((distribution) => distribution.id.slice(id.length + 1));
      return versions.length === 0 ? [] : [`${name} ${versions.join(', ')}`];
    }),
  }));
}
