import { type Command, filesOf, namesOf, nameVersions, type PackageManager, type Via, type Wanted } from './manager.ts';
import { RPM_STATE, rpm } from './rpm.ts';

const REPOSITORY = '/etc/zypp/repos.d/kubeparcel.repo';

const ZYPPER: Command = ['zypper', '--non-interactive', '--no-gpg-checks'];
const INSTALL: Command = [...ZYPPER, 'install', '--allow-unsigned-rpm', '--auto-agree-with-licenses'];

/** zypper(8), with rpm as the low level. */
export const zypper: PackageManager = {
  /** 102: reboot needed; 103: restart zypper. */
  successes: [102, 103],
  environment: {},
  stateDirectories: [...RPM_STATE, '/var/lib/zypp', '/etc/zypp', '/var/adm'],
  useRepository: (directory) => ({
    path: REPOSITORY,
    text: `[kubeparcel]\nname=kubeparcel\nenabled=1\nautorefresh=0\nbaseurl=dir://${directory}\ntype=rpm-md\ngpgcheck=0\n`,
    commands: [[...ZYPPER, 'refresh', '--force', 'kubeparcel']],
  }),
  install: (packages, via) => (via === 'low-level' ? rpm.install(packages) : [[...INSTALL, ...named(packages, via)]]),
  change: (packages, via) =>
    via === 'low-level' ? rpm.change(packages) : [[...INSTALL, '--oldpackage', ...named(packages, via, '=')]],
  upgradeAll: () => [[...ZYPPER, 'update']],
  reinstall: (packages, via) =>
    via === 'low-level' ? rpm.reinstall(packages) : [[...INSTALL, '--force', ...named(packages, via)]],
  remove: (names, { via }) => (via === 'low-level' ? rpm.remove(names) : [[...ZYPPER, 'remove', ...names]]),
  repair: (packages) => [[...INSTALL, ...namesOf(packages)]],
  hold: (names) => [[...ZYPPER, 'addlock', ...names]],
  endHold: (names) => [[...ZYPPER, 'removelock', ...names]],
};

function named(packages: readonly Wanted[], via: Via, separator?: string): string[] {
  if (via === 'files') return filesOf(packages);
  return separator === undefined ? namesOf(packages) : nameVersions(packages, separator);
}
