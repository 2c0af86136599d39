/** Packages that the distributions' own tools build in containers must equal those of the native writers. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assembleIn } from '../../src/assembly/assemble.ts';
import type { Container, Engine } from '../../src/container/engine.ts';
import { diffLayouts } from '../../src/layout/diff.ts';
import type { Layout } from '../../src/model/layout.ts';
import { PACKAGERS } from '../../src/pipeline/formats.ts';
import type { BuildTask } from '../../src/pipeline/plan.ts';
import { readPackage } from '../../src/pipeline/read-package.ts';
import { type PackageJob, writePackages } from '../../src/pipeline/run.ts';
import { type ComposedSample, composeSample } from '../support/build-sample.ts';
import { run, succeed } from '../support/cli.ts';
import { everyDebLayout, everyRpmLayout } from '../support/every-layout.ts';
import { objectsOf } from '../support/rpm.ts';
import { DEB_HOSTS, HOSTS, type HostId, machineWith } from './support/machine.ts';

const work = mkdtempSync(join(tmpdir(), 'kubeparcel-assemble-'));
const containers = new Map<HostId, Container>();
let engine: Engine;
let sample: ComposedSample;

beforeAll(async () => {
  const machine = await machineWith(HOSTS);
  engine = machine.engine;
  for (const { id, image } of machine.hosts) {
    const name = `kubeparcel-assemble-test-${process.pid}-${id}`;
    containers.set(id as HostId, await engine.start({ image, name, init: 'none' }));
  }
  sample = await composeSample(work, { compression: { codec: 'xz', level: 1 } });
});
afterAll(async () => {
  await Promise.allSettled([...containers.values()].map((container) => container.remove()));
  rmSync(work, { recursive: true, force: true });
});

const isDeb = (host: HostId) => (DEB_HOSTS as readonly string[]).includes(host);

function container(host: HostId): Container {
  const found = containers.get(host);
  if (found === undefined) throw new Error(`no container of ${host}`);
  return found;
}

/** Assembles packages in a new directory. Returns their paths. */
async function assemble(host: HostId, jobs: readonly PackageJob[], objects = sample.objects): Promise<string[]> {
  const out = mkdtempSync(join(work, 'out-'));
  const pack = (job: PackageJob, options: Parameters<typeof assembleIn>[2]) =>
    assembleIn(container(host), job, options);
  const built = await writePackages(jobs, { objects, out, jobs: 2, pack });
  return built.map(({ path }) => path);
}

async function differences(jobs: readonly PackageJob[], paths: readonly string[], objects = sample.objects) {
  const out = mkdtempSync(join(work, 'native-'));
  const native = await writePackages(jobs, { objects, out, jobs: 2 });
  const found = await Promise.all(
    native.map(async ({ path }, index) => {
      const [ours, theirs] = [await readPackage(path), await readPackage(paths[index] ?? '')];
      return [...diffLayouts(ours.layout, theirs.layout), ...(ours.codec === theirs.codec ? [] : [theirs.codec])];
    }),
  );
  return found.flat();
}

function everyJob(layout: Layout): PackageJob {
  const [{ task } = { task: undefined }] = sample.jobs.filter(({ layout: { format } }) => format === layout.format);
  const file = PACKAGERS[layout.format].fileName(layout);
  return { task: { ...(task as BuildTask), package: layout.name, file }, layout };
}

describe.each(HOSTS)('on %s', (host) => {
  test('the five packages equal the native ones', async () => {
    const jobs = sample.jobs.filter(({ task }) => task.target.format === (isDeb(host) ? 'deb' : 'rpm'));
    expect(jobs).toHaveLength(5);
    const paths = await assemble(host, jobs);
    expect(await differences(jobs, paths)).toEqual([]);
  });

  test('a package with every feature of the format equals the native one', async () => {
    const jobs = [everyJob(isDeb(host) ? everyDebLayout() : everyRpmLayout())];
    const paths = await assemble(host, jobs, objectsOf());
    expect(await differences(jobs, paths, objectsOf())).toEqual([]);
  });

  test('no files remain in the container', async () => {
    expect((await container(host).exec(['ls', '-A', '/var/tmp'])).stdout).toBe('');
  });
});

