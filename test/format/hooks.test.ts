import { createHash } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { outputFileSync } from 'fs-extra/esm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadCatalog } from '../../src/catalog/catalog.ts';
import { type Target, targets } from '../../src/catalog/targets.ts';
import { RESTARTS, type Restart } from '../../src/layout/compose-scripts.ts';
import { loadTemplates } from '../../src/layout/templates.ts';
import { type Format, SCRIPT_NAMES, type ScriptName } from '../../src/model/format.ts';
import type { Layout } from '../../src/model/layout.ts';
import { packageRoot } from '../../src/support/package-root.ts';
import { buildSample } from '../support/build-sample.ts';
import { composeCase } from '../support/compose.ts';
import { type HookHost, hookHost, hookText } from '../support/hooks.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { hasTool } from '../support/tools.ts';

const catalog = await loadCatalog();
const templates = await loadTemplates();

const SHELLS: readonly (readonly [tool: string, shell: readonly string[]])[] = [
  ['dash', ['/usr/bin/env', 'dash']],
  ['busybox', ['/usr/bin/env', 'busybox', 'sh']],
  ['bash', ['/usr/bin/env', 'bash', '--posix']],
];
const absolute = async (words: readonly string[]): Promise<string[]> => {
  const [, tool = '', ...rest] = words;
  return [(await execa('sh', ['-c', `command -v ${tool}`])).stdout, ...rest];
};

function family(format: Format): Target {
  const [target] = targets(catalog, { formats: [format] });
  if (target === undefined) throw new Error(`no target for ${format}`);
  return target;
}

function layoutOf(
  name: string,
  format: Format,
  change: { version?: string; restart?: Restart; kernel?: boolean } = {},
) {
  return composeCase({ catalog, templates, target: family(format), name, version: '1.36.4', ...change });
}

function everyLayout(): Layout[] {
  const all = [
    ...targets(catalog, {}),
    ...targets(catalog, { distributions: catalog.distributions.map(({ id }) => id) }),
  ];
  return all.flatMap((target) =>
    ['1.11.0', '1.20.2', '1.27.0', '1.28.0', '1.36.4', '1.37.0-rc.1'].flatMap((version) =>
      RESTARTS.flatMap((restart) =>
        catalog.packages.map(({ name }) =>
          composeCase({ catalog, templates, target, name, version, restart, kernel: restart === 'none' }),
        ),
      ),
    ),
  );
}

function everyHook(): Map<string, string> {
  const hooks = new Map<string, string>();
  for (const layout of everyLayout()) {
    for (const script of SCRIPT_NAMES[layout.format]) {
      if (layout.scripts[script] === undefined) continue;
      // Most of them differ only in versions.
      const version = `${layout.version.upstream}-${layout.version.revision}`;
      hooks.set(hookText(layout, script).replaceAll(version, '1.36.4-1'), `${layout.name}.${script}`);
    }
  }
  return hooks;
}

describe('all hooks of all packages, targets and versions', () => {
  function written(): string[] {
    const directory = temporaryDirectory();
    return [...everyHook()].map(([text, name], index) => {
      const path = join(directory, `${index}.${name}`);
      writeFileSync(path, text);
      return path;
    });
  }

  test.skipIf(!hasTool('shellcheck'))('pass shellcheck', async () => {
    const paths = written();
    expect(paths.length).toBeGreaterThan(20);
    const { all, exitCode } = await execa('shellcheck', ['--norc', '--shell=sh', '--format=gcc', ...paths], {
      reject: false,
      all: true,
    });
    expect({ all, exitCode }).toEqual({ all: '', exitCode: 0 });
  });

  for (const [tool, shell] of SHELLS) {
    test.skipIf(!hasTool(tool))(`are valid for ${tool}`, async () => {
      const words = await absolute(shell);
      const loop = 'for hook; do "$0" "$@" -n "$hook" || echo "$hook"; done';
      const each = loop.replace('"$0" "$@"', words.map((word) => `'${word}'`).join(' '));
      const { all } = await execa('sh', ['-c', each, 'sh', ...written()], { all: true });
      expect(all).toBe('');
    });
  }
});

