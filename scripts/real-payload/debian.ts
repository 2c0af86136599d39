import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureDir } from 'fs-extra/esm';
import { KubeparcelError } from '../../src/support/errors.ts';
import { RECIPE } from './recipe.ts';
import { type Run, run, type Say } from './run.ts';

/** apt with a configuration, lists and caches of its own: needs no root and leaves the machine's apt as it is. */
export interface Debian {
  readonly directory: string;
  readonly configuration: string;
  readonly signal: AbortSignal | undefined;
}

/** Which lists of a suite are wanted. */
export interface Lists {
  readonly suite: string;
  readonly binary: boolean;
  readonly source: boolean;
  /** In Debian's words; this machine's when undefined. */
  readonly architectures?: readonly string[];
}

/** What the archive's signed indices say about a package: its version and the SHA-256 of its files, sorted. */
export interface ArchivePackage {
  readonly name: string;
  readonly version: string;
  readonly sha256: readonly string[];
}

const PUBLIC_MIRRORS = ['http://deb.debian.org/debian', 'http://archive.debian.org/debian'];
const KEYRINGS = ['/usr/share/keyrings/debian-archive-keyring.gpg', '/usr/share/keyrings/debian-archive-keyring.pgp'];
const TODO_NETWORK = 'Check the network, proxies and the mirror in /etc/apt, then run it again.';

/**
 * Makes the configuration in `directory` (created) and fetches lists from the mirror that this machine uses for Debian,
 * else from Debian's public ones.
 *
 * @param lists of the recipe's suite by default
 * @throws KubeparcelError of kind 'network' when no mirror has lists with a good signature
 */
export async function openDebian(
  directory: string,
  say: Say,
  signal: AbortSignal | undefined,
  lists: Lists = { suite: RECIPE.suite, binary: true, source: true },
): Promise<Debian> {
  const { suite } = lists;
  for (const part of ['lists/partial', 'cache/archives/partial', 'empty', 'log'])
    await ensureDir(join(directory, part));
  const debian: Debian = { directory, configuration: join(directory, 'apt.conf'), signal };
  await writeFile(join(directory, 'status'), '');
  await writeFile(debian.configuration, configurationText(directory, lists.architectures));
  const keyring = KEYRINGS.find((path) => existsSync(path));
  const signedBy = keyring === undefined ? '' : ` signed-by=${keyring}`;
  const problems: string[] = [];
  for (const mirror of await mirrors(debian)) {
    const only = lists.architectures === undefined ? '' : ` arch=${lists.architectures.join(',')}`;
    const lines = [
      ...(lists.binary ? [`deb [target=Packages${only}${signedBy}] ${mirror} ${suite} main`] : []),
      ...(lists.source ? [`deb-src [target=Sources${signedBy}] ${mirror} ${suite} main`] : []),
    ];
    await writeFile(join(directory, 'sources.list'), `${lines.join('\n')}\n`);
    try {
      await apt(
        debian,
        'apt-get',
        ['-o', 'APT::Update::Error-Mode=any', 'update'],
        `${mirror} gave no lists of ${suite}`,
      );
      return debian;
    } catch (error) {
      if (!(error instanceof KubeparcelError) || error.kind !== 'network') {
        throw error;
      }
      say(`${mirror} has no usable lists of ${suite}, trying the next mirror`);
      problems.push(error.message);
    }
  }
  throw new KubeparcelError('network', `No mirror gave lists of Debian ${suite}\n${problems.join('\n')}`, {
    hint:
      keyring === undefined
        ? "Debian's archive keys are missing here: apt-get install debian-archive-keyring."
        : TODO_NETWORK,
  });
}

/** The machine's own apt.conf.d stays in force: that is where proxies are. */
function configurationText(directory: string, architectures: readonly string[] | undefined): string {
  const at = (...parts: string[]) => `"${join(directory, ...parts)}"`;
  return `${[
    `Dir::State::lists ${at('lists')};`,
    `Dir::State::status ${at('status')};`,
    `Dir::State::extended_states ${at('extended_states')};`,
    `Dir::Cache ${at('cache')};`,
    `Dir::Log ${at('log')};`,
    `Dir::Etc::sourcelist ${at('sources.list')};`,
    `Dir::Etc::sourceparts ${at('empty')};`,
    `Dir::Etc::preferences ${at('preferences')};`,
    `Dir::Etc::preferencesparts ${at('empty')};`,
    '#clear APT::Update::Pre-Invoke;',
    '#clear APT::Update::Post-Invoke;',
    '#clear APT::Update::Post-Invoke-Success;',
    // As root apt would fetch as the user _apt, who may not look into root's cache directory.
    'APT::Sandbox::User "root";',
    'APT::Install-Recommends "false";',
    'Acquire::Languages "none";',
    'Acquire::Retries "3";',
    ...(architectures === undefined ? [] : ['#clear APT::Architectures;']),
    ...(architectures ?? []).map((name) => `APT::Architectures:: "${name}";`),
  ].join('\n')}\n`;
}

