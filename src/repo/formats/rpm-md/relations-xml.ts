import { type Dependency, SENSE } from '../../../rpm/dependency.ts';
import type { Header } from '../../../rpm/read-header.ts';
import { type Dependencies, type DependencyList, readDependencies } from '../../../rpm/relations.ts';
import { attributes } from '../../../support/xml.ts';

/** In the order in which createrepo_c writes them. */
const LISTS: readonly DependencyList[] = [
  'provides',
  'requires',
  'conflicts',
  'obsoletes',
  'suggests',
  'enhances',
  'recommends',
  'supplements',
];
const FLAGS: ReadonlyMap<number, string> = new Map([
  [SENSE.less, 'LT'],
  [SENSE.greater, 'GT'],
  [SENSE.equal, 'EQ'],
  [SENSE.less | SENSE.equal, 'LE'],
  [SENSE.greater | SENSE.equal, 'GE'],
]);
const COMPARISON = SENSE.less | SENSE.greater | SENSE.equal;
/** Flags of requirements that must be installed before the package's scriptlets run. */
const PRE = SENSE.legacyPreReq | SENSE.pre | SENSE.post;

/** Lines of `rpm:provides`, `rpm:requires` and the others. */
export function relationsXml(header: Header, files: ReadonlySet<string>): string[] {
  const dependencies = readDependencies(header);
  return LISTS.flatMap((list) => {
    const entries = list === 'requires' ? listedRequires(dependencies, files) : dependencies[list];
    if (entries.length === 0) return [];
    const lines = entries.map((dependency) => `      <rpm:entry${entryAttributes(dependency, list)}/>`);
    return [`    <rpm:${list}>`, ...lines, `    </rpm:${list}>`];
  });
}

function entryAttributes({ name, version, flags }: Dependency, list: DependencyList): string {
  const comparison = FLAGS.get(flags & COMPARISON);
  const pre = list === 'requires' && (flags & PRE) !== 0 ? '1' : undefined;
  return attributes({ name, flags: comparison, ...(comparison && evr(version)), pre });
}

/** Splits a version at the first dash, as createrepo_c does. */
function evr(text: string): { epoch?: string; ver?: string | undefined; rel?: string | undefined } {
  if (text === '') return {};
  const [, epoch = '0', rest = ''] = /^(?:(\d+):)?(.*)$/s.exec(text) ?? [];
  const dash = rest.indexOf('-');
  const ver = dash < 0 ? rest : rest.slice(0, dash);
  const rel = dash < 0 ? '' : rest.slice(dash + 1);
  return { epoch, ver: ver || undefined, rel: rel || undefined };
}

/**
 * The requirements that createrepo_c lists: without rpmlib(), without what the package provides itself, without
 * duplicates, and only the highest glibc version of libc.so.6, which implies the others.
 */
export function listedRequires({ requires, provides }: Dependencies, files: ReadonlySet<string>): Dependency[] {
  const provided = new Set(provides.map(({ name }) => name));
  const listed: Dependency[] = [];
  const latest = new Map<string, string>();
  let libc: Dependency | undefined;
  for (const dependency of requires) {
    const { name, version, flags } = dependency;
    if (name.startsWith('rpmlib(') || provided.has(name) || (files.has(name) && isPrimary(name))) continue;
    const facts = JSON.stringify([flags & COMPARISON, version, (flags & PRE) !== 0]);
    if (latest.get(name) === facts) continue;
    if (name.startsWith('libc.so.6')) {
      if (libc === undefined || isHigher(name, libc.name)) libc = dependency;
      continue;
    }
    latest.set(name, facts);
    listed.push(dependency);
  }
  return libc === undefined ? listed : [...listed, libc];
}

/** Whether primary.xml lists the file (yum's rule); others are only in filelists. */
export function isPrimary(path: string): boolean {
  return path.startsWith('/etc/') || path === '/usr/lib/sendmail' || path.includes('bin/');
}

/** libc.so.6(GLIBC_2.34)(64bit) is higher than libc.so.6(GLIBC_2.4)(64bit), and both are higher than libc.so.6()(64bit). */
function isHigher(name: string, than: string): boolean {
  const numbers = (text: string) => (/\(\D*([\d.]*)[^)]*\)/.exec(text)?.[1] ?? '').split('.').map(Number);
  const [left, right] = [numbers(name), numbers(than)];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const difference = (left[at] ?? -1) - (right[at] ?? -1);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
