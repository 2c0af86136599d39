import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import ejs from 'ejs';
import { loadCatalog } from '../../catalog/catalog.ts';
import { fingerprintOf, readCertificates, userIdOf } from '../../sign/certificate.ts';
import { withLock } from '../../support/lock.ts';
import { packageRoot } from '../../support/package-root.ts';
import { writeAtomically } from '../../support/write-atomically.ts';
import { indexText, type RepositoryIndex } from '../model/index-file.ts';
import { type Channel, lockPath, publicKeyPath, type RepositoryState } from '../model/repository.ts';
import { RecordCache } from '../records/record-cache.ts';
import { openState } from '../transaction/state.ts';
import { CLIENT_FORMATS, type Client, loadClients } from './clients.ts';
import { instructions } from './instructions.ts';
import { type SiteMinor, type SiteModel, siteModel } from './model.ts';

/** A file of the site. */
export interface Page {
  /** Relative to the repository. */
  readonly path: string;
  readonly text: string;
}

export interface SigningKeyOnSite {
  /** Upper-case hex. */
  readonly fingerprint: string;
  readonly userId: string;
}

interface SiteRequest {
  readonly model: SiteModel;
  readonly clients: readonly Client[];
  readonly keys: readonly SigningKeyOnSite[];
  /** Public URL of the repository without a trailing slash. */
  readonly url: string;
}

/** Directory of all pages except index.html. */
const SITE_DIRECTORY = 'site';

/**
 * Renders the site: index.html, a page per minor and channel, and a style sheet. Plain HTML and CSS without scripts and
 * external resources. The same model gives the same bytes.
 */
export async function renderSite({ model, clients, keys, url }: SiteRequest): Promise<Page[]> {
  const directory = join(packageRoot(), 'templates', 'site');
  const render = (name: string, values: Readonly<Record<string, unknown>>): Promise<string> =>
    ejs.renderFile(
      join(directory, `${name}.ejs`),
      { ...values, words: FORMATTERS },
      { async: false, rmWhitespace: true },
    );
  const steps = (channel: Channel, minor: string, formats: readonly string[]) =>
    clients
      .filter(({ name }) => formats.includes(CLIENT_FORMATS[name]))
      .map((client) => ({
        ...client,
        steps: instructions({ client: client.name, url, channel, minor, signed: keys.length > 0 }),
      }));
  const keyFile = (minor: SiteMinor): string =>
    publicKeyPath({ channel: minor.channel, minor: minor.minor, format: minor.formats[0] ?? 'deb' });
  const pages: Page[] = [
    { path: `${SITE_DIRECTORY}/style.css`, text: await readFile(join(directory, 'style.css'), 'utf8') },
  ];
  const first = model.channels[0]?.minors[0];
  pages.push({
    path: 'index.html',
    text: await render('index', {
      model,
      keys,
      url,
      root: './',
      minorPage: (minor: SiteMinor) => href('./', minorPath(minor)),
      keyFile: first === undefined || keys.length === 0 ? undefined : href('./', keyFile(first)),
      newest: first,
      clients: first === undefined ? [] : steps(first.channel, first.minor, first.formats),
    }),
  });
  for (const minor of model.channels.flatMap(({ minors }) => minors)) {
    const root = '../../';
    pages.push({
      path: minorPath(minor),
      text: await render('minor', {
        model,
        minor,
        keys,
        root,
        clients: steps(minor.channel, minor.minor, minor.formats),
        keyFile: keys.length === 0 ? undefined : href(root, keyFile(minor)),
        fileHref: (path: string) => href(root, path),
      }),
    });
  }
  return pages;
}

function minorPath({ channel, minor }: SiteMinor): string {
  return `${SITE_DIRECTORY}/${channel}/v${minor}.html`;
}

/** A relative URL; names may contain colons and tildes. */
function href(root: string, path: string): string {
  return `${root}${path.split('/').map(encodeURIComponent).join('/')}`;
}

/** Formatters; the templates refer to them as `words`. */
const FORMATTERS = {
  /** 2026-08-26; empty for an unknown date. */
  day: (seconds: number): string => (seconds === 0 ? '' : new Date(seconds * 1000).toISOString().slice(0, 10)),
  size: (bytes: number): string => {
    const units = ['B', 'kB', 'MB', 'GB', 'TB'];
    let value = bytes;
    let unit = 0;
    for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000;
    return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
  },
  /** In groups of four digits. */
  fingerprint: (hex: string): string => (hex.match(/.{1,4}/g) ?? []).join(' '),
};

/**
 * Writes index.html and the directory site/ of a repository, and deletes obsolete pages.
 *
 * @param url public URL of the repository
 * @returns paths of all pages, relative to the repository
 * @throws KubeparcelError of kind 'usage' if the directory is not a repository
 */
export async function writeSite(
  directory: string,
  url: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<string[]> {
  await openState(directory);
  return withLock(lockPath(directory), 'the repository', async () => {
    const state = await openState(directory);
    const index = JSON.parse(indexText(state)) as RepositoryIndex;
    const pages = await renderSite({
      model: siteModel(index, await new RecordCache(directory).recordsOf(state.packages, options)),
      clients: await loadClients(await loadCatalog()),
      keys: await keysOf(directory, state),
      url: url.replace(/\/+$/, ''),
    });
    for (const { path, text } of pages) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeAtomically(join(directory, path), [Buffer.from(text)]);
    }
    const paths = new Set(pages.map(({ path }) => path));
    for (const name of await readdir(join(directory, SITE_DIRECTORY), { recursive: true, withFileTypes: true })) {
      const path = join(name.parentPath, name.name);
      if (name.isFile() && !paths.has(path.slice(join(directory, '/').length))) await rm(path);
    }
    return [...paths];
  });
}

/** The signing keys, from the public keys next to the indices. */
async function keysOf(directory: string, state: RepositoryState): Promise<SigningKeyOnSite[]> {
  const keys = new Map<string, SigningKeyOnSite>();
  for (const view of state.views.filter(({ signedBy }) => signedBy.length > 0)) {
    const path = publicKeyPath(view);
    for (const certificate of await readCertificates(await readFile(join(directory, path)), path)) {
      const fingerprint = fingerprintOf(certificate);
      if (!keys.has(fingerprint)) keys.set(fingerprint, { fingerprint, userId: await userIdOf(certificate) });
    }
  }
  return [...keys.values()];
}