/** The mirrors that this machine is configured with for Debian's main archive, then the public ones. */
async function mirrors(debian: Debian): Promise<string[]> {
  const targets = await run('apt-get', ['indextargets', '--format', '$(ORIGIN)|$(LABEL)|$(REPO_URI)'], {
    ...asked(debian, 'apt-get cannot read its configuration'),
    kind: 'config',
    hint: 'Put /etc/apt/sources.list and /etc/apt/sources.list.d in order.',
  });
  const configured = targets.split('\n').flatMap((line) => {
    const [origin, label, uri] = line.split('|');
    if (origin === undefined || uri === undefined || /\s/.test(uri)) {
      return [];
    }
    // Before the machine's first `apt-get update` nobody has told apt whose archive it is.
    const unknown = origin === '' || origin === '$(ORIGIN)';
    const main = unknown ? /\/debian\/?$/.test(uri) : origin === 'Debian' && label === 'Debian';
    return main ? [uri.replace(/\/$/, '')] : [];
  });
  return [...new Set([...configured, ...PUBLIC_MIRRORS])];
}

/** What the lists say about a binary package of this machine's architecture. */
export async function findPackage(debian: Debian, name: string): Promise<ArchivePackage> {
  const stanza = await apt(
    debian,
    'apt-cache',
    ['show', '--no-all-versions', name],
    `${RECIPE.suite} has no package ${name}`,
  );
  const version = field(stanza, 'Version');
  return { name, version, sha256: [field(stanza, 'SHA256')] };
}

/** What the lists say about the newest source package of this name that is of the given upstream version. */
export async function findSource(debian: Debian, name: string, upstreamVersion: string): Promise<ArchivePackage> {
  const found = await apt(
    debian,
    'apt-cache',
    ['showsrc', '--only-source', name],
    `${RECIPE.suite} has no source package ${name}`,
  );
  for (const stanza of found.split(/\n\n+/)) {
    const version = /^Version: (\S+)$/m.exec(stanza)?.[1];
    if (version?.startsWith(`${upstreamVersion}-`)) {
      const sha256 = [...stanza.matchAll(/^ ([0-9a-f]{64}) /gm)].map((match) => match[1] ?? '').sort();
      return { name, version, sha256 };
    }
  }
  throw new KubeparcelError('verification', `${RECIPE.suite} has no source package ${name} of ${upstreamVersion}`, {
    hint: 'Change RECIPE in scripts/real-payload/recipe.ts to the version that Debian has now.',
  });
}

function field(stanza: string, name: string): string {
  const value = new RegExp(`^${name}: (\\S+)$`, 'm').exec(stanza)?.[1];
  if (value === undefined) {
    throw new KubeparcelError('format', `apt-cache shows a package without the field ${name}`, { where: stanza });
  }
  return value;
}

/** Downloads packages (checked by apt against the signed lists) and unpacks all of them into one directory. */
export async function unpackPackages(
  debian: Debian,
  packages: readonly ArchivePackage[],
  directory: string,
): Promise<void> {
  const downloads = join(debian.directory, `downloads-${packages[0]?.name ?? 'none'}`);
  await ensureDir(downloads);
  await ensureDir(directory);
  const wanted = packages.map(({ name, version }) => `${name}=${version}`);
  await apt(debian, 'apt-get', ['-qq', 'download', ...wanted], 'Debian packages could not be downloaded', downloads);
  for (const file of (await readdir(downloads)).sort()) {
    await run('dpkg-deb', ['--extract', join(downloads, file), directory], {
      ...asked(debian, `${file} could not be unpacked`),
      kind: 'io',
      hint: 'See whether the disk is full.',
    });
  }
}

/** Downloads the files of a source package, held by apt against the signed lists, and gives back their directory. */
export async function downloadSource(
  debian: Debian,
  source: Pick<ArchivePackage, 'name' | 'version'>,
): Promise<string> {
  const downloads = join(debian.directory, `source-${source.name}`);
  await ensureDir(downloads);
  await apt(
    debian,
    'apt-get',
    ['-qq', 'source', '--download-only', '--only-source', `${source.name}=${source.version}`],
    `The source package ${source.name} could not be downloaded`,
    downloads,
  );
  return downloads;
}

/**
 * Downloads a source package and unpacks it, Debian's patches applied, to `directory`, which must not exist yet. apt
 * holds the files against the signed lists, dpkg-source against the digests in the .dsc.
 */
export async function unpackSource(debian: Debian, source: ArchivePackage, directory: string): Promise<void> {
  const downloads = await downloadSource(debian, source);
  const description = (await readdir(downloads)).find((name) => name.endsWith('.dsc'));
  if (description === undefined) {
    throw new KubeparcelError('network', 'apt-get source downloaded no .dsc', { where: downloads });
  }
  await run('dpkg-source', ['--no-copy', '--extract', description, directory], {
    ...asked(debian, 'The source package could not be unpacked', downloads),
    kind: 'verification',
    hint: 'See whether the disk is full, and that dpkg-dev, patch and xz-utils are installed.',
  });
}

function apt(debian: Debian, command: string, args: readonly string[], failure: string, cwd = debian.directory) {
  return run(command, ['-c', debian.configuration, ...args], asked(debian, failure, cwd));
}

function asked(debian: Debian, failure: string, cwd = debian.directory): Run {
  return { cwd, signal: debian.signal, failure, kind: 'network', hint: TODO_NETWORK };
}
