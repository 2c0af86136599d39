import type { Argv } from 'yargs';

/** The flags that say which packages are meant; build, fetch and layout share them. */
export interface ReleaseArguments {
  release: string | undefined;
  packages: string[] | undefined;
  arch: string[] | undefined;
  formats: string[] | undefined;
  distro: string[] | undefined;
  revision: string | undefined;
  source: string | undefined;
  compression: string | undefined;
  fast: boolean | undefined;
  restart: string | undefined;
  'without-confgen': boolean;
  jobs: number | undefined;
  config: string | undefined;
  locked: boolean;
  lock: string;
  json: boolean;
}

/** Adds the shared flags to a command. Defaults are not yargs' own, since kubeparcel.yaml stands between them. */
export function releaseOptions(yargs: Argv): Argv<ReleaseArguments> {
  return yargs
    .positional('release', {
      type: 'string',
      describe: 'v1.36.4, 1.36 (its newest patch), stable, 1.37.0-rc.1',
      defaultDescription: 'stable',
    })
    .option('packages', { type: 'string', ...LIST, describe: 'Which packages', defaultDescription: 'all five' })
    .option('arch', {
      type: 'string',
      ...LIST,
      describe: 'amd64, arm64, ppc64le, s390x or all',
      defaultDescription: "this machine's",
    })
    .option('formats', { type: 'string', ...LIST, describe: 'deb, rpm', defaultDescription: 'both' })
    .option('distro', {
      type: 'string',
      ...LIST,
      describe: 'For single distributions: debian-12, el-9, ...',
      defaultDescription: 'one package for the family',
    })
    .option('revision', { ...WORD, describe: 'Debian revision, RPM release', defaultDescription: '1' })
    .option('source', {
      ...WORD,
      describe: 'servers, sample, the URL of a mirror, a directory or a bundle',
      defaultDescription: 'servers',
    })
    .option('compression', {
      ...WORD,
      describe: 'zstd:1 to zstd:19, xz:0 to 9, gzip:1 to 9, none',
      defaultDescription: 'the best that every target can read',
    })
    .option('fast', {
      type: 'boolean',
      // No default, which would conflict, too.
      conflicts: 'compression',
      describe: 'Quick to build and larger, for trying things out',
    })
    .option('restart', {
      ...WORD,
      describe: 'A running kubelet on upgrade: none, try-restart, needs-restart',
      defaultDescription: 'none',
    })
    .option('without-confgen', {
      type: 'boolean',
      default: false,
      describe: 'Packages without the generator kubelet-confgen',
    })
    .option('jobs', { ...WORD, type: 'number', describe: 'Packages at a time', defaultDescription: 'one per core' })
    .option('locked', { type: 'boolean', default: false, describe: 'Use exactly what the lock states' })
    .option('lock', { ...WORD, default: 'kubeparcel.lock', describe: 'The lock file' })
    .option('config', { ...WORD, describe: 'Settings', defaultDescription: 'kubeparcel.yaml, if it is there' })
    .option('json', { type: 'boolean', default: false, describe: 'Events as JSON, one a line' });
}

/** `--arch amd64,arm64` and `--arch amd64 --arch arm64` are the same; a flag takes one word, so that RELEASE can follow. */
export const LIST = {
  array: true,
  nargs: 1,
  requiresArg: true,
  coerce: (words: string[] | undefined) => words?.flatMap((word) => word.split(',')).filter((word) => word !== ''),
} as const;

/** A flag of one value; given twice, the last one holds, so that a script's flags can be overridden. */
export const WORD = {
  type: 'string',
  requiresArg: true,
  coerce: (value: unknown) => (Array.isArray(value) ? value.at(-1) : value),
} as const;

export const DEFAULT_MAINTAINER = 'kubeparcel <kubeparcel@users.noreply.github.com>';
