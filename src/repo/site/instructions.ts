import { type Channel, publicKeyPath, viewDirectory } from '../model/repository.ts';
import type { ClientName } from './clients.ts';

/** Commands to run on a host. */
export interface InstructionStep {
  readonly title: string;
  /** Shell commands without a trailing newline. */
  readonly commands: string;
}

interface InstructionRequest {
  readonly client: ClientName;
  /** URL of the repository without a trailing slash. */
  readonly url: string;
  readonly channel: Channel;
  /** `1.36`; undefined for all minors together. */
  readonly minor: string | undefined;
  /** Whether indices and packages are signed. */
  readonly signed: boolean;
}

const PACKAGES = 'kubelet kubeadm kubectl';

/** Steps that configure a host for the repository, with signature checks enabled, and install packages. */
export function instructions(request: InstructionRequest): InstructionStep[] {
  switch (request.client) {
    case 'apt':
      return aptSteps(request);
    case 'dnf':
      return dnfSteps(request);
    case 'zypper':
      return zypperSteps(request);
  }
}

/** A line of sources.list(5). */
export function aptLine({ url, channel, minor, signed }: Omit<InstructionRequest, 'client'>, keyring: string): string {
  const option = signed ? `[signed-by=${keyring}]` : '[trusted=yes]';
  const place =
    minor === undefined ? `${url}/ ${channel} main` : `${url}/${viewDirectory({ channel, minor, format: 'deb' })}/ /`;
  return `deb ${option} ${place}`;
}

/** A file of /etc/yum.repos.d (yum.conf(5), dnf.conf(5)). */
export function yumRepository({ url, channel, minor, signed }: Omit<InstructionRequest, 'client'>): string {
  const view = { channel, minor, format: 'rpm' } as const;
  const check = signed ? 1 : 0;
  return [
    '[kubernetes]',
    `name=Kubernetes${minor === undefined ? '' : ` ${minor}`}`,
    `baseurl=${url}/${viewDirectory(view)}/`,
    'enabled=1',
    `gpgcheck=${check}`,
    `repo_gpgcheck=${check}`,
    ...(signed ? [`gpgkey=${url}/${publicKeyPath(view)}`] : []),
  ].join('\n');
}

const APT_KEYRING = '/etc/apt/keyrings/kubernetes.asc';

function aptSteps(request: InstructionRequest): InstructionStep[] {
  const { url, channel, minor, signed } = request;
  const key = `${url}/${publicKeyPath({ channel, minor, format: 'deb' })}`;
  return [
    ...(signed
      ? [
          {
            title: 'Install the signing key',
            commands: `sudo mkdir -p -m 755 /etc/apt/keyrings\nsudo curl -fsSL -o ${APT_KEYRING} \\\n  ${key}`,
          },
        ]
      : []),
    {
      title: 'Add the repository',
      commands: `echo "${aptLine(request, APT_KEYRING)}" \\\n  | sudo tee /etc/apt/sources.list.d/kubernetes.list`,
    },
    { title: 'Install', commands: `sudo apt-get update\nsudo apt-get install -y ${PACKAGES}` },
  ];
}

function dnfSteps(request: InstructionRequest): InstructionStep[] {
  return [
    {
      title: 'Add the repository',
      commands: `sudo tee /etc/yum.repos.d/kubernetes.repo <<'END'\n${yumRepository(request)}\nEND`,
    },
    { title: 'Install (without dnf, use yum)', commands: `sudo dnf install -y ${PACKAGES}` },
  ];
}

function zypperSteps(request: InstructionRequest): InstructionStep[] {
  const { url, channel, minor, signed } = request;
  const view = { channel, minor, format: 'rpm' } as const;
  return [
    ...(signed
      ? [{ title: 'Install the signing key', commands: `sudo rpm --import \\\n  ${url}/${publicKeyPath(view)}` }]
      : []),
    {
      title: 'Add the repository',
      commands: `sudo zypper addrepo --refresh ${signed ? '--gpgcheck-strict' : '--no-gpgcheck'} \\\n  ${url}/${viewDirectory(view)}/ kubernetes`,
    },
    { title: 'Install', commands: `sudo zypper install ${PACKAGES}` },
  ];
}
