import { type Commands, filesOf, type Wanted } from './manager.ts';

/** rpm(8) itself, the low level of dnf, yum and zypper. */
export const rpm = {
  install: (packages: readonly Wanted[]): Commands => [['rpm', '--install', '--verbose', ...filesOf(packages)]],
  change: (packages: readonly Wanted[]): Commands => [
    ['rpm', '--upgrade', '--oldpackage', '--replacepkgs', '--verbose', ...filesOf(packages)],
  ],
  reinstall: (packages: readonly Wanted[]): Commands => [
    ['rpm', '--upgrade', '--replacepkgs', '--replacefiles', '--verbose', ...filesOf(packages)],
  ],
  remove: (names: readonly string[]): Commands => [['rpm', '--erase', '--verbose', ...names]],
} as const;

/** Directories of the rpm database in all releases (%_dbpath). */
export const RPM_STATE = ['/var/lib/rpm', '/usr/lib/sysimage/rpm', '/root/.rpmdb'] as const;
