import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Container, Engine, StartOptions } from '../../src/container/engine.ts';
import { imageReference } from '../../src/container/images/recipe.ts';
import { packageRoot } from '../../src/support/package-root.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { HOSTS, machineWith } from './support/machine.ts';

let engine: Engine;
const started: Container[] = [];
const IMAGE = imageReference({ id: 'debian-12' }, 'local');

beforeAll(async () => {
  ({ engine } = await machineWith(HOSTS));
});
afterEach(async () => {
  for (const container of started.splice(0)) await container.remove();
});

let count = 0;
async function start(options: Partial<StartOptions> = {}): Promise<Container> {
  count += 1;
  const name = `kubeparcel-engine-test-${process.pid}-${count}`;
  const container = await engine.start({ image: IMAGE, init: 'none', name, ...options });
  started.push(container);
  return container;
}

async function output(container: Container, script: string): Promise<string> {
  const { stdout, stderr, status } = await container.exec(['sh', '-c', script]);
  expect(`${status} ${stderr}`).toBe('0 ');
  return stdout.trim();
}

describe.each(HOSTS)('%s', (host) => {
  test('boots with systemd, has only the loopback interface and resolves its name', async () => {
    const container = await start({ image: imageReference({ id: host }, 'local'), init: 'systemd' });
    expect(container.failedUnits).toEqual([]);
    expect(await output(container, 'systemctl is-system-running')).toBe('running');
    expect(await output(container, 'ls /sys/class/net')).toBe('lo');
    expect(await output(container, 'cat /sys/class/net/lo/flags')).toBe('0x9');
    expect(await output(container, 'uname -n; getent hosts node')).toMatch(/^node\n127\.0\.1\.1\s+node$/);
    expect(await output(container, 'systemd-run --quiet --wait --pipe echo unit')).toBe('unit');
    expect(await container.logs()).toContain('systemd');
  });

  test('has cgroup controllers: MemoryMax limits a unit', async () => {
    const container = await start({ image: imageReference({ id: host }, 'local'), init: 'systemd', controllers: true });
    expect(container.failedUnits).toEqual([]);
    const use = (limit: string) =>
      container.exec([
        'systemd-run',
        '--wait',
        '--pipe',
        `--property=MemoryMax=${limit}`,
        'sh',
        '-c',
        'head -c 80M /dev/zero | tail -c 80M | wc -c',
      ]);
    expect((await use('400M')).stdout.trim()).toBe(String(80 * 1024 * 1024));
    expect((await use('20M')).stdout.trim()).not.toBe(String(80 * 1024 * 1024));
  });
});

describe('a container with systemd', () => {
  test('can change the kernel settings of its own network only', async () => {
    const container = await start({ init: 'systemd' });
    const before = ['vm/overcommit_memory', 'kernel/panic', 'net/ipv4/ip_forward', 'vm/swappiness'].map(setting);
    // The kubelet writes these two and reads them back.
    const own = await output(
      container,
      'echo 2 > /proc/sys/vm/overcommit_memory; echo 77 > /proc/sys/kernel/panic; cat /proc/sys/vm/overcommit_memory /proc/sys/kernel/panic',
    );
    expect(own.split('\n')).toEqual(['2', '77']);
    expect(await output(container, 'sysctl -n -w net.ipv4.ip_forward=1')).toBe('1');
    expect((await container.exec(['sysctl', '-w', 'vm.swappiness=3'])).status).not.toBe(0);
    expect(['vm/overcommit_memory', 'kernel/panic', 'net/ipv4/ip_forward', 'vm/swappiness'].map(setting)).toEqual(
      before,
    );
  });

  test('runs containerd, which runs a container', async () => {
    const container = await start({ init: 'systemd', controllers: true, tmpfs: [{ path: '/var/lib/containerd' }] });
    await output(container, 'systemctl start containerd && ctr version');
    // Images cannot be pulled, so the container uses a root file system with only a shell.
    await output(
      container,
      'ip netns add x && ip netns exec x ip link set lo up && ip link add veth0 type veth peer name veth1 netns x',
    );
    expect(
      await output(
        container,
        'mkdir -p /r/bin /r/lib64 /r/lib/x86_64-linux-gnu && cp -L /bin/sh /r/bin/ && for l in $(ldd /bin/sh | grep -o "/[^ ]*"); do mkdir -p "/r$(dirname $l)"; cp -L $l /r$l; done; ctr run --rm --rootfs /r one /bin/sh -c "echo inside"',
      ),
    ).toBe('inside');
  });

  test('reports failed units', async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'broken.service'), '[Service]\nType=oneshot\nExecStart=/bin/false\n');
    writeFileSync(join(directory, 'wants.conf'), '[Unit]\nWants=broken.service\n');
    const container = await start({
      init: 'systemd',
      mounts: [
        { source: join(directory, 'broken.service'), target: '/etc/systemd/system/broken.service' },
        { source: join(directory, 'wants.conf'), target: '/etc/systemd/system/multi-user.target.d/wants.conf' },
      ],
    });
    expect(container.failedUnits).toEqual(['broken.service']);
  });
});