/** Debian policy 6.5 to 6.8, and rpm-scriptlets(7): everything that a package manager may call a hook with. */
const DEB_CALLS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  preinst: [
    ['install'],
    ['install', '1.30.0-1', '1.36.4-1'],
    ['upgrade', '1.30.0-1', '1.36.4-1'],
    ['abort-upgrade', '1'],
  ],
  postinst: [
    ['configure'],
    ['configure', ''],
    ['configure', '1.30.0-1'],
    ['abort-upgrade', '1.37.0-1'],
    ['abort-remove'],
    ['abort-remove', 'in-favour', 'other', '1'],
    ['abort-deconfigure', 'in-favour', 'other', '1', 'removing', 'third', '2'],
  ],
  prerm: [
    ['remove'],
    ['remove', 'in-favour', 'other', '1'],
    ['upgrade', '1.37.0-1'],
    ['failed-upgrade', '1.30.0-1', '1.36.4-1'],
    ['deconfigure', 'in-favour', 'other', '1', 'removing', 'third', '2'],
  ],
  postrm: [
    ['remove'],
    ['purge'],
    ['upgrade', '1.37.0-1'],
    ['disappear', 'other', '1'],
    ['failed-upgrade', '1.30.0-1', '1.36.4-1'],
    ['abort-install'],
    ['abort-install', '1.30.0-1', '1.36.4-1'],
    ['abort-upgrade', '1.30.0-1', '1.36.4-1'],
  ],
};
const RPM_CALLS: readonly (readonly string[])[] = [['0'], ['1'], ['2'], []];

function callsOf(format: Format, script: ScriptName): readonly (readonly string[])[] {
  return format === 'deb' ? (DEB_CALLS[script] ?? []) : RPM_CALLS;
}

const STATE: Readonly<Record<string, string>> = {
  '/etc/default/kubelet': 'KUBELET_EXTRA_ARGS=--v=2\n',
  '/etc/sysconfig/kubelet': 'KUBELET_EXTRA_ARGS=--v=2\n',
  '/etc/kubernetes/pki/ca.key': 'secret',
  '/etc/kubernetes/kubelet.conf': 'identity',
  '/etc/kubernetes/manifests/etcd.yaml': 'pod',
  '/var/lib/kubelet/config.yaml': 'config',
  '/var/lib/kubelet/kubeadm-flags.env': 'KUBELET_KUBEADM_ARGS=""\n',
  '/var/lib/kubelet/pods/a/b': 'state',
};

function put(host: HookHost, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) host.put(path, text);
}

function expectKept(host: HookHost): void {
  for (const [path, text] of Object.entries(STATE)) expect(host.text(path), path).toBe(text);
}

const SERVICE_MANAGER = /^(systemctl|systemd-|deb-systemd-invoke)/;

/** Every hook that a package of the family has. */
const HOOKS = (['deb', 'rpm'] as const).flatMap((format) =>
  catalog.packages.flatMap(({ name }) =>
    SCRIPT_NAMES[format]
      .filter((script) => layoutOf(name, format).scripts[script] !== undefined)
      .map((script) => ({ format, name, script })),
  ),
);

test('every hook template is in a package', () => {
  const shipped = HOOKS.map(({ format, name, script }) => `${format}/${name}.${script}.ejs`);
  const written = (['deb', 'rpm'] as const).flatMap((format) =>
    readdirSync(join(packageRoot(), 'templates', 'hooks', format))
      .filter((file) => file.split('.').length === 3)
      .map((file) => `${format}/${file}`),
  );
  expect(shipped.sort()).toEqual(written.sort());
});

