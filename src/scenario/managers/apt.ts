import { type Command, filesOf, namesOf, nameVersions, type PackageManager } from './manager.ts';

/** The only source that is used, because the sources of the image need a network. */
const SOURCES = '/etc/apt/sources.list.d/kubeparcel.list';

/**
 * Like unattended-upgrades: edited conffiles are kept, others are replaced, and nothing prompts (dpkg(1), --force-confdef and
 * --force-confold).
 */
const APT: Command = [
  'apt-get',
  '--yes',
  '--quiet',
  '-o=Dpkg::Use-Pty=0',
  '-o=Dpkg::Options::=--force-confdef',
  '-o=Dpkg::Options::=--force-confold',
  `-o=Dir::Etc::SourceList=${SOURCES}`,
  '-o=Dir::Etc::SourceParts=-',
];
const DPKG: Command = ['dpkg', '--force-confdef', '--force-confold'];

/** apt, with dpkg as the low level: apt-get(8), dpkg(1). */
export const apt: PackageManager = {
  successes: [],
  environment: { DEBIAN_FRONTEND: 'noninteractive' },
  stateDirectories: ['/var/lib/dpkg', '/var/lib/apt'],
  useRepository: (directory) => ({
    path: SOURCES,
    text: `deb [trusted=yes] file://${directory} ./\n`,
    commands: [[...APT, 'update']],
  }),
  install: (packages, via) => [
    via === 'low-level'
      ? [...DPKG, '--install', ...filesOf(packages)]
      : [...APT, 'install', ...(via === 'files' ? filesOf(packages) : namesOf(packages))],
  ],
  change: (packages, via) => [
    via === 'low-level'
      ? [...DPKG, '--install', ...filesOf(packages)]
      : [
          ...APT,
          '--allow-downgrades',
          'install',
          ...(via === 'files' ? filesOf(packages) : nameVersions(packages, '=')),
        ],
  ],
  upgradeAll: () => [[...APT, 'dist-upgrade']],
  reinstall: (packages, via) => [
    via === 'low-level'
      ? [...DPKG, '--install', ...filesOf(packages)]
      : [...APT, '--reinstall', 'install', ...(via === 'files' ? filesOf(packages) : namesOf(packages))],
  ],
  remove: (names, { purge, via }) => [
    via === 'low-level'
      ? [...DPKG, purge ? '--purge' : '--remove', ...names]
      : [...APT, purge ? 'purge' : 'remove', ...names],
  ],
  repair: () => [
    [...DPKG, '--configure', '--pending'],
    [...APT, '--fix-broken', 'install'],
  ],
  hold: (names) => [['apt-mark', 'hold', ...names]],
  endHold: (names) => [['apt-mark', 'unhold', ...names]],
};