// With systemd, commands run in a shell session; without it, each is an exec of the engine.
describe.each(['none', 'systemd'] as const)('a command in a container with init %s', (init) => {
  test('returns its status and streams, and has its user and environment', async () => {
    const container = await start({ init });
    for (const status of [0, 1, 3, 124, 125, 126, 127, 255]) {
      const result = await container.exec(['sh', '-c', `echo out; echo err >&2; exit ${status}`]);
      expect(result).toMatchObject({ status, timedOut: false, stdout: 'out\n', stderr: 'err\n' });
    }
    expect(await container.exec(['no-such-program'])).toMatchObject({ status: 127 });
    const { stdout, stderr } = await container.exec(['sh', '-c', 'id -un; echo "$LANG $A"'], {
      user: 'nobody',
      environment: { LANG: 'de_DE.UTF-8', A: '$(id) "x"' },
    });
    expect(stderr).toBe('');
    await expect(container.exec(['true'], { user: 'no-such-user' })).rejects.toMatchObject({ kind: 'usage' });
    expect(stdout).toBe('nobody\nde_DE.UTF-8 $(id) "x"\n');
  });

  test('receives its standard input unchanged', async () => {
    const container = await start({ init });
    const bytes = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 7) % 256);
    const { stdout } = await container.exec(['sha256sum'], { stdin: bytes });
    expect(stdout).toBe(execFileSync('sha256sum', { input: bytes, encoding: 'utf8' }));
    expect((await container.exec(['cat'], { stdin: '' })).stdout).toBe('');
    expect((await container.exec(['cat'])).stdout).toBe('');
  });

  test('has its output cut off after 8 MiB, with a note', async () => {
    const container = await start({ init });
    const { stdout, status } = await container.exec(['sh', '-c', 'head -c 20000000 /dev/zero | tr "\\0" x']);
    expect(status).toBe(0);
    expect(stdout.length).toBeLessThan(9 * 1024 * 1024);
    expect(stdout.slice(-60)).toMatch(/x\n\[11611392 more bytes were cut off\]\n$/);
  });

  test.each([
    ['sleep', ['sleep', '612']],
    ['a program that ignores SIGTERM', ['sh', '-c', 'trap "" TERM; sleep 613; sleep 613']],
  ])('is killed in the container after its timeout: %s', async (_, command) => {
    const container = await start({ init });
    const result = await container.exec(command, { timeout: 700 });
    expect(result).toMatchObject({ status: 124, timedOut: true });
    expect(result.milliseconds).toBeLessThan(8000);
    const { stdout } = await container.exec(['ps', '-eo', 'args']);
    expect(stdout).not.toMatch(/sleep 61[23]/);
  });

  test('ends when its signal aborts', async () => {
    const container = await start({ init });
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('enough')), 300);
    await expect(container.exec(['sleep', '60'], { signal: controller.signal })).rejects.toThrow('enough');
  });

  test('throws if the container does not exist', async () => {
    const container = await start({ init });
    await container.remove();
    await container.remove();
    await expect(container.exec(['true'])).rejects.toMatchObject({ kind: 'io' });
  });

  test('gets its own result when others run at the same time', async () => {
    const container = await start({ init });
    const numbers = [1, 2, 3, 4];
    const results = await Promise.all(
      numbers.map((number) => container.exec(['sh', '-c', `sleep 0.${number}; echo ${number}`])),
    );
    expect(results.map(({ stdout }) => stdout)).toEqual(['1\n', '2\n', '3\n', '4\n']);
  });
});