describe.each(HOOKS)('$format $name $script', ({ format, name, script }) => {
  const FAILING = ['1 *systemctl*', '1 *systemd-*', '1 *kubelet-confgen*'];
  const layout = layoutOf(name, format);

  for (const [tool, shell] of SHELLS) {
    test.skipIf(!hasTool(tool))(
      `succeeds with any arguments and any failing command, and changes no state (${tool})`,
      async () => {
        const words = await absolute(shell);
        for (const args of callsOf(format, script)) {
          for (const answers of tool === 'dash' ? [[], FAILING] : [FAILING]) {
            const host = hookHost();
            put(host, STATE);
            host.put('/run/systemd/system/x', '');
            host.put('/usr/lib/systemd/systemd-update-helper');
            host.put('/usr/libexec/kubernetes/kubelet-confgen');
            const { status, output } = await host.run(layout, script, args, { shell: words, answers });
            expect({ args, answers, status, output }).toEqual({ args, answers, status: 0, output: expect.any(String) });
            expectKept(host);
          }
        }
      },
    );
  }

  test('without systemd: prints nothing and does not call the service manager', async () => {
    for (const args of callsOf(format, script)) {
      for (const helpers of [[], ['systemctl', 'deb-systemd-helper', 'deb-systemd-invoke']]) {
        const host = hookHost([...helpers, 'dpkg-maintscript-helper']);
        put(host, STATE);
        host.put('/etc/systemd/system/kubelet.service.d/10-kubeadm.conf', '# mine\n');
        const { status, output, calls } = await host.run(layout, script, args);
        expect({ args, status, output }).toEqual({ args, status: 0, output: '' });
        // Enabling creates links, also in images.
        expect(calls.filter((call) => SERVICE_MANAGER.test(call) && !/ (preset|disable) /.test(call))).toEqual([]);
        expectKept(host);
      }
    }
  });
});

describe.each(HOOKS.filter(({ format }) => format === 'deb'))('$format $name $script', ({ format, name, script }) => {
  const layout = layoutOf(name, format);

  test('with --force-script-chrootless: does not call the service manager of the running system', async () => {
    for (const args of callsOf(format, script)) {
      const host = hookHost();
      put(host, STATE);
      host.put('/run/systemd/system/x', '');
      const { status, output, calls } = await host.run(layout, script, args, { chrootless: true });
      expect({ args, status, output }).toEqual({ args, status: 0, output: '' });
      expect(calls.filter((call) => SERVICE_MANAGER.test(call))).toEqual([]);
      expectKept(host);
    }
  });

  test('fails with an unknown argument', async () => {
    const { status, output } = await hookHost().run(layout, script, ['explode']);
    expect({ status, output }).toEqual({
      status: 1,
      output: `${name}: ${script} called with unknown argument: explode`,
    });
  });
});

const ON_SYSTEMD: Readonly<Record<string, string>> = { '/run/systemd/system/x': '' };
const CONFIGURED: Readonly<Record<string, string>> = { ...ON_SYSTEMD, '/var/lib/kubelet/config.yaml': '' };
const RELOAD = 'systemctl --system daemon-reload';
const ACTIVE = 'systemctl --quiet is-active kubelet.service';
const UNMASK = 'deb-systemd-helper unmask kubelet.service';
const INSTALLED = 'deb-systemd-helper --quiet debian-installed kubelet.service';
const WAS_ENABLED = 'deb-systemd-helper --quiet was-enabled kubelet.service';
const ENABLE = 'deb-systemd-helper enable kubelet.service';
const UPDATE_STATE = 'deb-systemd-helper update-state kubelet.service';

interface Row {
  readonly what: string;
  readonly package?: string;
  readonly call: readonly [script: ScriptName, ...args: string[]];
  readonly files?: Readonly<Record<string, string>>;
  readonly answers?: readonly string[];
  readonly calls: readonly string[];
  readonly output?: string;
}

