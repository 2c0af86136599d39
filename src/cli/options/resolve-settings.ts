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
 * Flags over kubeparcel.yaml over defaults.
 *
 * @returns the settings, and the directory that the command writes to, where one is named
 * @throws KubeparcelError of kind 'usage' for a flag, of kind 'config' for a setting that cannot be
 */
export async function settingsFrom(
  args: ReleaseArguments & { out?: string | undefined },
): Promise<{ settings: Settings; out: string | undefined }> {
  const file = await loadConfig(args.config);
  const flags = validFlags(args);
  const config = { ...file, ...flags };
  return {
    out: config.out,
    settings: {
      version: config.version ?? 'stable',
      packages: config.packages,
      architectures: args.arch?.includes('all') ? ARCHITECTURES : (config.architectures ?? [ownArchitecture()]),
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

/** Flags in the shape of a configuration, so that both are held against the same schema. */
function validFlags(args: ReleaseArguments & { out?: string | undefined }): Config {
  const { release: version, packages, arch, formats, distro, revision, source, out, jobs, compression, restart } = args;
  const flags = { version, packages, formats, revision, source, out, jobs, compression, restart };
  const architectures = arch?.includes('all') ? undefined : arch;
  const result = configSchema.safeParse(definedOnly({ ...flags, architectures, distributions: distro }));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const name = String(issue?.path[0] ?? '');
  throw new KubeparcelError('usage', issue === undefined ? 'not a setting' : issueMessage(issue), {
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

/** Node's word for this machine in Kubernetes' words. */
export function ownArchitecture(): Architecture {
  const own = nodeArchitecture(process.arch, endianness());
  if (own !== undefined) return own;
  throw new KubeparcelError('usage', `Kubernetes has no release for this machine (${process.arch})`, {
    hint: 'name an architecture: --arch amd64',
  });
}
