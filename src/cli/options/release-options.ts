import type { Argv } from 'yargs';
import { type ArgumentsOf, CONFIG, JSON_LINES, LIST, NUMBER, toggle, VALUE } from './flags.ts';

/** Flags that select the packages of a release; build, fetch and layout share them. */
export type ReleaseArguments = ArgumentsOf<typeof releaseOptions>;

/** Adds the shared flags. yargs sets no default for a flag that kubeparcel.yaml can set. */
export function releaseOptions(yargs: Argv) {
  return yargs
    .positional('release', {
      type: 'string',
      describe: 'v1.36.4, 1.36 (newest patch), stable, 1.37.0-rc.1',
      defaultDescription: 'stable',
    })
    .option('packages', { ...LIST, describe: 'Packages to include', defaultDescription: 'all' })
    .option('arch', {
      ...LIST,
      describe: 'amd64, arm64, ppc64le, s390x or all',
      defaultDescription: "this machine's",
    })
    .option('formats', { ...LIST, describe: 'deb, rpm', defaultDescription: 'both' })
    .option('distro', {
      ...LIST,
      describe: 'Build per distribution: debian-12, el-9, ...',
      defaultDescription: 'one package per format',
    })
    .option('revision', { ...VALUE, describe: 'Debian revision and RPM release', defaultDescription: '1' })
    .option('source', {
      ...VALUE,
      describe: 'servers, sample, a mirror URL, a directory or a bundle',
      defaultDescription: 'servers',
    })
    .option('compression', {
      ...VALUE,
      describe: 'zstd:1 to zstd:19, xz:0 to xz:9, gzip:1 to gzip:9, none',
      defaultDescription: 'the best that all targets support',
    })
    .option('fast', {
      type: 'boolean',
      // A default would conflict with --compression too.
      conflicts: 'compression',
      describe: 'Build quickly; packages are larger',
    })
    .option('restart', {
      ...VALUE,
      describe: 'Effect of upgrades on a running kubelet: none, try-restart, needs-restart',
      defaultDescription: 'none',
    })
    .option('without-confgen', toggle('Leave out the generator kubelet-confgen'))
    .option('jobs', {
      ...NUMBER,

      describe: 'Packages to build in parallel',
      defaultDescription: 'one per core',
    })
    .option('locked', toggle('Use exactly the artifacts in the lock file'))
    .option('lock', { ...VALUE, default: 'kubeparcel.lock', describe: 'Lock file' })
    .option('config', CONFIG)
    .option('json', JSON_LINES);
}

export const DEFAULT_MAINTAINER = 'kubeparcel <kubeparcel@users.noreply.github.com>';
