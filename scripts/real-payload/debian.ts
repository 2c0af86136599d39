import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureDir } from 'fs-extra/esm';
import { KubeparcelError } from '../../src/support/errors.ts';
import { type Run, run, type Say } from '../run.ts';
import { RECIPE } from './recipe.ts';

/** apt with its own configuration, lists and cache. Needs no root and does not affect the apt of the machine. */
export interface Debian {
  readonly directory: string;
  readonly configuration: string;
  readonly signal: AbortSignal | undefined;
}

/** The index files to fetch. */
export interface Lists {
  readonly suite: string;
  readonly binary: boolean;
  readonly source: boolean;
  /** Debian's names; default: this machine's architecture. */
  readonly architectures?: readonly string[] | undefined;
}

/** A package in the signed indices: its version and the SHA-256 of its files, sorted. */
export interface ArchivePackage {
  readonly name: string;
  readonly version: string;
  readonly sha256: readonly string[];
}

const PUBLIC_MIRRORS = ['http://deb.debian.org/debian', 'http://archive.debian.org/debian'];
const KEYRINGS = ['/usr/share/keyrings/debian-archive-keyring.gpg', '/usr/share/keyrings/debian-archive-keyring.pgp'];
const NETWORK_HINT = 'check the network, proxies and the mirror in /etc/apt';

/**
 * Writes the configuration to `directory`, which it creates, and fetches index files from the Debian mirror of this machine,
 * else from Debian's public mirrors.
 *
 * @param lists default: the suite of the recipe
 * @throws KubeparcelError of kind 'network' if no mirror has index files with a valid signature
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
        `cannot fetch the index files of ${suite} from ${mirror}`,
      );
      return debian;
    } catch (error) {
      if (!(error instanceof KubeparcelError) || error.kind !== 'network') {
        throw error;
      }
      say(`${mirror} has no usable index files of ${suite}, trying the next mirror`);
      problems.push(error.message);
    }
  }
  throw new KubeparcelError('network', `no mirror has the index files of Debian ${suite}\n${problems.join('\n')}`, {
    hint:
      keyring === undefined ? "install Debian's archive keys: apt-get install debian-archive-keyring" : NETWORK_HINT,
  });
}

/** Keeps the machine's apt.conf.d, which may configure proxies. */
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
    // As root, apt would fetch as the user _apt, which cannot access root's cache directory.
    'APT::Sandbox::User "root";',
    'APT::Install-Recommends "false";',
    'Acquire::Languages "none";',
    'Acquire::Retries "3";',
    ...(architectures === undefined ? [] : ['#clear APT::Architectures;']),
    ...(architectures ?? []).map((name) => `APT::Architectures:: "${name}";`),
  ].join('\n')}\n`;
}

/** The configured mirrors of Debian's main archive, then the public ones. */
async function mirrors(debian: Debian): Promise<string[]> {
  const targets = await run('apt-get', ['indextargets', '--format', '$(ORIGIN)|$(LABEL)|$(REPO_URI)'], {
    ...runOptions(debian, 'apt-get cannot read its configuration'),
    kind: 'config',
    hint: 'fix /etc/apt/sources.list and /etc/apt/sources.list.d',
  });
  const configured = targets.split('\n').flatMap((line) => {
    const [origin, label, uri] = line.split('|');
    if (origin === undefined || uri === undefined || /\s/.test(uri)) {
      return [];
    }
    // Before the first `apt-get update`, apt does not know the origin of an archive.
    const unknown = origin === '' || origin === '$(ORIGIN)';
    const main = unknown ? /\/debian\/?$/.test(uri) : origin === 'Debian' && label === 'Debian';
    return main ? [uri.replace(/\/$/, '')] : [];
  });
  return [...new Set([...configured, ...PUBLIC_MIRRORS])];
}

/** Finds a binary package of this machine's architecture. */
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

/** Finds the newest source package with the given upstream version. */
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
    hint: 'change RECIPE in scripts/real-payload/recipe.ts to the current version of Debian',
  });
}

function field(stanza: string, name: string): string {
  const value = new RegExp(`^${name}: (\\S+)$`, 'm').exec(stanza)?.[1];
  if (value === undefined) {
    throw new KubeparcelError('format', `apt-cache shows a package without the field ${name}`, { where: stanza });
  }
  return value;
}

/** Downloads packages, which apt verifies against the signed indices, and unpacks them into one directory. */
export async function unpackPackages(
  debian: Debian,
  packages: readonly ArchivePackage[],
  directory: string,
): Promise<void> {
  const downloads = join(debian.directory, `downloads-${packages[0]?.name ?? 'none'}`);
  await ensureDir(downloads);
  await ensureDir(directory);
  const versioned = packages.map(({ name, version }) => `${name}=${version}`);
  await apt(debian, 'apt-get', ['-qq', 'download', ...versioned], 'cannot download Debian packages', downloads);
  for (const file of (await readdir(downloads)).sort()) {
    await run('dpkg-deb', ['--extract', join(downloads, file), directory], {
      ...runOptions(debian, `cannot unpack ${file}`),
      kind: 'io',
      hint: 'check the free disk space',
    });
  }
}

/**
 * Downloads a source package, which apt verifies against the signed indices.
 *
 * @returns the directory of its files
 */
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
    `cannot download the source package ${source.name}`,
    downloads,
  );
  return downloads;
}

/**
 * Downloads a source package and unpacks it, with Debian's patches, to `directory`, which must not exist. apt verifies the
 * files against the signed indices, dpkg-source against the digests in the .dsc.
 */
export async function unpackSource(debian: Debian, source: ArchivePackage, directory: string): Promise<void> {
  const downloads = await downloadSource(debian, source);
  const description = (await readdir(downloads)).find((name) => name.endsWith('.dsc'));
  if (description === undefined) {
    throw new KubeparcelError('network', 'apt-get source downloaded no .dsc', { where: downloads });
  }
  await run('dpkg-source', ['--no-copy', '--extract', description, directory], {
    ...runOptions(debian, 'cannot unpack the source package', downloads),
    kind: 'verification',
    hint: 'check the free disk space, and that dpkg-dev, patch and xz-utils are installed',
  });
}

function apt(debian: Debian, command: string, args: readonly string[], failure: string, cwd = debian.directory) {
  return run(command, ['-c', debian.configuration, ...args], runOptions(debian, failure, cwd));
}

function runOptions(debian: Debian, failure: string, cwd = debian.directory): Run {
  return { cwd, signal: debian.signal, failure, kind: 'network', hint: NETWORK_HINT };
}
