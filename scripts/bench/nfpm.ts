import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { stringify } from 'yaml';

/** The second version works with module proxies that lack newer modules. */
const VERSIONS = ['latest', 'v2.45.0'];

/** Compiles nfpm into a directory. @returns undefined if Go or its modules are not available */
export async function installNfpm(
  directory: string,
  say: (line: string) => void,
): Promise<{ path: string; version: string } | undefined> {
  for (const version of VERSIONS) {
    say(`installing nfpm@${version}`);
    const env = { GOBIN: join(directory, 'bin'), GOFLAGS: '-mod=mod' };
    const result = await execa('go', ['install', `github.com/goreleaser/nfpm/v2/cmd/nfpm@${version}`], {
      env,
      reject: false,
      timeout: 600_000,
    });
    if (result.exitCode === 0) {
      const path = join(directory, 'bin', 'nfpm');
      const { stdout } = await execa(path, ['--version']);
      return { path, version: /GitVersion:\s*v?(\S+)/.exec(stdout)?.[1] ?? version };
    }
  }
  say('skipping nfpm: it cannot be installed here');
  return undefined;
}

/**
 * Writes a script that packs DEB trees with nfpm, as DEBs and RPMs, each with the smallest result: xz for DEBs, for which
 * it has no zstd level, and its best zstd for RPMs.
 *
 * @returns path of the script
 */
export function nfpmScript(directory: string, nfpm: string, trees: readonly string[]): string {
  mkdirSync(join(directory, 'nfpm-configs'));
  const lines = ['set -eu'];
  for (const tree of trees) {
    const control = readFileSync(join(tree, 'DEBIAN', 'control'), 'utf8');
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(control)?.[1] ?? '';
    const config = join(directory, 'nfpm-configs', `${basename(tree)}.yaml`);
    writeFileSync(
      config,
      stringify({
        name: field('Package'),
        arch: field('Architecture'),
        platform: 'linux',
        version: field('Version').replace(/-.*$/, ''),
        release: '1',
        maintainer: field('Maintainer'),
        description: field('Description'),
        contents: ['usr', 'etc', 'opt']
          .map((top) => ({ src: join(tree, top), dst: `/${top}`, type: 'tree' }))
          .filter(({ src }) => existsSync(src)),
        deb: { compression: 'xz' },
        rpm: { compression: 'zstd:19' },
      }),
    );
    for (const format of ['deb', 'rpm'])
      lines.push(`'${nfpm}' package -f '${config}' -p ${format} -t nfpm/ >/dev/null`);
  }
  const script = join(directory, 'nfpm.sh');
  writeFileSync(script, `${lines.join('\n')}\n`);
  return script;
}