describe('calls of systemd by hooks', () => {
  const deb: readonly Row[] = [
    {
      what: 'installed: enabled, not started before it is configured',
      call: ['postinst', 'configure'],
      files: ON_SYSTEMD,
      calls: [UNMASK, WAS_ENABLED, ENABLE, RELOAD],
    },
    {
      what: 'installed on a node that is configured: started, unless policy-rc.d says no',
      call: ['postinst', 'configure'],
      files: CONFIGURED,
      calls: [UNMASK, WAS_ENABLED, ENABLE, RELOAD, 'deb-systemd-invoke start kubelet.service'],
    },
    {
      what: 'upgraded and disabled by an administrator: stays disabled',
      call: ['postinst', 'configure', '1.35.0-1'],
      files: CONFIGURED,
      answers: ['1 *was-enabled*', '3 *is-active*'],
      calls: [UNMASK, INSTALLED, WAS_ENABLED, UPDATE_STATE, RELOAD, ACTIVE],
    },
    {
      what: 'upgraded from a package without a record, disabled: stays disabled',
      call: ['postinst', 'configure', '1.35.0-1'],
      files: CONFIGURED,
      answers: ['1 *debian-installed*', '1 *is-enabled*', '3 *is-active*'],
      calls: [UNMASK, INSTALLED, 'deb-systemd-helper --quiet is-enabled kubelet.service', UPDATE_STATE, RELOAD, ACTIVE],
    },
    {
      what: 'upgraded while it runs: not restarted, which is said in one line',
      call: ['postinst', 'configure', '1.35.0-1'],
      files: CONFIGURED,
      calls: [UNMASK, INSTALLED, WAS_ENABLED, ENABLE, RELOAD, ACTIVE],
      output:
        'kubelet: upgraded to 1.36.4-1; the running kubelet was not restarted; run "systemctl restart kubelet" (with kubeadm, after "kubeadm upgrade")',
    },
    {
      what: 'removed: stopped',
      call: ['prerm', 'remove'],
      files: ON_SYSTEMD,
      calls: ['deb-systemd-invoke stop kubelet.service'],
    },
    { what: 'about to be upgraded: not stopped', call: ['prerm', 'upgrade', '1.37.0-1'], files: ON_SYSTEMD, calls: [] },
    { what: 'is gone', call: ['postrm', 'remove'], files: ON_SYSTEMD, calls: [RELOAD] },
    {
      what: 'not removed after all: started again',
      call: ['postinst', 'abort-remove'],
      files: CONFIGURED,
      calls: [UNMASK, WAS_ENABLED, ENABLE, RELOAD, 'deb-systemd-invoke start kubelet.service'],
    },
    {
      what: 'purged',
      call: ['postrm', 'purge'],
      files: ON_SYSTEMD,
      calls: ['deb-systemd-helper purge kubelet.service', UNMASK],
    },
    {
      what: 'kubeadm installed: its drop-in is read',
      package: 'kubeadm',
      call: ['postinst', 'configure'],
      files: ON_SYSTEMD,
      answers: ['3 *is-active*'],
      calls: [expect.stringContaining('dpkg-maintscript-helper rm_conffile') as string, RELOAD, ACTIVE],
    },
  ];
  const helper = 'systemd-update-helper';
  const rpm: readonly Row[] = [
    {
      what: 'installed: presets decide',
      call: ['post', '1'],
      files: ON_SYSTEMD,
      calls: ['systemctl --no-reload preset kubelet.service', RELOAD],
    },
    {
      what: 'installed in an image: presets decide',
      call: ['post', '1'],
      calls: ['systemctl --no-reload preset kubelet.service'],
    },
    { what: 'upgraded: presets do not count', call: ['post', '2'], files: ON_SYSTEMD, calls: [RELOAD] },
    {
      what: 'removed: disabled and stopped',
      call: ['preun', '0'],
      files: ON_SYSTEMD,
      calls: ['systemctl --no-reload disable --now kubelet.service'],
    },
    { what: 'replaced by a newer one: runs on', call: ['preun', '1'], files: ON_SYSTEMD, calls: [] },
    { what: 'is gone', call: ['postun', '0'], files: ON_SYSTEMD, calls: [RELOAD] },
    { what: 'first installation over: nothing to say', call: ['posttrans', '1'], files: ON_SYSTEMD, calls: [] },
    {
      what: 'upgrade over: not restarted, which is said in one line',
      call: ['posttrans', '1'],
      files: { ...ON_SYSTEMD, '/run/kubelet-upgraded': '' },
      calls: [RELOAD, ACTIVE],
      output:
        'kubelet: upgraded to 1.36.4-1; the running kubelet was not restarted; run "systemctl restart kubelet" (with kubeadm, after "kubeadm upgrade")',
    },
    { what: 'kubeadm removed', package: 'kubeadm', call: ['postun', '0'], files: ON_SYSTEMD, calls: [RELOAD] },
  ];

  test.each(deb)('DEB: $what', (row) => check('deb', row));
  test.each(rpm)('RPM: $what', (row) => check('rpm', row));

  async function check(format: Format, row: Row): Promise<void> {
    const host = hookHost();
    put(host, row.files ?? {});
    const [script, ...args] = row.call;
    const answers = row.answers ?? [];
    const run = await host.run(layoutOf(row.package ?? 'kubelet', format), script, args, { answers });
    expect(run).toEqual({ status: 0, calls: row.calls, output: row.output ?? '' });
  }

  test.each([
    ['post', '1', 'install-system-units'],
    ['preun', '0', 'remove-system-units'],
  ] as const)("RPM: %s %s goes by systemd's own helper where there is one", async (script, count, word) => {
    const host = hookHost();
    host.put(`/usr/lib/systemd/${helper}`);
    const { calls } = await host.run(layoutOf('kubelet', 'rpm'), script, [count]);
    expect(calls).toEqual([`${helper} ${word} kubelet.service`]);
  });

  test('RPM: an upgrade leaves a marker for the end of the transaction, which removes it', async () => {
    const host = hookHost();
    put(host, ON_SYSTEMD);
    const layout = layoutOf('kubelet', 'rpm');
    await host.run(layout, 'post', ['2']);
    expect(host.has('/run/kubelet-upgraded')).toBe(true);
    expect((await host.run(layout, 'posttrans', ['1'])).output).toContain('was not restarted');
    expect(host.has('/run/kubelet-upgraded')).toBe(false);
  });
});

