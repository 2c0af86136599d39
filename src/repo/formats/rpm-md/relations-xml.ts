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
/** What must be there before the package's scripts run. */
const BEFORE = SENSE.legacyPreReq | SENSE.pre | SENSE.post;

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
  const pre = list === 'requires' && (flags & BEFORE) !== 0 ? '1' : undefined;
  return attributes({ name, ...(comparison === undefined ? {} : { flags: comparison, ...evr(version) }), pre });
}

/** As createrepo_c takes a version apart: at the first dash. */
function evr(text: string): { epoch?: string; ver?: string; rel?: string } {
  if (text === '') return {};
  const [, epoch = '0', rest = ''] = /^(?:(\d+):)?(.*)$/s.exec(text) ?? [];
  const dash = rest.indexOf('-');
  const ver = dash < 0 ? rest : rest.slice(0, dash);
  const rel = dash < 0 ? '' : rest.slice(dash + 1);
  return { epoch, ...(ver === '' ? {} : { ver }), ...(rel === '' ? {} : { rel }) };
}

/**
 * As createrepo_c chooses: neither what rpm itself must be able to do nor what the package brings along, each once, and
 * of glibc's versions of libc.so.6 the highest, which implies the others.
 */
export function listedRequires({ requires, provides }: Dependencies, files: ReadonlySet<string>): Dependency[] {
  const provided = new Set(provides.map(({ name }) => name));
  const listed: Dependency[] = [];
  const latest = new Map<string, string>();
  let libc: Dependency | undefined;
  for (const dependency of requires) {
    const { name, version, flags } = dependency;
    if (name.startsWith('rpmlib(') || provided.has(name) || (files.has(name) && isPrimary(name))) continue;
    const facts = JSON.stringify([flags & COMPARISON, version, (flags & BEFORE) !== 0]);
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

/** Files that relations may name without filelists being read (yum's rule). */
export function isPrimary(path: string): boolean {
  return path.startsWith('/etc/') || path === '/usr/lib/sendmail' || path.includes('bin/');
}

/** libc.so.6(GLIBC_2.34)(64bit) is above libc.so.6(GLIBC_2.4)(64bit), and both above libc.so.6()(64bit). */
function isHigher(name: string, than: string): boolean {
  const numbers = (text: string) => (/\(\D*([\d.]*)[^)]*\)/.exec(text)?.[1] ?? '').split('.').map(Number);
  const [left, right] = [numbers(name), numbers(than)];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const difference = (left[at] ?? -1) - (right[at] ?? -1);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
