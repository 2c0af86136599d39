import { type Command, filesOf, namesOf, nameVersions, type PackageManager, type Via, type Wanted } from './manager.ts';
import { RPM_STATE, rpm } from './rpm.ts';

const REPOSITORY = '/etc/yum.repos.d/kubeparcel.repo';
/** Few images have the versionlock plugin; an exclude in the main configuration has the same effect. */
const EDIT: Command = ['sed', '--in-place'];

/**
 * dnf, with rpm as the low level: dnf(8). The image's own repositories need a network.
 *
 * @param program dnf, or yum on old hosts
 */
export function dnf(program: string): PackageManager {
  const base: Command = [program, '--assumeyes', '--disablerepo=*', '--enablerepo=kubeparcel', '--nogpgcheck'];
  const configuration = program === 'dnf' ? '/etc/dnf/dnf.conf' : '/etc/yum.conf';
  const named = (packages: readonly Wanted[], via: Via, separator?: string) =>
    via === 'files'
      ? filesOf(packages)
      : separator === undefined
        ? namesOf(packages)
        : nameVersions(packages, separator);
  return {
    successes: [],
    environment: {},
    stateDirectories: [...RPM_STATE, '/var/lib/dnf', '/var/lib/yum'],
    useRepository: (directory) => ({
      path: REPOSITORY,
      text: `[kubeparcel]\nname=kubeparcel\nbaseurl=file://${directory}\nenabled=1\ngpgcheck=0\n`,
      commands: [[...base, 'clean', 'expire-cache']],
    }),
    install: (packages, via) =>
      via === 'low-level' ? rpm.install(packages) : [[...base, 'install', ...named(packages, via)]],
    change: (packages, via, direction) =>
      via === 'low-level'
        ? rpm.change(packages)
        : [[...base, direction === 'down' ? 'downgrade' : 'upgrade', ...named(packages, via, '-')]],
    upgradeAll: () => [[...base, 'upgrade']],
    reinstall: (packages, via) =>
      via === 'low-level' ? rpm.reinstall(packages) : [[...base, 'reinstall', ...named(packages, via)]],
    remove: (names, { via }) => (via === 'low-level' ? rpm.remove(names) : [[...base, 'remove', ...names]]),
    repair: (packages) => [[...base, 'install', ...namesOf(packages)]],
    hold: (names) => [[...EDIT, `/^\\[main]/a exclude=${names.join(' ')}`, configuration]],
    endHold: () => [[...EDIT, '/^exclude=/d', configuration]],
  };
}
