import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import ejs from 'ejs';
import { packageRoot } from '../../support/package-root.ts';
import { type Channel, publicKeyPath } from '../model/repository.ts';
import { CLIENT_FORMATS, type Client } from './clients.ts';
import { instructions } from './instructions.ts';
import type { SiteMinor, SiteModel } from './model.ts';

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
  /** Where the repository will be, without a slash at its end. */
  readonly url: string;
}

/** Where all pages but the first one are. */
export const SITE_DIRECTORY = 'site';

/**
 * The site as files: index.html, one page for each minor of each channel, one style sheet. Plain HTML and CSS, no
 * script, no address but the repository's. Same model, same bytes.
 */
export async function renderSite({ model, clients, keys, url }: SiteRequest): Promise<Page[]> {
  const directory = join(packageRoot(), 'templates', 'site');
  const render = (name: string, values: Readonly<Record<string, unknown>>): Promise<string> =>
    ejs.renderFile(join(directory, `${name}.ejs`), { ...values, words: WORDS }, { async: false, rmWhitespace: true });
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

/** A relative reference; names have colons and tildes. */
function href(root: string, path: string): string {
  return `${root}${path.split('/').map(encodeURIComponent).join('/')}`;
}

/** What templates turn values into text with. */
const WORDS = {
  /** 2026-08-26; nothing for a date that nobody knows. */
  day: (seconds: number): string => (seconds === 0 ? '' : new Date(seconds * 1000).toISOString().slice(0, 10)),
  size: (bytes: number): string => {
    const units = ['B', 'kB', 'MB', 'GB', 'TB'];
    let value = bytes;
    let unit = 0;
    for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000;
    return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
  },
  /** Four digits at a time. */
  fingerprint: (hex: string): string => (hex.match(/.{1,4}/g) ?? []).join(' '),
};