describe.each(['deb', 'rpm'] as const)('restart in a %s', (format) => {
  const [script, args] = { deb: ['postinst', ['configure', '1.35.0-1']], rpm: ['posttrans', ['1']] }[format] as [
    ScriptName,
    string[],
  ];
  async function upgrade(restart: Restart, answers: readonly string[] = []) {
    const host = hookHost();
    put(host, { ...CONFIGURED, '/run/kubelet-upgraded': '' });
    const run = await host.run(layoutOf('kubelet', format, { restart }), script, args, { answers });
    return { host, ...run, restarts: run.calls.filter((call) => /start kubelet/.test(call)) };
  }

  test('none: the kubelet is not restarted', async () => {
    const { restarts, host } = await upgrade('none');
    expect(restarts).toEqual([]);
    expect(host.has('/run/kubelet-needs-restart')).toBe(false);
  });

  test('try-restart: a running kubelet is restarted if the policy of the host allows it', async () => {
    const { restarts, output } = await upgrade('try-restart');
    expect(restarts).toEqual([`${format === 'deb' ? 'deb-systemd-invoke' : 'systemctl'} try-restart kubelet.service`]);
    // The helper in this test restarts nothing, so the hook must not report a restart.
    expect(output).toContain('could not be restarted');
  });

  test('needs-restart: the marker is written and reported', async () => {
    const { host, restarts, output } = await upgrade('needs-restart');
    expect(restarts).toEqual([]);
    expect(host.text('/run/kubelet-needs-restart')).toBe('kubelet 1.36.4-1\n');
    expect(output.split('\n')).toEqual([expect.stringContaining('/run/kubelet-needs-restart')]);
  });

  test.each(RESTARTS)('%s: a stopped kubelet is neither started nor mentioned', async (restart) => {
    const { restarts, output, host } = await upgrade(restart, ['3 *is-active*']);
    expect({ restarts, output }).toEqual({ restarts: [], output: '' });
    expect(host.has('/run/kubelet-needs-restart')).toBe(false);
  });
});