describe('the tool in the container', () => {
  const jobs = () =>
    sample.jobs.filter(({ task }) => task.package === 'kubectl' && task.target.format === 'deb').slice(0, 1);

  /** Replaces dpkg-deb in the container by a script during `use`. */
  async function withTool<T>(script: string, use: () => Promise<T>): Promise<T> {
    const path = '/usr/local/bin/dpkg-deb';
    const install = ['sh', '-c', `cat > ${path} && chmod 755 ${path}`];
    await container('debian-12').exec(install, { stdin: `#!/bin/sh\n${script}\n` });
    try {
      return await use();
    } finally {
      await container('debian-12').exec(['rm', '-f', path, '/tmp/seen']);
    }
  }

  test('runs as an unprivileged user without network access', async () => {
    const script = '{ id -u; id -g; ls /sys/class/net; } > /tmp/seen; exec /usr/bin/dpkg-deb "$@"';
    const seen = await withTool(script, async () => {
      await assemble('debian-12', jobs());
      return await container('debian-12').exec(['cat', '/tmp/seen']);
    });
    expect(seen.stdout).toBe('65534\n65534\nlo\n');
  });

  test('fails the build if its package differs from the layout, and no package appears', async () => {
    // The tree is the second to last argument.
    const script = [
      'for word do tree=$package; package=$word; done',
      'chmod 700 "$tree/usr/bin/kubectl"',
      'exec /usr/bin/dpkg-deb "$@"',
    ].join('\n');
    const out = mkdtempSync(join(work, 'differs-'));
    const pack = (job: PackageJob, options: Parameters<typeof assembleIn>[2]) =>
      assembleIn(container('debian-12'), job, options);
    const failure = withTool(script, () => writePackages(jobs(), { objects: sample.objects, out, jobs: 1, pack }));
    await expect(failure).rejects.toThrow('/usr/bin/kubectl mode is 0700 instead of 0755');
    expect(readdirSync(out)).toEqual([]);
  });

  test('is quoted if it fails', async () => {
    const script = 'echo "dpkg-deb: error: unknown compression type" >&2; exit 2';
    await expect(withTool(script, () => assemble('debian-12', jobs()))).rejects.toThrow(
      expect.objectContaining({
        kind: 'format',
        message: 'dpkg-deb failed with status 2: dpkg-deb: error: unknown compression type',
        where: jobs()[0]?.task.file,
      }),
    );
  });

  test('fails the build if it does not support the codec', async () => {
    const zstd = jobs().map(
      (job) => ({ ...job, task: { ...job.task, compression: { codec: 'zstd', level: 3 } } }) as const,
    );
    await expect(assemble('debian-11', zstd)).rejects.toThrow(/dpkg-deb failed with status \d+: .*compression/s);
  });
});

describe('kubeparcel build --assemble container', () => {
  // The engine stores images below the home directory.
  const env = { HOME: process.env.HOME ?? '' };

  test('builds all ten packages with checksums, and removes its containers', async () => {
    const cwd = mkdtempSync(join(work, 'cli-'));
    const before = await engine.listContainers();
    const args = ['build', '--source', 'sample', '--assemble', 'container', '--without-confgen'];
    await succeed(args, { cwd, env });
    const made = readdirSync(join(cwd, 'dist'));
    expect(made.filter((name) => /\.(deb|rpm)$/.test(name))).toHaveLength(10);
    expect(made.filter((name) => !/\.(deb|rpm)$/.test(name))).toEqual(['SHA256SUMS']);
    await execa('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: join(cwd, 'dist') });
    const names = new Set(before.map(({ name }) => name));
    const left = (await engine.listContainers()).filter(({ name }) => !names.has(name) && /-assemble$/.test(name));
    expect(left).toEqual([]);
  });

  test('explains how to install an engine if there is none', async () => {
    const cwd = mkdtempSync(join(work, 'without-'));
    mkdirSync(join(cwd, 'bin'));
    symlinkSync('/bin/true', join(cwd, 'bin', 'true'));
    const args = ['build', '--source', 'sample', '--assemble', 'container', '--without-confgen'];
    const { exitCode, stderr } = await run(args, { cwd, env: { PATH: join(cwd, 'bin') } });
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^kubeparcel: no working container engine .*\n {2}hint: +.*apt-get install .*podman/m);
    expect(existsSync(join(cwd, 'dist'))).toBe(false);
  });
});
