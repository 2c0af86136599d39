import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadCatalog } from '../../src/catalog/catalog.ts';
import type { Engine } from '../../src/container/engine.ts';
import { findEngine } from '../../src/container/find-engine.ts';
import { type HostImage, loadHosts } from '../../src/container/images/hosts.ts';
import { prepareContainer } from '../../src/container/images/prepare-container.ts';
import { type ImageEvent, prepareImages } from '../../src/container/images/prepare-images.ts';
import { imageReference } from '../../src/container/images/recipe.ts';
import { HOSTS, machineWith } from './support/machine.ts';

let engine: Engine;
let hosts: readonly HostImage[];
beforeAll(async () => {
  await machineWith(HOSTS);
  engine = await findEngine();
  hosts = await loadHosts(await loadCatalog());
});

function hostOf(id: string): HostImage {
  const host = hosts.find((host) => host.id === id);
  if (host === undefined) throw new Error(`no host ${id}`);
  return host;
}

/** Commands that must succeed in each image without a network. */
const COMMANDS: Readonly<Record<(typeof HOSTS)[number], readonly string[]>> = {
  'debian-11': ['apt-get update', 'apt-get check', 'apt-ftparchive --version', 'dpkg --audit'],
  'debian-12': [
    'apt-get update',
    'apt-get check',
    'apt-ftparchive --version',
    'test -e /lib/systemd/system/systemd-resolved.service',
  ],
  'debian-13': [
    'apt-get update',
    'apt-get check',
    'apt-ftparchive --version',
    'test -e /lib/systemd/system/systemd-resolved.service',
  ],
  'dnf-on-debian-12': [
    'dnf repolist',
    'dnf versionlock list',
    'dnf list --installed',
    'createrepo_c --version',
    'rpmbuild --version',
  ],
  'zypper-on-debian-12': ['zypper --non-interactive search --installed-only', 'zypper locks', 'rpmbuild --version'],
};

describe.each(HOSTS)('%s', (id) => {
  test('has its tools, no unreachable repository, and a second locale', async () => {
    const image = imageReference({ id }, 'local');
    const container = await engine.start({ image, name: `kubeparcel-image-test-${process.pid}`, init: 'none' });
    try {
      for (const command of [
        ...COMMANDS[id],
        'containerd --version',
        'runc --version',
        'conntrack --version',
        'test ! -e /kubeparcel-stage',
      ]) {
        const { status, stdout, stderr } = await container.exec(command.split(' '));
        expect(`${command}: ${status}${status === 0 ? '' : ` ${stdout}${stderr}`}`).toBe(`${command}: 0`);
      }
      const german = await container.exec(['ls', '/no-such'], { environment: { LC_ALL: 'de_DE.UTF-8' } });
      expect(german.status).toBe(2);
      expect((await container.exec(['locale', '-a'])).stdout).toContain('de_DE.utf8');
      expect((await container.exec(['test', '-L', '/etc/resolv.conf'])).status).toBe(1);
      if (hostOf(id).format !== 'rpm') return;
      const names = (hostOf(id).local?.provides ?? []).map((text) => text.split(' ')[0] ?? '');
      const { status, stdout } = await container.exec(['rpm', '--query', '--whatprovides', ...names]);
      expect(`${status} ${new Set(stdout.trim().split('\n')).size}`).toBe('0 1');
      expect((await container.exec(['rpm', '--verify', '--all'])).status).toBe(0);
    } finally {
      await container.remove();
    }
  });
});

test('images of the current recipe are not built again', async () => {
  const events: ImageEvent[] = [];
  const prepared = await prepareImages(engine, HOSTS.map(hostOf), {
    images: 'local',
    onEvent: (event) => events.push(event),
  });
  expect(prepared.map(({ host, source }) => [host.id, source])).toEqual(HOSTS.map((id) => [id, 'local']));
  expect(events.map(({ kind }) => kind)).toEqual(HOSTS.map(() => 'image-found'));
});

test('rejects a host without an image of the requested source', async () => {
  await expect(prepareImages(engine, [hostOf('el-9')], { images: 'local' })).rejects.toMatchObject({
    kind: 'usage',
    where: 'el-9',
  });
  await expect(prepareImages(engine, [hostOf('dnf-on-debian-12')], { images: 'vendor' })).rejects.toMatchObject({
    kind: 'usage',
  });
});