describe.each(['deb', 'rpm'] as const)('the generator in a %s', (format) => {
  const script = ({ deb: 'postinst', rpm: 'post' } as const)[format];
  const args = ({ deb: ['configure'], rpm: ['1'] } as const)[format];
  const gone = ({ deb: ['postrm', 'purge'], rpm: ['postun', '0'] } as const)[format];
  const drop = '/etc/kubernetes/kubelet.conf.d/00-kubelet-confgen.conf';
  const generated = 'kind: KubeletConfiguration\n';
  const digest = 'f6a3fa8bd7c78e6c4ecbe8c7b8ef58c5d1a6b5a1';

  test.each([
    ['kubelet', 'apply'],
    ['cri-tools', 'crictl'],
  ])('%s runs it, and goes on when it fails', async (name, word) => {
    const host = hookHost();
    host.put('/usr/libexec/kubernetes/kubelet-confgen');
    const { status, calls } = await host.run(layoutOf(name, format), script, args, { answers: ['1 *confgen*'] });
    expect(status).toBe(0);
    expect(calls).toContain(`kubelet-confgen ${word} --quiet --root=`);
  });

  test('the kubelet writes crictl.yaml if cri-tools was installed before the generator', async () => {
    const host = hookHost();
    host.put('/usr/libexec/kubernetes/kubelet-confgen');
    const alone = await host.run(layoutOf('kubelet', format), script, args);
    host.put('/usr/bin/crictl');
    const both = await host.run(layoutOf('kubelet', format), script, args);
    const asked = ({ calls }: { calls: readonly string[] }) =>
      calls.filter((call) => call.startsWith('kubelet-confgen'));
    expect(asked(alone)).toEqual(['kubelet-confgen apply --quiet --root=']);
    expect(asked(both)).toEqual(['kubelet-confgen apply --quiet --root=', 'kubelet-confgen crictl --quiet --root=']);
  });

  async function purge(record: string, text = generated) {
    const host = hookHost();
    put(host, { ...STATE, [drop]: text, '/etc/kubernetes/kubelet.conf.d/90-mine.conf': 'mine' });
    host.put('/var/lib/kubelet-confgen/state.json', record);
    const [hook, ...words] = gone;
    expect(await host.run(layoutOf('kubelet', format), hook, words)).toMatchObject({ status: 0, output: '' });
    expectKept(host);
    expect(host.has('/var/lib/kubelet-confgen')).toBe(false);
    expect(host.has('/etc/kubernetes/kubelet.conf.d/90-mine.conf')).toBe(true);
    return host.has(drop);
  }

  test('its files are removed with the package, except edited files and all others', async () => {
    const sum = createHash('sha256').update(generated).digest('hex');
    expect(await purge(`${sum}  ${drop}\n`)).toBe(false);
    expect(await purge(`{"files":{"${drop}":"${sum}"}}`)).toBe(false);
    expect(await purge(`${sum}  ${drop}\n`, `${generated}# mine\n`)).toBe(true);
    expect(await purge(`${digest}  ${drop}\n`)).toBe(true);
  });

  test('its directories are removed only if they are empty', async () => {
    const host = hookHost();
    put(host, { [drop]: generated, '/var/lib/kubelet-confgen/kubelet.env': '# mine\n' });
    host.put('/var/lib/kubelet-confgen/state.json', `"${createHash('sha256').update(generated).digest('hex')}"`);
    const [hook, ...words] = gone;
    await host.run(layoutOf('kubelet', format), hook, words);
    expect(host.has('/etc/kubernetes/kubelet.conf.d')).toBe(false);
    expect(host.has('/var/lib/kubelet-confgen/state.json')).toBe(false);
    expect(host.text('/var/lib/kubelet-confgen/kubelet.env')).toBe('# mine\n');
  });

  test.each([
    ['the kubelet', ['kubelet', 'cri-tools']],
    ['cri-tools', ['cri-tools', 'kubelet']],
  ])('%s goes first: what it wrote goes with either, and the record with the last', async (_, names) => {
    const host = hookHost();
    const crictl = '/etc/crictl.yaml';
    const state = '/var/lib/kubelet-confgen/state.json';
    put(host, { [drop]: generated, [crictl]: 'runtime-endpoint: x\n' });
    const sums = [drop, crictl].map((path) => createHash('sha256').update(host.text(path)).digest('hex'));
    host.put(state, `${sums.join('\n')}\n`);
    const [hook, ...words] = gone;
    const left: boolean[][] = [];
    for (const name of names) {
      await host.run(layoutOf(name, format), hook, words);
      left.push([host.has(drop), host.has(crictl), host.has(state)]);
    }
    expect(left).toEqual([[names[0] !== 'kubelet', names[0] !== 'cri-tools', true], Array(3).fill(false)]);
    expect([host.has('/etc/kubernetes'), host.has('/var/lib/kubelet-confgen')]).toEqual([false, false]);
  });

  test('the record is kept when cri-tools is removed and the kubelet stays', async () => {
    const host = hookHost();
    host.put('/usr/libexec/kubernetes/kubelet-confgen');
    host.put('/var/lib/kubelet-confgen/state.json', '{}');
    const [hook, ...words] = gone;
    await host.run(layoutOf('cri-tools', format), hook, words);
    expect(host.has('/var/lib/kubelet-confgen/state.json')).toBe(true);
  });

  test('an upgrade removes none of its files', async () => {
    const host = hookHost();
    put(host, { [drop]: generated, '/var/lib/kubelet-confgen/state.json': '' });
    const [hook, words] = format === 'deb' ? (['postrm', ['upgrade', '2']] as const) : (['postun', ['1']] as const);
    await host.run(layoutOf('kubelet', format), hook, words);
    expect([host.has(drop), host.has('/var/lib/kubelet-confgen')]).toEqual([true, true]);
  });
});