describe('a shell session', () => {
  test('is replaced after a command kills its shell', async () => {
    const container = await start({ init: 'systemd' });
    const parent = await output(container, 'ps -o ppid= -p $PPID');
    expect(await output(container, 'ps -o ppid= -p $PPID')).toBe(parent);
    const ended = await container.exec(['pkill', '-KILL', '-f', 'kubeparcel/session']);
    expect(ended).toMatchObject({ timedOut: false });
    expect(ended.status).not.toBe(0);
    expect(await output(container, 'echo here')).toBe('here');
    expect(await output(container, 'ps -o ppid= -p $PPID')).not.toBe(parent);
  });

  test('leaves no files outside of /run', async () => {
    const container = await start({ init: 'systemd' });
    expect(await output(container, 'find / -xdev -newer /run/kubeparcel -type f -path "*session*"')).toBe('');
  });
});

describe('files', () => {
  test('are copied in and out with modes and links', async () => {
    const container = await start();
    const directory = join(temporaryDirectory(), '-odd name');
    mkdirSync(join(directory, 'sub'), { recursive: true });
    writeFileSync(join(directory, 'sub', 'run'), 'text', { mode: 0o750 });
    await container.copyIn(directory, '/opt/a b');
    expect(await output(container, 'stat -c "%a %U %s" "/opt/a b/-odd name/sub/run"')).toBe('750 root 4');
    await output(container, 'ln -s sub/run "/opt/a b/-odd name/link"');
    const out = join(temporaryDirectory(), 'out');
    await container.copyOut('/opt/a b/-odd name', out);
    expect(readdirSync(join(out, '-odd name')).sort()).toEqual(['link', 'sub']);
    expect(readFileSync(join(out, '-odd name', 'link'), 'utf8')).toBe('text');
  });

  test('that do not exist', async () => {
    const container = await start();
    await expect(container.copyIn('/no/such', '/opt')).rejects.toThrow();
    await expect(container.copyOut('/no/such', temporaryDirectory())).rejects.toMatchObject({ kind: 'io' });
    await expect(container.copyIn(temporaryDirectory(), '/proc/x')).rejects.toMatchObject({ kind: 'io' });
  });

  test('mounts are read-only, and a tmpfs has a maximum size', async () => {
    const source = temporaryDirectory();
    writeFileSync(join(source, 'file'), 'x');
    const container = await start({
      mounts: [{ source, target: '/mnt/in' }],
      tmpfs: [{ path: '/var/full', sizeBytes: 1024 * 1024 }],
    });
    const write = await container.exec(['touch', '/mnt/in/file']);
    expect(write).toMatchObject({ status: 1, stderr: expect.stringContaining('Read-only') });
    const fill = await container.exec(['dd', 'if=/dev/zero', 'of=/var/full/x', 'bs=64k', 'count=64']);
    expect(fill).toMatchObject({ status: 1, stderr: expect.stringContaining('No space left') });
  });
});

