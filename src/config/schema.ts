import { z } from 'zod';
import { RESTARTS } from '../layout/compose-scripts.ts';
import { ARCHITECTURES } from '../model/architecture.ts';
import { FORMATS } from '../model/format.ts';

const componentVersion = z
  .string()
  .regex(/^\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?$/, 'a version such as 1.36.0, without v, in quotes');

const JOBS = 'must be a whole number from 1 to 256';

function noneOf(words: readonly string[]) {
  return (issue: { readonly input?: unknown }) => `${JSON.stringify(issue.input)} is none of ${words.join(', ')}`;
}

/** kubeparcel.yaml. Every key is optional; a flag of the command wins over it. */
export const configSchema = z
  .strictObject({
    version: z
      .string('put a version in quotes: YAML reads 1.30 as the number 1.3')
      .min(1)
      .meta({ description: 'What to build: v1.36.4, 1.36 (newest patch), stable, 1.37.0-rc.1' }),
    packages: z.array(z.string().min(1)).min(1).meta({ description: 'Which packages; all five by default' }),
    architectures: z
      .array(z.enum(ARCHITECTURES, { error: noneOf(ARCHITECTURES) }))
      .min(1)
      .meta({ description: "Which architectures; this machine's by default" }),
    formats: z
      .array(z.enum(FORMATS, { error: noneOf(FORMATS) }))
      .min(1)
      .meta({ description: 'deb, rpm or both (default)' }),
    distributions: z.array(z.string().min(1)).meta({
      description: 'Build for single distributions (debian-12, el-9, ...) instead of one package for the family',
    }),
    revision: z
      .string('put a revision in quotes')
      .regex(/^[A-Za-z0-9][A-Za-z0-9.+~]*$/, "letters, digits and . + ~ only, no '-'")
      .meta({ description: 'Debian revision and RPM release; 1 by default. Raise it when the packaging changes' }),
    components: z
      .strictObject({
        criTools: componentVersion.meta({ description: 'cri-tools, e.g. 1.36.0' }),
        cniPlugins: componentVersion.meta({ description: 'CNI plugins (kubernetes-cni), e.g. 1.8.0' }),
      })
      .partial()
      .meta({ description: 'Versions of what is released apart from Kubernetes; pinned per minor by default' }),
    source: z.string().min(1).meta({
      description: 'servers (default), sample, the URL of a mirror, a directory or a bundle',
    }),
    servers: z
      .strictObject({ kubernetes: z.url(), cniPlugins: z.url(), criTools: z.url() })
      .partial()
      .meta({ description: 'Base URLs of mirrors, one for each origin' }),
    digests: z.record(z.url(), z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256: 64 lower-case hex digits')).meta({
      description: 'SHA-256 by URL, for artifacts that old releases publish none for; they win over published ones',
    }),
    out: z.string().min(1).meta({ description: 'Where packages go; dist by default' }),
    jobs: z
      .int(JOBS)
      .min(1, JOBS)
      .max(256, JOBS)
      .meta({ description: 'How many packages are made at a time; one per core by default' }),
    compression: z
      .string()
      .min(1)
      .meta({ description: 'zstd:19, xz:6, gzip:9 or none; by default the best that every target can read' }),
    restart: z.enum(RESTARTS, { error: noneOf(RESTARTS) }).meta({
      description:
        'A running kubelet when its package is upgraded: none (default), try-restart, needs-restart (noted in /run)',
    }),
    kernel: z.boolean().meta({
      description: 'kubelet loads br_netfilter and overlay and turns forwarding on; the distribution says by default',
    }),
    confgen: z.boolean().meta({
      description:
        'kubelet brings kubelet-confgen, which finds what a kubelet must be told of its host; true by default',
    }),
    maintainer: z
      .string()
      .regex(/^[^<>\n]+ <[^<>@\s]+@[^<>@\s]+>$/, 'Name <address>')
      .meta({ description: 'Maintainer (DEB) and Packager (RPM): Name <address>' }),
    templates: z
      .string()
      .min(1)
      .meta({ description: 'A directory with templates of your own (kubeparcel templates eject)' }),
    packaging: z.string().min(1).meta({ description: "A directory that replaces kubeparcel's packaging data" }),
  })
  .partial();

export type Config = z.output<typeof configSchema>;

/** The JSON schema of kubeparcel.yaml (draft 2020-12), for editors. */
export function configJsonSchema(): unknown {
  return { title: 'kubeparcel.yaml', ...z.toJSONSchema(configSchema) };
}
