import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** An apt with folders of its own, which knows one source and trusts one key. */
export interface AptClient {
  /** apt-get's status and all that it said. */
  run(...args: string[]): { readonly status: number; readonly said: string };
}

/**
 * @param source what follows the options of a line of sources.list, or of several: `file:/srv/repo stable main`
 * @param keyring armored public key; undefined trusts nobody
 */
export function aptClient(folder: string, source: string | readonly string[], keyring: string | undefined): AptClient {
  for (const path of ['lists/partial', 'cache/archives/partial', 'etc/preferences.d', 'log', 'none']) {
    mkdirSync(join(folder, path), { recursive: true });
  }
  const signedBy = keyring === undefined ? '' : `signed-by=${keyring}`;
  writeFileSync(join(folder, 'status'), '');
  const lines = [source].flat().map((each) => `deb [arch=amd64 ${signedBy}] ${each}\n`);
  writeFileSync(join(folder, 'sources.list'), lines.join(''));
  // Nothing of the machine's own configuration.
  writeFileSync(
    join(folder, 'apt.conf'),
    [
      `Dir::Etc "${folder}/etc";`,
      `Dir::Etc::sourcelist "${folder}/sources.list";`,
      `Dir::Etc::sourceparts "${folder}/none";`,
      `Dir::Etc::parts "${folder}/none";`,
      `Dir::Etc::trusted "${folder}/none.gpg";`,
      `Dir::Etc::trustedparts "${folder}/none";`,
      `Dir::State "${folder}";`,
      `Dir::State::lists "${folder}/lists";`,
      `Dir::State::status "${folder}/status";`,
      `Dir::Cache "${folder}/cache";`,
      `Dir::Log "${folder}/log";`,
      'APT::Architecture "amd64";',
      'APT::Architectures { "amd64"; };',
      'APT::Sandbox::User "root";',
      'APT::Update::Error-Mode "any";',
      'Acquire::Languages "none";',
      '',
    ].join('\n'),
  );
  return {
    run(...args) {
      const { status, stdout, stderr } = spawnSync('apt-get', args, {
        encoding: 'utf8',
        env: { PATH: process.env.PATH, APT_CONFIG: join(folder, 'apt.conf'), LC_ALL: 'C' },
        cwd: folder,
      });
      return { status: status ?? -1, said: `${stdout}${stderr}` };
    },
  };
}
