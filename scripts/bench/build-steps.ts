import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { copySync, emptyDirSync, ensureDirSync } from 'fs-extra/esm';
import { packageRoot } from '../../src/support/package-root.ts';
import { buildRealPayload } from '../real-payload.ts';
import { buildRunners } from '../runners.ts';
import { installNfpm, nfpmScript } from './nfpm.ts';

export interface Step {
  readonly title: string;
  readonly command: readonly [string, ...string[]];
  /** Prepares the state before the step. */
  readonly before?: () => void | Promise<void>;
  /** Bytes of its output. */
  readonly bytes?: () => number;
}

export interface Bench {
  readonly title: string;
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
  readonly named: Record<
    'floor' | 'cold' | 'revised' | 'unchanged' | 'copy' | 'dpkg' | 'rpmThreads' | 'one' | 'eight',
    Step
  > & {
    /** `asLarge`: kubeparcel at the level whose packages are closest to nfpm's in size; nfpm cannot write smaller ones. */
    readonly nfpm: { readonly step: Step; readonly asLarge: Step; readonly level: number } | undefined;
  };
  /** Maximum ratio between a DEB and its whole data.tar compressed by zstd. */
  sizeRatio(): number;
  close(): Promise<void>;
}

const PAIR = ['debian-12', 'el-9'];
const EIGHT = ['debian-12', 'debian-13', 'ubuntu-22.04', 'ubuntu-24.04', 'el-8', 'el-9', 'el-10', 'opensuse-leap-15.6'];

