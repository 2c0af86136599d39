import { z } from 'zod';
import { RESTARTS } from '../layout/compose-scripts.ts';
import { ARCHITECTURES } from '../model/architecture.ts';
import { FORMATS } from '../model/format.ts';

const componentVersion = z
  .string()
  .regex(/^\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?$/, 'expected a version like 1.36.0, without v');

const JOBS_MESSAGE = 'expected a whole number from 1 to 256';

function unknown(what: string, expected: readonly string[]) {
  return ({ input }: { readonly input?: unknown }) =>
    `unknown ${what} ${JSON.stringify(input)}; expected ${expected.join(', ')}`;
}

/** kubeparcel.yaml. All keys are optional; flags take precedence. */
export const configSchema = z
  .strictObject({
    version: z
      .string('put the version in quotes: YAML reads 1.30 as the number 1.3')
      .min(1)
      .meta({ description: 'What to build: v1.36.4, 1.36 (newest patch), stable, 1.37.0-rc.1' }),
    packages: z.array(z.string().min(1)).min(1).meta({ description: 'Packages to build; all by default' }),
    architectures: z
      .array(z.enum(ARCHITECTURES, { error: unknown('architecture', ARCHITECTURES) }))
      .min(1)
      .meta({ description: "Architectures; this machine's by default" }),
    formats: z
      .array(z.enum(FORMATS, { error: unknown('format', FORMATS) }))
      .min(1)
      .meta({ description: 'deb, rpm or both (default)' }),
    distributions: z.array(z.string().min(1)).meta({
      description: 'Build packages per distribution (debian-12, el-9, ...) instead of one per format',
    }),
    revision: z
      .string('put the revision in quotes')
      .regex(/^[A-Za-z0-9][A-Za-z0-9.+~]*$/, "expected letters, digits and . + ~; no '-'")
      .meta({ description: 'Debian revision and RPM release; 1 by default. Increase it when the packaging changes' }),
    components: z
      .strictObject({
        criTools: componentVersion.meta({ description: 'cri-tools, for example 1.36.0' }),
        cniPlugins: componentVersion.meta({ description: 'CNI plugins (kubernetes-cni), for example 1.8.0' }),
      })
      .partial()
      .meta({ description: 'Versions of components with their own releases; pinned per minor version by default' }),
    source: z.string().min(1).meta({
      description: 'servers (default), sample, a mirror URL, a directory or a bundle',
    }),
    servers: z
      .strictObject({ kubernetes: z.url(), cniPlugins: z.url(), criTools: z.url() })
      .partial()
      .meta({ description: 'Base URLs of mirrors, one per origin' }),
    digests: z
      .record(z.url(), z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256: 64 lower-case hex digits'))
      .meta({
        description:
          'SHA-256 digests by URL, for artifacts of old releases without published digests; they take precedence',
      }),
    out: z.string().min(1).meta({ description: 'Output directory; dist by default' }),
    jobs: z
      .int(JOBS_MESSAGE)
      .min(1, JOBS_MESSAGE)
      .max(256, JOBS_MESSAGE)
      .meta({ description: 'Packages to build in parallel; one per core by default' }),
    compression: z
      .string()
      .min(1)
      .meta({ description: 'zstd:19, xz:6, gzip:9 or none; by default the best that all targets support' }),
    restart: z.enum(RESTARTS, { error: unknown('value', RESTARTS) }).meta({
      description:
        'Effect of upgrades on a running kubelet: none (default), try-restart, needs-restart (a file in /run)',
    }),
    kernel: z.boolean().meta({
      description:
        'The kubelet package loads br_netfilter and overlay and enables IP forwarding; depends on the distribution by default',
    }),
    confgen: z.boolean().meta({
      description:
        'The kubelet package contains kubelet-confgen, which configures the kubelet for its host; true by default',
    }),
    maintainer: z
      .string()
      .regex(/^[^<>\n]+ <[^<>@\s]+@[^<>@\s]+>$/, 'expected Name <address>')
      .meta({ description: 'Maintainer (DEB) and Packager (RPM): Name <address>' }),
    templates: z
      .string()
      .min(1)
      .meta({ description: 'Directory with your own templates (kubeparcel templates eject)' }),
    packaging: z.string().min(1).meta({ description: "Directory that replaces kubeparcel's packaging data" }),
  })
  .partial();

export type Config = z.output<typeof configSchema>;

/** The JSON schema of kubeparcel.yaml (draft 2020-12), for editors. */
export function configJsonSchema(): unknown {
  return { title: 'kubeparcel.yaml', ...z.toJSONSchema(configSchema) };
}
