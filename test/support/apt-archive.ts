import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { copySync } from 'fs-extra/esm';

/** A flat, signed apt repository for tests of publishing, created with Debian's tools. */
export interface AptArchive {
  readonly directory: string;
  /** Binary public key. */
  readonly keyring: string;
}

/**
 * Two states of a repository: `next` has more packages than `old`, and new indices.
 *
 * @param directory an empty one
 */
export function makeAptArchives(directory: string): { readonly old: AptArchive; readonly next: AptArchive } {
  const home = join(directory, 'gnupg');
  mkdirSync(home, { mode: 0o700 });
  const gpg = (...args: string[]) => execaSync('gpg', ['--homedir', home, '--batch', '--quiet', '--yes', ...args]);
  gpg('--passphrase', '', '--quick-generate-key', 'Test <test@example.org>', 'ed25519', 'sign', '1d');
  const keyring = join(directory, 'key.gpg');
  gpg('--output', keyring, '--export');
  const make = (name: string, from: string | undefined, packages: readonly string[]): AptArchive => {
    const root = join(directory, name);
    if (from === undefined) mkdirSync(join(root, 'deb'), { recursive: true });
    else copySync(from, root);
    for (const each of packages) makeDeb(join(root, 'deb'), each);
    index(join(root, 'deb'), gpg);
    writeFileSync(join(root, 'repository.json'), `{"state":"${name}"}\n`);
    return { directory: root, keyring };
  };
  const old = make('old', undefined, ['one', 'two', 'three']);
  // apt does not fetch an index with the same timestamp (seconds) again.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1100);
  const next = make('next', old.directory, ['four', 'five', 'six', 'seven']);
  rmSync(join(next.directory, 'deb', 'one_1_all.deb'));
  index(join(next.directory, 'deb'), gpg);
  execaSync('gpgconf', ['--homedir', home, '--kill', 'all']);
  return { old, next };
}

function makeDeb(directory: string, name: string): void {
  const tree = join(directory, `${name}.tree`);
  mkdirSync(join(tree, 'DEBIAN'), { recursive: true });
  const fields = [`Package: ${name}`, 'Version: 1', 'Architecture: all', 'Maintainer: T <t@example.org>'];
  writeFileSync(join(tree, 'DEBIAN', 'control'), `${fields.join('\n')}\nDescription: ${name}\n`);
  execaSync('dpkg-deb', ['--root-owner-group', '--build', tree, join(directory, `${name}_1_all.deb`)]);
  rmSync(tree, { recursive: true });
}

/** Writes Packages, by-hash, Release and InRelease; keeps by-hash files of earlier states. */
function index(directory: string, gpg: (...args: string[]) => unknown): void {
  for (const name of ['Release', 'InRelease', 'Release.gpg']) rmSync(join(directory, name), { force: true });
  const { stdout: packages } = execaSync('apt-ftparchive', ['packages', '.'], {
    cwd: directory,
    stripFinalNewline: false,
  });
  writeFileSync(join(directory, 'Packages'), packages);
  execaSync('gzip', ['--keep', '--force', '-n', 'Packages'], { cwd: directory });
  mkdirSync(join(directory, 'by-hash', 'SHA256'), { recursive: true });
  for (const name of ['Packages', 'Packages.gz']) {
    const sha256 = createHash('sha256')
      .update(readFileSync(join(directory, name)))
      .digest('hex');
    copySync(join(directory, name), join(directory, 'by-hash', 'SHA256', sha256));
  }
  const options = ['-o', 'APT::FTPArchive::Release::Acquire-By-Hash=yes', '-o', 'APT::FTPArchive::Release::Suite=test'];
  const { stdout: release } = execaSync('apt-ftparchive', [...options, 'release', '.'], { cwd: directory });
  const text = release.replace(/^ \S+ +\d+ \.?\/?by-hash.*\n/gm, '');
  writeFileSync(join(directory, 'Release'), `${text}\n`);
  gpg('--clearsign', '--output', join(directory, 'InRelease'), join(directory, 'Release'));
  gpg('--armor', '--detach-sign', '--output', join(directory, 'Release.gpg'), join(directory, 'Release'));
}
