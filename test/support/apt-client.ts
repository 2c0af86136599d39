import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** apt-get with its own directories, one source and one trusted key. */
export interface AptClient {
  /** Returns the exit status and output of apt-get. */
  run(...args: string[]): { readonly status: number; readonly said: string };
}

/**
 * @param source URI, suite and components of one or more lines of sources.list: `file:/srv/repo stable main`
 * @param keyring armored public key; undefined for no trusted key
 */
export function aptClient(
  directory: string,
  source: string | readonly string[],
  keyring: string | undefined,
): AptClient {
  for (const path of ['lists/partial', 'cache/archives/partial', 'etc/preferences.d', 'log', 'none']) {
    mkdirSync(join(directory, path), { recursive: true });
  }
  const signedBy = keyring === undefined ? '' : `signed-by=${keyring}`;
  writeFileSync(join(directory, 'status'), '');
  const lines = [source].flat().map((each) => `deb [arch=amd64 ${signedBy}] ${each}\n`);
  writeFileSync(join(directory, 'sources.list'), lines.join(''));
  // Ignores the configuration of the machine.
  writeFileSync(
    join(directory, 'apt.conf'),
    [
      `Dir::Etc "${directory}/etc";`,
      `Dir::Etc::sourcelist "${directory}/sources.list";`,
      `Dir::Etc::sourceparts "${directory}/none";`,
      `Dir::Etc::parts "${directory}/none";`,
      `Dir::Etc::trusted "${directory}/none.gpg";`,
      `Dir::Etc::trustedparts "${directory}/none";`,
      `Dir::State "${directory}";`,
      `Dir::State::lists "${directory}/lists";`,
      `Dir::State::status "${directory}/status";`,
      `Dir::Cache "${directory}/cache";`,
      `Dir::Log "${directory}/log";`,
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
        env: { PATH: process.env.PATH, APT_CONFIG: join(directory, 'apt.conf'), LC_ALL: 'C' },
        cwd: directory,
      });
      return { status: status ?? -1, said: `${stdout}${stderr}` };
    },
  };
}
