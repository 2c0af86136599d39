import type { Chunks } from '../../archive/chunks.ts';
import { KubeparcelError } from '../../support/errors.ts';

/** By name the versions that there are; none for a name provided without one. */
export type NameVersions = Map<string, Set<string>>;

/** A stanza or a package element that is longer is not one of any distribution. */
const MAX_PIECE = 4 << 20;

/**
 * The names that a Debian Packages file (deb-src-control's kin, Debian repository format, "Packages Indices") has or
 * provides, as far as they are wanted. Streams; memory is one stanza.
 *
 * @throws KubeparcelError of kind 'format' for what is no such file
 */
export async function debNames(chunks: Chunks, wanted: (name: string) => boolean, into: NameVersions): Promise<void> {
  for await (const stanza of pieces(chunks, '\n\n')) {
    const name = /^Package: (\S+)$/m.exec(stanza)?.[1];
    const version = /^Version: (\S+)$/m.exec(stanza)?.[1];
    if (name === undefined || version === undefined) {
      if (stanza.trim() === '') continue;
      throw new KubeparcelError('format', 'a list of packages with a stanza that names no package');
    }
    if (wanted(name)) add(into, name, version);
    const provides = /^Provides: (.+)$/m.exec(stanza)?.[1] ?? '';
    for (const [, virtual = '', provided] of provides.matchAll(
      /([a-z0-9][a-z0-9+.-]*)(?::\w+)?(?: \(= (\S+?)\))?(?=,|\s*$)/g,
    )) {
      if (wanted(virtual)) add(into, virtual, provided);
    }
  }
}

/**
 * The names, files and sonames that a primary.xml of rpm-md provides, as far as they are wanted. Streams; memory is one
 * package.
 *
 * @param architecture whose packages count, beside noarch
 * @throws KubeparcelError of kind 'format' for what is no such file
 */
export async function rpmNames(
  chunks: Chunks,
  architecture: string,
  wanted: (name: string) => boolean,
  into: NameVersions,
): Promise<void> {
  let seen = false;
  for await (const piece of pieces(chunks, '</package>')) {
    seen ||= piece.includes('<metadata');
    if (!seen) throw new KubeparcelError('format', 'not a primary.xml of a repository of RPM packages');
    const arch = /<arch>([^<]*)<\/arch>/.exec(piece)?.[1];
    if (arch !== architecture && arch !== 'noarch') continue;
    const provides = /<rpm:provides>(.*?)<\/rpm:provides>/s.exec(piece)?.[1] ?? '';
    for (const [, text = ''] of provides.matchAll(/<rpm:entry ([^>]*)\/>/g)) {
      const name = attribute(text, 'name') ?? '';
      const ver = attribute(text, 'ver');
      if (!wanted(name)) continue;
      const epoch = attribute(text, 'epoch') ?? '0';
      const rel = attribute(text, 'rel');
      const isEqual = attribute(text, 'flags') === 'EQ';
      add(into, name, ver === undefined || !isEqual ? undefined : evr(epoch, ver, rel));
    }
    for (const [, path = ''] of piece.matchAll(/<file(?: [^>]*)?>([^<]*)<\/file>/g)) {
      if (wanted(path)) add(into, unescapeXml(path), undefined);
    }
  }
}

function evr(epoch: string, version: string, release: string | undefined): string {
  return `${epoch === '0' ? '' : `${epoch}:`}${version}${release === undefined ? '' : `-${release}`}`;
}

function attribute(text: string, name: string): string | undefined {
  const value = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(text)?.[1];
  return value === undefined ? undefined : unescapeXml(value);
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

function unescapeXml(text: string): string {
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (whole, name: string) => ENTITIES[name] ?? whole);
}

function add(into: NameVersions, name: string, version: string | undefined): void {
  const versions = into.get(name) ?? new Set();
  if (version !== undefined) versions.add(version);
  into.set(name, versions);
}

async function* pieces(chunks: Chunks, end: string): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    const parts = rest.split(end);
    rest = parts.pop() ?? '';
    if (rest.length > MAX_PIECE) throw new KubeparcelError('format', `no list of packages: nothing ends in it`);
    yield* parts;
  }
  yield rest + decoder.decode();
}
