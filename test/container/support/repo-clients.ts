import type { Container } from '../../../src/container/engine.ts';
import type { Manager } from '../../../src/container/images/hosts.ts';
import type { Format } from '../../../src/model/format.ts';

/** Commands of an administrator to install from a repository; each is a line of sh. */
interface Client {
  readonly format: Format;
  /** Removes all repositories and keys, and configures this key and repository. */
  use(url: string, key: string): readonly string[];
  install(packages: readonly string[]): string;
  simulate(packages: readonly string[]): string;
  /** Parses the output of `simulate`: `kubeadm 1.36.3-1`. */
  planned(stdout: string): string[];
  readonly upgrade: readonly string[];
  remove(names: readonly string[]): string;
  /** Prints `kubeadm 1.36.3-1`. */
  readonly installed: string;
  verify(names: readonly string[]): string;
  /** Separator between package name and version. */
  readonly separator: string;
}

const REPOSITORY = (url: string, key: string) =>
  `[kubeparcel]\\nname=kubeparcel\\nenabled=1\\nbaseurl=${url}\\ngpgcheck=1\\nrepo_gpgcheck=1\\npkg_gpgcheck=1\\ngpgkey=file://${key}\\n`;

const RPM = {
  format: 'rpm',
  remove: (names: readonly string[]) => `rpm --erase ${names.join(' ')}`,
  installed: "rpm --query --all --queryformat '%{NAME} %{VERSION}-%{RELEASE}\\n'",
  verify: (names: readonly string[]) => `rpm --verify ${names.join(' ')}`,
} as const;

const FORGET_KEYS = 'rpm --query --quiet gpg-pubkey && rpm --erase --allmatches gpg-pubkey';

const APT = 'apt-get --yes --quiet -o Dpkg::Use-Pty=0';
const ZYPPER = 'zypper --non-interactive';

const CLIENTS: Readonly<Record<Manager, Client>> = {
  apt: {
    format: 'deb',
    use: (url, key) => [
      'rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb',
      `echo 'deb [signed-by=${key}] ${url}' >/etc/apt/sources.list.d/kubeparcel.list`,
      `${APT} update`,
    ],
    install: (packages) => `${APT} install ${packages.join(' ')}`,
    simulate: (packages) => `${APT} --simulate install ${packages.join(' ')}`,
    planned: (stdout) =>
      [...stdout.matchAll(/^Inst (\S+) \((\S+) /gm)].map(([, name, version]) => `${name} ${version}`),
    upgrade: [`${APT} update`, `${APT} dist-upgrade`],
    remove: (names) => `dpkg --purge ${names.join(' ')}`,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: syntax of dpkg-query
    installed: "dpkg-query --show --showformat '${db:Status-Abbrev}${Package} ${Version}\\n' | sed -n 's/^ii //p'",
    verify: (names) => `dpkg --verify ${names.join(' ')}`,
    separator: '=',
  },
  dnf: {
    ...RPM,
    use: (url, key) => [
      'rm -rf /var/cache/dnf /var/lib/dnf/repos',
      FORGET_KEYS,
      'mkdir -p /etc/yum.repos.d',
      `printf '${REPOSITORY(url, key)}' >/etc/yum.repos.d/kubeparcel.repo`,
      `rpm --import ${key}`,
    ],
    install: (packages) => `dnf --assumeyes install ${packages.join(' ')}`,
    // Without it, the question about the repository's key would be answered with no.
    simulate: (packages) => `dnf --assumeyes makecache >&2\ndnf --assumeno install ${packages.join(' ')}`,
    planned: (stdout) =>
      [...stdout.matchAll(/^ (\S+) +(?:x86_64|aarch64|noarch) +(\S+) +kubeparcel /gm)].map(
        ([, name, version]) => `${name} ${version}`,
      ),
    upgrade: ['dnf --assumeyes --refresh upgrade'],
    separator: '-',
  },
  zypper: {
    ...RPM,
    use: (url, key) => [
      'rm -rf /var/cache/zypp',
      FORGET_KEYS,
      'mkdir -p /etc/zypp/repos.d',
      `printf '${REPOSITORY(url, key)}' >/etc/zypp/repos.d/kubeparcel.repo`,
      `rpm --import ${key}`,
    ],
    install: (packages) => `${ZYPPER} install ${packages.join(' ')}`,
    simulate: (packages) => `${ZYPPER} --xmlout install --dry-run ${packages.join(' ')}`,
    planned: (stdout) =>
      [...stdout.matchAll(/<solvable type="package" name="([^"]+)" edition="([^"]+)"/g)].map(
        ([, name, version]) => `${name} ${version}`,
      ),
    upgrade: [`${ZYPPER} refresh --force`, `${ZYPPER} update`],
    separator: '=',
  },
};

/** Output and exit status. */
export interface Said {
  /** Exit status of the last command. */
  readonly status: number;
  readonly stdout: string;
  /** Standard output, then standard error. */
  readonly said: string;
  /** Commands and output, for messages. */
  readonly text: string;
}

/** A package manager in a container, for packages with these names. */
export function repoClient(container: Container, manager: Manager, names: readonly string[]) {
  const client = CLIENTS[manager];
  // Runs all lines even if one fails: a refusal must persist until the end.
  const run = async (...lines: readonly string[]): Promise<Said> => {
    const { status, stdout, stderr } = await container.exec(['sh', '-c', lines.join('\n')], {
      environment: { LC_ALL: 'C.UTF-8', DEBIAN_FRONTEND: 'noninteractive' },
    });
    const said = `${stdout}${stderr}`;
    return { status, stdout, said, text: `${lines.join('\n')}\n${said}` };
  };
  const at = (packages: readonly string[]) => packages.map((each) => each.replace(' ', client.separator));
  return {
    format: client.format,
    /** Uses a repository with this key, then installs packages such as `kubectl` and `kubeadm 1.36.3-1`. */
    install: (url: string, key: string, packages: readonly string[]) =>
      run(...client.use(url, key), client.install(at(packages))),
    /** Configures a repository and this key. */
    use: (url: string, key: string) => run(...client.use(url, key)),
    /** Packages that would be installed, sorted: `kubeadm 1.36.3-1`. */
    async plan(packages: readonly string[]): Promise<string[]> {
      return client.planned((await run(client.simulate(at(packages)))).stdout).sort();
    },
    upgrade: () => run(...client.upgrade),
    remove: (packages: readonly string[]) => run(client.remove(packages)),
    /** Sorted: `kubeadm 1.36.3-1`. */
    async installed(): Promise<string[]> {
      const { stdout } = await run(client.installed);
      return stdout
        .split('\n')
        .filter((line) => names.includes(line.split(' ')[0] ?? ''))
        .sort();
    },
    verify: () => run(client.verify(names)),
  };
}

export type RepoClient = ReturnType<typeof repoClient>;