/** Prepares the real payload and the inputs of all steps in a temporary directory. */
export async function createBench(level: number, say: (line: string) => void): Promise<Bench> {
  const payload = await buildRealPayload({ say });
  await buildRunners([payload.architecture], { say, fetchMusl: false });
  const directory = mkdtempSync(join(tmpdir(), 'kubeparcel-bench-'));
  const cache = join(directory, 'cache');
  const runners = join(process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? '', '.cache'), 'kubeparcel', 'runners');
  const environment = { XDG_CACHE_HOME: cache, SOURCE_DATE_EPOCH: '1610496000' };

  const emptyCache = async () => {
    emptyDirSync(cache);
    if (existsSync(runners)) copySync(runners, join(cache, 'kubeparcel', 'runners'), { preserveTimestamps: true });
    else ensureDirSync(join(cache, 'kubeparcel'));
  };
  const main = join(packageRoot(), 'lib', 'cli', 'main.js');
  const kubeparcel = (command: string, out: string, distributions: readonly string[], ...more: string[]) =>
    [
      process.execPath,
      main,
      command,
      payload.versions.kubernetes,
      ...['--source', payload.directory, '--out', join(directory, out), '--distro', distributions.join(',')],
      ...(more.includes('--compression') ? [] : ['--compression', `zstd:${level}`]),
      ...more,
    ] as const;
  const fresh = (out: string) => rmSync(join(directory, out), { recursive: true, force: true });
  const sizeOf =
    (out: string, filter = /\.(deb|rpm|zst)$/) =>
    () =>
      readdirSync(join(directory, out), { recursive: true, encoding: 'utf8' })
        .filter((name) => filter.test(name))
        .reduce((sum, name) => sum + statSync(join(directory, out, name)).size, 0);

  await emptyCache();
  const [node, ...layoutCommand] = kubeparcel('layout', 'layouts', PAIR);
  await execa(node, layoutCommand, { cwd: directory, env: environment });
  const trees = readdirSync(join(directory, 'layouts')).map((name) => join(directory, 'layouts', name));
  const debTrees = trees.filter((tree) => existsSync(join(tree, 'DEBIAN')));
  const rpmTrees = trees.filter((tree) => existsSync(join(tree, 'SPECS')));

  const binaries = join(directory, 'binaries');
  mkdirSync(binaries);
  const plain = join(payload.directory, payload.architecture);
  for (const name of ['kubelet', 'kubectl', 'kubeadm', 'crictl']) await execa('cp', [join(plain, name), binaries]);
  await execa('tar', ['-cf', join(binaries, 'cni.tar'), '-C', plain, 'cni']);
  const longestFirst = readdirSync(binaries)
    .map((name) => join(binaries, name))
    .sort((a, b) => statSync(b).size - statSync(a).size);

  const floor: Step = {
    title: 'minimum: zstd of each binary once, all cores',
    command: [
      'sh',
      '-c',
      `printf '%s\\n' "$@" | xargs -P ${availableParallelism()} -I{} zstd -q -f -T1 -${level} {}`,
      'sh',
      ...longestFirst,
    ],
    bytes: sizeOf('binaries'),
  };
  const cold: Step = {
    title: 'kubeparcel, five DEBs and five RPMs, cold',
    command: kubeparcel('build', 'cold', PAIR),
    before: async () => {
      fresh('cold');
      await emptyCache();
    },
    bytes: sizeOf('cold'),
  };
  const revised: Step = {
    title: 'kubeparcel, new revision',
    command: kubeparcel('build', 'revised', PAIR, '--revision', '2'),
    before: () => fresh('revised'),
    bytes: sizeOf('revised'),
  };
  const copy: Step = {
    title: 'copying these packages, with fsync like kubeparcel',
    command: [
      'sh',
      '-c',
      'for file in revised/*; do dd status=none bs=1M conv=fsync if="$file" of="copy/$(basename "$file")" || exit; done',
    ],
    before: () => {
      fresh('copy');
      mkdirSync(join(directory, 'copy'));
    },
  };
  const unchanged: Step = {
    title: 'kubeparcel, no changes',
    command: kubeparcel('build', 'revised', PAIR, '--revision', '2'),
  };
  const dpkg: Step = {
    title: `dpkg-deb -Zzstd -z${level}, five DEBs`,
    command: [
      'sh',
      '-c',
      `for tree do dpkg-deb --root-owner-group -Zzstd -z${level} --build "$tree" dpkg/ >/dev/null || exit; done`,
      'sh',
      ...debTrees,
    ],
    before: () => {
      fresh('dpkg');
      mkdirSync(join(directory, 'dpkg'));
    },
    bytes: sizeOf('dpkg'),
  };
  const rpmbuild = (flags: string): Step => ({
    title: `rpmbuild ${flags}.zstdio, five RPMs`,
    command: [
      'sh',
      '-c',
      `for tree do rpmbuild -bb --quiet --define "_topdir $tree" --define '_binary_payload ${flags}.zstdio' "$tree"/SPECS/*.spec || exit; done`,
      'sh',
      ...rpmTrees,
    ],
    before: () => {
      for (const tree of rpmTrees) rmSync(join(tree, 'RPMS'), { recursive: true, force: true });
    },
    bytes: () => rpmTrees.reduce((sum, tree) => sum + sizeOf(join('layouts', basename(tree), 'RPMS'))(), 0),
  });
  const rpm = rpmbuild(`w${level}`);
  const rpmThreads = rpmbuild(`w${level}T0`);
  const one: Step = {
    title: 'kubeparcel, one distribution, cold',
    command: kubeparcel('build', 'one', ['debian-12']),
    before: async () => {
      fresh('one');
      await emptyCache();
    },
    bytes: sizeOf('one'),
  };
  const eight: Step = {
    title: 'kubeparcel, eight distributions, cold',
    command: kubeparcel('build', 'eight', EIGHT),
    before: async () => {
      fresh('eight');
      await emptyCache();
    },
    bytes: sizeOf('eight'),
  };
  const nfpm = await nfpmSteps();

  async function nfpmSteps(): Promise<Bench['named']['nfpm']> {
    const tool = await installNfpm(directory, say);
    if (tool === undefined) return undefined;
    const script = nfpmScript(directory, tool.path, debTrees);
    const before = () => {
      fresh('nfpm');
      mkdirSync(join(directory, 'nfpm'));
    };
    const step: Step = {
      title: `nfpm ${tool.version}, five DEBs (xz) and five RPMs (its best zstd)`,
      command: ['sh', script],
      before,
      bytes: sizeOf('nfpm'),
    };
    const packAt = (at: number) => ({
      title: `kubeparcel, five DEBs and five RPMs at level ${at}, cold`,
      command: kubeparcel('build', 'as-large', PAIR, '--compression', `zstd:${at}`),
      before: async () => {
        fresh('as-large');
        await emptyCache();
      },
      bytes: sizeOf('as-large'),
    });
    say("searching the level that gives packages of nfpm's size");
    before();
    await execa('sh', [script], { cwd: directory });
    const target = sizeOf('nfpm')();
    let best: { readonly level: number; readonly distance: number } | undefined;
    for (const at of [3, 5, 6, 7, 9, 12, 15]) {
      const one = packAt(at);
      await one.before();
      const [program, ...parameters] = one.command;
      await execa(program, parameters, { cwd: directory, env: environment });
      const distance = Math.abs(one.bytes() - target);
      if (best === undefined || distance < best.distance) best = { level: at, distance };
    }
    return best === undefined ? undefined : { step, asLarge: packAt(best.level), level: best.level };
  }

  const whole = await wholeArchiveSizes(directory, debTrees, level, say);
  return {
    title: `Kubernetes ${payload.versions.kubernetes}, ${payload.architecture}`,
    directory,
    environment,
    // Each kubeparcel step is next to the step that it is compared with.
    steps: [
      floor,
      cold,
      revised,
      unchanged,
      copy,
      dpkg,
      rpm,
      rpmThreads,
      ...(nfpm ? [nfpm.step, nfpm.asLarge] : []),
      one,
      eight,
    ],
    named: { floor, cold, revised, unchanged, copy, dpkg, rpmThreads, one, eight, nfpm },
    sizeRatio: () => {
      const debs = readdirSync(join(directory, 'cold')).filter((file) => file.endsWith('.deb'));
      // Includes the other members of the DEB, some kilobytes.
      return Math.max(
        ...debs.map((name) => statSync(join(directory, 'cold', name)).size / (whole.get(name.slice(0, -4)) ?? 0)),
      );
    },
    close: async () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** Compressed size of each whole archive in bytes, by the name of its tree. */
async function wholeArchiveSizes(
  directory: string,
  trees: readonly string[],
  level: number,
  say: (line: string) => void,
): Promise<Map<string, number>> {
  say('measuring zstd of the whole archives');
  const script = join(directory, 'whole.sh');
  const pipeline = `tar --sort=name --exclude=./DEBIAN -C "$1" -cf - . | zstd -q -T1 -${level} -c | wc -c`;
  writeFileSync(script, `size=$(${pipeline}) && echo "$1 $size"\n`);
  const { stdout } = await execa('xargs', ['-P', String(availableParallelism()), '-I{}', 'sh', script, '{}'], {
    input: trees.join('\n'),
  });
  return new Map(
    stdout.split('\n').map((line) => {
      const [tree = '', size] = line.split(' ');
      return [basename(tree), Number(size)];
    }),
  );
}
