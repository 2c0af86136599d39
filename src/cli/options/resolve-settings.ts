import { availableParallelism, endianness } from 'node:os';
import { loadConfig } from '../../config/load.ts';
import { type Config, configSchema } from '../../config/schema.ts';
import { ARCHITECTURES, type Architecture, nodeArchitecture } from '../../model/architecture.ts';
import { parseCompression } from '../../model/compression.ts';
import type { Settings } from '../../pipeline/prepare.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { issueMessage } from '../../support/schema-issue.ts';
import { DEFAULT_MAINTAINER, type ReleaseArguments } from './release-options.ts';

/**
 * Combines the settings: flags take precedence over kubeparcel.yaml, which takes precedence over the defaults.
 *
 * @returns the settings, and the output directory if one is set
 * @throws KubeparcelError of kind 'usage' for an invalid flag, of kind 'config' for an invalid setting
 */
export async function resolveSettings(
  args: ReleaseArguments & { out?: string | undefined },
): Promise<{ settings: Settings; out: string | undefined }> {
  const file = await loadConfig(args.config);
  const flags = parseFlags(args);
  const config = { ...file, ...flags };
  return {
    out: config.out,
    settings: {
      version: config.version ?? 'stable',
      packages: config.packages,
      architectures: args.arch?.includes('all')
        ? ARCHITECTURES
        : [...new Set(config.architectures ?? [ownArchitecture()])],
      formats: config.formats,
      distributions: config.distributions,
      revision: config.revision ?? '1',
      components: definedOnly(config.components ?? {}),
      source: config.source ?? 'servers',
      servers: config.servers ?? {},
      digests: config.digests ?? {},
      compression: config.compression === undefined ? undefined : parseCompression(config.compression),
      fast: args.fast ?? false,
      maintainer: config.maintainer ?? DEFAULT_MAINTAINER,
      restart: config.restart ?? 'none',
      kernel: config.kernel,
      confgen: args['without-confgen'] ? false : (config.confgen ?? true),
      templates: config.templates,
      packaging: config.packaging,
      lock: args.locked ? args.lock : undefined,
      jobs: config.jobs ?? availableParallelism(),
    },
  };
}

/** Checks the flags against the schema of kubeparcel.yaml. */
function parseFlags(args: ReleaseArguments & { out?: string | undefined }): Config {
  const { release: version, packages, arch, formats, distro, revision, source, out, jobs, compression, restart } = args;
  const flags = { version, packages, formats, revision, source, out, jobs, compression, restart };
  const architectures = arch?.includes('all') ? undefined : arch;
  const result = configSchema.safeParse(definedOnly({ ...flags, architectures, distributions: distro }));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const name = String(issue?.path[0] ?? '');
  throw new KubeparcelError('usage', issue === undefined ? 'invalid flag' : issueMessage(issue), {
    where: name === 'version' ? 'RELEASE' : `--${FLAG_NAMES[name] ?? name}`,
    hint: 'see kubeparcel build --help',
  });
}

const FLAG_NAMES: Readonly<Record<string, string>> = { architectures: 'arch', distributions: 'distro' };

function definedOnly<T extends object>(record: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

/** The architecture of this machine, by its Kubernetes name. */
export function ownArchitecture(): Architecture {
  const own = nodeArchitecture(process.arch, endianness());
  if (own !== undefined) return own;
  throw new KubeparcelError('usage', `Kubernetes does not support this machine (${process.arch})`, {
    hint: 'specify an architecture: --arch amd64',
  });
}
