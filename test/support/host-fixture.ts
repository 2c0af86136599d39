import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';

/**
 * Creates the files for host-operations.ts: `directory`/root, and a secret outside it that links in the root point to.
 *
 * @returns the root, and a function that closes its socket
 */
export async function hostFixture(directory: string): Promise<{ readonly root: string; close(): Promise<void> }> {
  const root = join(directory, 'root');
  const put = (path: string, bytes: string | Buffer) => writeFileSync(join(root, path), bytes);
  for (const path of ['etc', 'links']) mkdirSync(join(root, path), { recursive: true });
  mkdirSync(join(directory, 'outside'));
  writeFileSync(join(directory, 'outside', 'secret'), 'secret');
  put('etc/plain', 'plain\n');
  put('etc/empty', '');
  put('etc/ten', '0123456789');
  put('etc/large', 'x'.repeat((1 << 20) + 1));
  put('etc/bom', '\uFEFFbom');
  put('etc/nul', 'a\0b');
  put('etc/latin1', Buffer.from('caf\xe9', 'latin1'));
  put('etc/overlong', Buffer.from([0xc0, 0xaf]));
  put('etc/surrogate', Buffer.from([0xed, 0xa0, 0x80]));
  put('etc/astral', '\u{10FFFF}\u{1F600}\u07FF\u0800\uD7FF\uE000');
  put('etc/cut', Buffer.from([0x61, 0xf0, 0x9f, 0x98]));
  put('etc/hostname', '# a comment\n\n node-b \n');
  writeFileSync(Buffer.concat([Buffer.from(join(root, 'etc/')), Buffer.from([0x66, 0xff])]), 'its name is not UTF-8');
  const link = (name: string, target: string) => symlinkSync(target, join(root, 'links', name));
  link('relative', '../etc/plain');
  link('absolute', '/etc/plain');
  link('directory', '../../../../../../etc');
  link('out', '../../outside/secret');
  link('out-absolute', join(directory, 'outside', 'secret'));
  link('out-directory', join(directory, 'outside'));
  link('loop', 'loop');
  link('dangling', 'nothing');
  await execa('mkfifo', [join(root, 'pipe')]);
  const server = createServer();
  await new Promise<void>((done) => server.listen(join(root, 'socket'), done));
  return { root, close: () => new Promise((done) => server.close(() => done())) };
}

/** The paths below a directory with type, mode and the start of the text, sorted. */
export function snapshot(directory: string, below = ''): string[] {
  return readdirSync(join(directory, below), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const name = `${below}/${entry.name}`;
      const path = join(directory, name);
      if (entry.isDirectory()) {
        return [`${name} ${(statSync(path).mode & 0o7777).toString(8)}`, ...snapshot(directory, name)];
      }
      if (entry.isSymbolicLink()) return [`${name} is a link`];
      // The name is not UTF-8, so the path does not work.
      if (!entry.isFile() || name.includes('\uFFFD')) return [name];
      const mode = (statSync(path).mode & 0o7777).toString(8);
      return [`${name} ${mode} ${JSON.stringify(readFileSync(path, 'utf8').slice(0, 40))}`];
    });
}