describe.each(['deb', 'rpm'] as const)('the drop-in of a %s of kubeadm', (format) => {
  const stale = '/etc/systemd/system/kubelet.service.d/10-kubeadm.conf';
  const [script, args] = ({ deb: ['postinst', ['configure', '1.27.0-00']], rpm: ['posttrans', ['1']] } as const)[
    format
  ];

  function former(): string {
    const entry = layoutOf('kubeadm', 'deb', { version: '1.20.2' }).entries.find(({ path }) => path === stale);
    if (entry?.kind !== 'file' || entry.content.kind !== 'memory') throw new Error(`no ${stale}`);
    return new TextDecoder().decode(entry.content.bytes);
  }

  test('an earlier drop-in that overrides it is removed if a package shipped exactly this file', async () => {
    const host = hookHost();
    put(host, { ...ON_SYSTEMD, [stale]: former() });
    const { output } = await host.run(layoutOf('kubeadm', format), script, args);
    expect(output).toMatch(/^kubeadm: removed .*10-kubeadm\.conf/);
    expect(host.has('/etc/systemd/system/kubelet.service.d')).toBe(false);
  });

  test('an edited drop-in is kept and reported', async () => {
    const host = hookHost();
    put(host, { ...ON_SYSTEMD, [stale]: `${former()}# mine\n` });
    const { output } = await host.run(layoutOf('kubeadm', format), script, args);
    expect(output).toContain(`${stale} overrides /usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf`);
    expect(host.has(stale)).toBe(true);
  });

  test('a disabled drop-in stays disabled, without a message', async () => {
    const host = hookHost();
    put(host, { ...ON_SYSTEMD, '/etc/systemd/system/kubelet.service.d/20-mine.conf': '' });
    symlinkSync('/dev/null', join(host.root, stale));
    expect((await host.run(layoutOf('kubeadm', format), script, args)).output).toBe('');
    expect(host.has(stale)).toBe(true);
  });

  const first = ({ deb: ['postinst', 'configure'], rpm: ['post', '1'] } as const)[format];
  test.each([
    ['a kubelet that runs without kubeadm is spoken of, not restarted', {}, [], true],
    ['one with an identity from kubeadm is not', { '/etc/kubernetes/kubelet.conf': '' }, [], false],
    ['one that is joining is not', { '/etc/kubernetes/bootstrap-kubelet.conf': '' }, [], false],
    ["one with kubeadm's flags is not", { '/var/lib/kubelet/kubeadm-flags.env': '' }, [], false],
    ['one that does not run is not', {}, ['3 *is-active*'], false],
  ] as const)('%s', async (_, files, answers, said) => {
    const host = hookHost();
    put(host, { ...ON_SYSTEMD, ...files });
    const [hook, ...words] = first;
    const { output, calls } = await host.run(layoutOf('kubeadm', format), hook, words, { answers });
    expect(output.includes('was not set up by kubeadm')).toBe(said);
    expect(calls.filter((call) => /start/.test(call))).toEqual([]);
  });
});

