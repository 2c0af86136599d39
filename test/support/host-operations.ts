import type { Host } from '../../src/confgen/host/host.ts';

const READ = [
  '/etc/plain',
  'etc//./plain',
  '/etc/../etc/plain',
  '/../../etc/plain',
  '/etc/empty',
  '/etc/bom',
  '/etc/nul',
  '/etc/latin1',
  '/etc/overlong',
  '/etc/surrogate',
  '/etc/astral',
  '/etc/cut',
  '/etc',
  '/',
  '/pipe',
  '/socket',
  '/no/such',
  '/etc/plain/below',
  '/links/relative',
  '/links/absolute',
  '/links/directory/plain',
  '/links/out',
  '/links/out-absolute',
  '/links/loop',
  '/links/dangling',
  '/etc/plain\0',
  '',
];

/** What every operation of a host gives on the fixture of host.test.ts; JSON. Runs under the static runner, too. */
export function hostOperations(host: Host): string {
  const results: [string, unknown][] = [];
  const note = (name: string, work: () => unknown) => {
    try {
      results.push([name, work() ?? 'undefined']);
    } catch (error) {
      results.push([name, `throws ${error instanceof Error ? error.message : 'something'}`]);
    }
  };
  for (const path of READ) {
    note(`read ${path}`, () => host.read(path));
    note(`stat ${path}`, () => host.stat(path));
    note(`readLink ${path}`, () => host.readLink(path));
    note(`list ${path}`, () => host.list(path));
  }
  for (const limit of [0, 9, 10, 11]) note(`read up to ${limit}`, () => host.read('/etc/ten', limit));
  note('read a large one', () => host.read('/etc/large'));
  note('hostName', () => host.hostName());

  note('write a new one', () => host.write('/new/a/b', 'né\0w\u{1F600}', 0o640));
  note('write over', () => host.write('/etc/plain', 'other', 0o600));
  note('write by a directory that is a link', () => host.write('/links/directory/made', 'made', 0o644));
  note('write over a link', () => host.write('/links/out', 'mine', 0o644));
  note('write below a link that leads out', () => host.write('/links/out-directory/deep/x', 'inside', 0o644));
  note('write below a link to nothing', () => host.write('/links/dangling/x', 'x', 0o644));
  note('write over a directory', () => host.write('/etc', 'x', 0o644));
  note('write over the root', () => host.write('/', 'x', 0o644));
  note('write below a file', () => host.write('/etc/ten/x', 'x', 0o644));
  note('write into a loop', () => host.write('/links/loop/x', 'x', 0o644));
  note('write half a character', () => host.write('/half', 'a\uD800b', 0o644));
  note('write a name that is too long', () => host.write(`/etc/${'n'.repeat(300)}`, 'x', 0o644));
  note('write in the root', () => host.write('/top', 'x', 0o755));
  note('remove', () => host.remove('/etc/empty'));
  note('remove a link', () => host.remove('/links/absolute'));
  note('remove nothing', () => host.remove('/no/such'));
  note('remove a directory', () => host.remove('/etc'));
  return JSON.stringify(results);
}
