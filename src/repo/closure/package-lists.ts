import type { Chunks } from '../../archive/chunks.ts';
import { KubeparcelError } from '../../support/errors.ts';

/** Versions by name; empty for an unversioned name. */
export type NameVersions = Map<string, Set<string>>;

/** Maximum length of a stanza or package element; larger than any in real distributions. */
const MAX_ENTRY = 4 << 20;

/**
 * Collects package names and provided names from a Packages file (Debian repository format, "Packages Indices"). Memory
 * use is one stanza.
 *
 * @param isWanted selects the names to collect
 * @throws KubeparcelError of kind 'format' if it is not a Packages file
 */
export async function debNames(chunks: Chunks, isWanted: (name: string) => boolean, into: NameVersions): Promise<void> {
  for await (const stanza of splitEntries(chunks, '\n\n')) {
    const name = /^Package: (\S+)$/m.exec(stanza)?.[1];
    const version = /^Version: (\S+)$/m.exec(stanza)?.[1];
    if (name === undefined || version === undefined) {
      if (stanza.trim() === '') continue;
      throw new KubeparcelError('format', 'invalid Packages file: a stanza has no Package or Version field');
    }
    if (isWanted(name)) addName(into, name, version);
    const provides = /^Provides: (.+)$/m.exec(stanza)?.[1] ?? '';
    for (const [, virtual = '', provided] of provides.matchAll(
      /([a-z0-9][a-z0-9+.-]*)(?::\w+)?(?: \(= (\S+?)\))?(?=,|\s*$)/g,
    )) {
      if (isWanted(virtual)) addName(into, virtual, provided);
    }
  }
}

/**
 * Collects provided names, sonames and files from a primary.xml of rpm-md. Memory use is one package.
 *
 * @param architecture of the packages to read, in addition to noarch
 * @param isWanted selects the names to collect
 * @throws KubeparcelError of kind 'format' if it is not a primary.xml
 */
export async function rpmNames(
  chunks: Chunks,
  architecture: string,
  isWanted: (name: string) => boolean,
  into: NameVersions,
): Promise<void> {
  let seen = false;
  for await (const entry of splitEntries(chunks, '</package>')) {
    seen ||= entry.includes('<metadata');
    if (!seen) throw new KubeparcelError('format', 'invalid primary.xml: no metadata element');
    const arch = /<arch>([^<]*)<\/arch>/.exec(entry)?.[1];
    if (arch !== architecture && arch !== 'noarch') continue;
    const provides = /<rpm:provides>(.*?)<\/rpm:provides>/s.exec(entry)?.[1] ?? '';
    for (const [, text = ''] of provides.matchAll(/<rpm:entry ([^>]*)\/>/g)) {
      const name = attribute(text, 'name') ?? '';
      const ver = attribute(text, 'ver');
      if (!isWanted(name)) continue;
      const epoch = attribute(text, 'epoch') ?? '0';
      const rel = attribute(text, 'rel');
      const isEqual = attribute(text, 'flags') === 'EQ';
      addName(into, name, ver === undefined || !isEqual ? undefined : evr(epoch, ver, rel));
    }
    for (const [, path = ''] of entry.matchAll(/<file(?: [^>]*)?>([^<]*)<\/file>/g)) {
      if (isWanted(path)) addName(into, unescapeXml(path), undefined);
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

function addName(into: NameVersions, name: string, version: string | undefined): void {
  const versions = into.get(name) ?? new Set();
  if (version !== undefined) versions.add(version);
  into.set(name, versions);
}

async function* splitEntries(chunks: Chunks, end: string): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    const parts = rest.split(end);
    rest = parts.pop() ?? '';
    if (rest.length > MAX_ENTRY) throw new KubeparcelError('format', 'invalid list of packages: an entry is too long');
    yield* parts;
  }
  yield rest + decoder.decode();
}