describe.skipIf(!['dpkg', 'deb-systemd-helper', 'fakeroot'].every(hasTool))('with dpkg itself', () => {
  const directory = mkdtempSync(join(tmpdir(), 'kubeparcel-dpkg-'));
  const root = join(directory, 'root');
  const stale = '/etc/systemd/system/kubelet.service.d/10-kubeadm.conf';
  const link = '/etc/systemd/system/multi-user.target.wants/kubelet.service';
  const built = new Map<string, string>();

  beforeAll(async () => {
    for (const version of ['1.20.2', '1.36.4', '1.37.0']) {
      for (const { layout, path } of await buildSample(directory, { version, formats: ['deb'] })) {
        built.set(`${layout.name} ${version}`, path);
      }
    }
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  beforeEach(() => {
    rmSync(root, { recursive: true, force: true });
    for (const each of ['info', 'updates', 'triggers'])
      mkdirSync(join(root, 'var/lib/dpkg', each), { recursive: true });
    writeFileSync(join(root, 'var/lib/dpkg/status'), '');
  });

  /** Scripts run on this machine for that root, without a chroot or an emulator. */
  async function dpkg(...words: string[]): Promise<string> {
    const force = '--force-script-chrootless,not-root,depends,architecture,confold,bad-path';
    const args = [`--root=${root}`, force, ...words];
    // dpkg makes root the owner of files.
    const [program, ...first] = process.getuid?.() === 0 ? ['dpkg'] : ['fakeroot', 'dpkg'];
    return (await execa(program, [...first, ...args], { all: true, stdin: 'ignore', env: { LC_ALL: 'C' } })).all;
  }
  const install = (version: string, ...names: string[]) =>
    dpkg('--install', ...names.map((name) => built.get(`${name} ${version}`) ?? ''));
  const at = (path: string) => join(root, path);
  const there = (path: string) => lstatSync(at(path), { throwIfNoEntry: false }) !== undefined;

  test('an upgrade keeps the env file and the node and removes an earlier drop-in; a purge keeps the files of the node', async () => {
    await install('1.20.2', 'kubelet', 'kubeadm');
    expect([there(stale), there(link)]).toEqual([true, true]);
    for (const [path, text] of Object.entries(STATE)) {
      outputFileSync(at(path), text);
    }
    await install('1.36.4', 'kubelet', 'kubeadm');
    expect([there(stale), there(link)]).toEqual([false, true]);
    // dpkg must forget the conffile, or it would ask about it at the next installation.
    expect(readFileSync(at('/var/lib/dpkg/status'), 'utf8')).not.toContain('10-kubeadm.conf');
    for (const [path, text] of Object.entries(STATE)) expect(readFileSync(at(path), 'utf8'), path).toBe(text);

    await dpkg('--remove', 'kubeadm', 'kubelet');
    await dpkg('--purge', 'kubeadm', 'kubelet');
    expect(there(link)).toBe(false);
    expect(there('/var/lib/systemd/deb-systemd-helper-enabled')).toBe(false);
    // The env file is a conffile of the package.
    const { '/etc/default/kubelet': _, ...node } = STATE;
    for (const [path, text] of Object.entries(node)) expect(readFileSync(at(path), 'utf8'), path).toBe(text);
  });

  test('an edited drop-in survives the upgrade at its path', async () => {
    await install('1.20.2', 'kubeadm');
    writeFileSync(at(stale), '# mine\n');
    await install('1.36.4', 'kubeadm');
    expect(readFileSync(at(stale), 'utf8')).toBe('# mine\n');
    expect(there(`${stale}.dpkg-bak`)).toBe(false);
  });

  test('a disabled unit stays disabled after an upgrade and a removal', async () => {
    await install('1.36.4', 'kubelet');
    unlinkSync(at(link));
    await install('1.37.0', 'kubelet');
    expect(there(link)).toBe(false);
    await dpkg('--remove', 'kubelet');
    await install('1.37.0', 'kubelet');
    expect(there(link)).toBe(false);
  });

  test('a masked unit stays masked after an upgrade', async () => {
    await install('1.36.4', 'kubelet');
    symlinkSync('/dev/null', at('/etc/systemd/system/kubelet.service'));
    await install('1.37.0', 'kubelet');
    expect(readlinkSync(at('/etc/systemd/system/kubelet.service'))).toBe('/dev/null');
  });

  test('an upgrade from a package without a record enables nothing', async () => {
    await install('1.36.4', 'kubelet');
    rmSync(at('/var/lib/systemd/deb-systemd-helper-enabled'), { recursive: true });
    unlinkSync(at(link));
    await install('1.37.0', 'kubelet');
    expect(there(link)).toBe(false);
  });
});