test('builds the local image if the registry does not answer, and says why', async () => {
  const host = hostOf('debian-12');
  const vendor = { image: '127.0.0.1:1/library/debian:12', environment: {}, commands: [] };
  const events: ImageEvent[] = [];
  const [prepared] = await prepareImages(engine, [{ ...host, vendor }], {
    images: 'auto',
    onEvent: (event) => events.push(event),
  });
  expect(prepared?.source).toBe('local');
  expect(events[0]).toEqual({ kind: 'image-instead', host: 'debian-12', reason: '127.0.0.1:1 does not answer' });
  const only = { ...host, local: undefined, vendor };
  await expect(prepareImages(engine, [only], { images: 'auto' })).rejects.toMatchObject({ kind: 'usage' });
});

describe('a recipe', () => {
  /** A small image: no packages except the minimum of Debian. */
  const SMALL: HostImage = {
    id: 'kubeparcel-small-test',
    title: 'Small',
    manager: 'apt',
    program: 'apt',
    format: 'deb',
    distribution: 'debian-12',
    vendor: undefined,
    local: {
      suite: 'bookworm',
      packages: [],
      files: { '/etc/kept': 'one\n' },
      commands: [['rm', '/etc/debian_version']],
      provides: [],
    },
  };
  const local = SMALL.local;
  const image = imageReference(SMALL, 'local');
  const read = async (path: string) => {
    const container = await engine.start({ image, name: `kubeparcel-small-${process.pid}`, init: 'none' });
    try {
      return (await container.exec(['cat', path])).stdout;
    } finally {
      await container.remove();
    }
  };
  const ours = async () => (await engine.listImages()).filter(({ labels }) => labels.host === SMALL.id);

  test('leaves nothing if it fails; if it changes, a new image replaces the former one', async () => {
    if (local === undefined) throw new Error('no recipe');
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('kubeparcel-image-'));
    const failing = { ...SMALL, local: { ...local, suite: 'no-such-suite' } };
    await expect(prepareImages(engine, [failing], { images: 'local' })).rejects.toMatchObject({
      kind: 'network',
      where: SMALL.id,
      message: expect.stringContaining('no-such-suite'),
    });
    expect(await ours()).toEqual([]);
    try {
      const steps: string[] = [];
      const onEvent = (event: ImageEvent) => event.kind === 'image-step' && steps.push(event.step);
      await prepareImages(engine, [SMALL], { images: 'local', onEvent });
      expect(steps).toContain('run the recipe');
      expect(await read('/etc/kept')).toBe('one\n');
      expect(await read('/etc/debian_version')).toBe('');
      const [first, ...others] = await ours();
      expect(others).toEqual([]);

      const changed = { ...SMALL, local: { ...local, files: { '/etc/kept': 'two\n' } } };
      await prepareImages(engine, [changed], { images: 'local' });
      expect(await read('/etc/kept')).toBe('two\n');
      const now = await ours();
      expect(now).toHaveLength(1);
      expect(now[0]?.id).not.toBe(first?.id);

      // Vendor images are built like this: by commands in another image.
      const preparation = { labels: { host: SMALL.id }, network: 'none', environment: { A: 'x' } } as const;
      const commands = [['sh', '-c', 'echo $A > /etc/kept']];
      await prepareContainer(engine, image, image, { ...preparation, commands });
      expect(await read('/etc/kept')).toBe('x\n');
      await expect(
        prepareContainer(engine, image, image, { ...preparation, commands: [['sh', '-c', 'echo why >&2; exit 7']] }),
      ).rejects.toMatchObject({ kind: 'io', message: expect.stringMatching(/failed with status 7\n.*why/) });
    } finally {
      for (const { id } of await ours()) await engine.removeImage(id);
    }
    expect(await ours()).toEqual([]);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('kubeparcel-image-'))).toEqual(before);
    const containers = await engine.listContainers();
    expect(containers.filter(({ name }) => name.includes('small'))).toEqual([]);
    expect(execFileSync('find', ['/sys/fs/cgroup', '-type', 'd', '-name', '*small*'], { encoding: 'utf8' })).toBe('');
  });
});
