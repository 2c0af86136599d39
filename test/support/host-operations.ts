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

/** Runs all operations of a host on host-fixture.ts. Also runs in the static runner. @returns the results as JSON */
export function hostOperations(host: Host): string {
  const results: [string, unknown][] = [];
  const record = (name: string, work: () => unknown) => {
    try {
      results.push([name, work() ?? 'undefined']);
    } catch (error) {
      results.push([name, `throws ${error instanceof Error ? error.message : 'something'}`]);
    }
  };
  for (const path of READ) {
    record(`read ${path}`, () => host.read(path));
    record(`stat ${path}`, () => host.stat(path));
    record(`readLink ${path}`, () => host.readLink(path));
    record(`list ${path}`, () => host.list(path));
  }
  for (const limit of [0, 9, 10, 11]) record(`read up to ${limit}`, () => host.read('/etc/ten', limit));
  record('read a large file', () => host.read('/etc/large'));
  record('hostName', () => host.hostName());

  record('write a new file', () => host.write('/new/a/b', 'né\0w\u{1F600}', 0o640));
  record('overwrite', () => host.write('/etc/plain', 'other', 0o600));
  record('write through a link to a directory', () => host.write('/links/directory/made', 'made', 0o644));
  record('write over a link', () => host.write('/links/out', 'mine', 0o644));
  record('write below a link out of the root', () => host.write('/links/out-directory/deep/x', 'inside', 0o644));
  record('write below a dangling link', () => host.write('/links/dangling/x', 'x', 0o644));
  record('write over a directory', () => host.write('/etc', 'x', 0o644));
  record('write over the root', () => host.write('/', 'x', 0o644));
  record('write below a file', () => host.write('/etc/ten/x', 'x', 0o644));
  record('write into a loop', () => host.write('/links/loop/x', 'x', 0o644));
  record('write a lone surrogate', () => host.write('/half', 'a\uD800b', 0o644));
  record('write a name of 300 bytes', () => host.write(`/etc/${'n'.repeat(300)}`, 'x', 0o644));
  record('write in the root', () => host.write('/top', 'x', 0o755));
  record('remove', () => host.remove('/etc/empty'));
  record('remove a link', () => host.remove('/links/absolute'));
  record('remove a missing file', () => host.remove('/no/such'));
  record('remove a directory', () => host.remove('/etc'));
  return JSON.stringify(results);
}