describe('containers of killed runs', () => {
  let compiled: string;
  beforeAll(async () => {
    const root = packageRoot();
    mkdirSync(join(root, 'lib'), { recursive: true });
    compiled = mkdtempSync(join(root, 'lib', '.test-'));
    const config = {
      extends: '../../tsconfig.json',
      compilerOptions: { noEmit: false, rootDir: '../..', outDir: '.' },
      include: [],
      files: ['../../test/support/starting-container-main.ts'],
    };
    writeFileSync(join(compiled, 'tsconfig.json'), JSON.stringify(config));
    await execa(join(root, 'node_modules', '.bin', 'tsc'), ['-p', compiled], { cwd: root });
  });
  afterAll(() => rmSync(compiled, { recursive: true, force: true }));

  const runner = (name: string, keep = '') =>
    execa('node', [join(compiled, 'test', 'support', 'starting-container-main.js'), IMAGE, name, keep], {
      reject: false,
    });

  /** Containers, cgroups and mounts with this name. */
  async function traces(name: string): Promise<string[]> {
    const containers = (await engine.listContainers()).map((container) => container.name);
    const groups = execFileSync('find', ['/sys/fs/cgroup', '-type', 'd', '-name', name], { encoding: 'utf8' });
    return [...containers, ...groups.split('\n'), ...readFileSync('/proc/self/mountinfo', 'utf8').split('\n')].filter(
      (line) => line.includes(name),
    );
  }

  test.each([
    ['at once', 0],
    ['while its container starts', 60],
    ['later while its container starts', 140],
    ['while it boots', 300],
  ])('are removed by clean if the run is killed %s', async (moment, delay) => {
    const name = `kubeparcel-killed-${process.pid}-${delay}`;
    const child = runner(name);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    await wait(delay);
    child.kill('SIGKILL');
    await child;
    if (moment === 'while it boots') expect(await traces(name)).not.toEqual([]);
    await engine.clean('dead-runs');
    expect(await traces(name)).toEqual([]);
    await wait(1500);
    expect(await traces(name)).toEqual([]);
  });

  test('are removed by clean, but not those of active runs', async () => {
    const name = `kubeparcel-killed-${process.pid}-exec`;
    const child = runner(name);
    await new Promise<void>((resolve) =>
      child.stdout.on('data', (text) => String(text).includes('booted') && resolve()),
    );
    expect(await engine.clean('dead-runs')).toEqual([]);
    expect(await traces(name)).not.toEqual([]);
    child.kill('SIGKILL');
    await child;
    expect(await engine.clean('dead-runs')).toEqual([name]);
    expect(await traces(name)).toEqual([]);
    expect(await engine.clean('dead-runs')).toEqual([]);
  });

  test('stay with the label keep until clean(over), and can be attached', async () => {
    const name = `kubeparcel-kept-${process.pid}`;
    const child = runner(name, 'keep');
    await new Promise<void>((resolve) =>
      child.stdout.on('data', (text) => String(text).includes('booted') && resolve()),
    );
    child.kill('SIGKILL');
    await child;
    expect(await engine.clean('dead-runs')).toEqual([]);
    const container = await engine.attach(name);
    expect(await output(container, 'uname -n')).toBe('node');
    const [program = '', ...parameters] = container.commandLine(['uname', '-n']);
    expect(execFileSync(program, parameters, { encoding: 'utf8' })).toBe('node\n');
    expect(await engine.clean('over')).toContain(name);
    expect(await traces(name)).toEqual([]);
    await expect(engine.attach(name)).rejects.toMatchObject({ kind: 'usage' });
  });

  test('do not exist after an aborted start; a start with a taken name does not remove the other container', async () => {
    const name = `kubeparcel-aborted-${process.pid}`;
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('enough')), 200);
    await expect(start({ name, init: 'systemd', signal: controller.signal })).rejects.toThrow('enough');
    await wait(1000);
    await engine.clean('dead-runs');
    expect(await traces(name)).toEqual([]);
    const first = await start();
    await expect(start({ name: first.name })).rejects.toMatchObject({ kind: 'io' });
    expect(await output(first, 'echo here')).toBe('here');
  });

  test('do not exist after a start with a missing image', async () => {
    const name = `kubeparcel-none-${process.pid}`;
    await expect(start({ name, image: 'localhost/kubeparcel/none:local' })).rejects.toMatchObject({ kind: 'io' });
    expect(await traces(name)).toEqual([]);
  });
});

function setting(name: string): string {
  return readFileSync(join('/proc/sys', name), 'utf8');
}
