import { beforeAll, describe, expect, test } from 'vitest';
import { loadCatalog } from '../../../src/catalog/catalog.ts';
import type { Catalog } from '../../../src/catalog/model.ts';
import { matchesGlob } from '../../../src/scenario/model/glob.ts';
import { parseScenario } from '../../../src/scenario/model/load.ts';
import { compareText } from '../../../src/scenario/model/text.ts';
import { probeFor } from '../../../src/scenario/probes/probe-for.ts';
import { compareRecords } from '../../../src/scenario/probes/snapshot.ts';
import { shellWords } from '../../../src/support/shell-words.ts';

let catalog: Catalog;
beforeAll(async () => {
  catalog = await loadCatalog();
});

/** Findings of a check for what its commands answered, as `what: expected / found` where they are wrong. */
function wrong(
  check: string,
  answers: readonly { status?: number; stdout?: string; stderr?: string }[],
  id = 'debian-12',
) {
  const [step] = parseScenario(`title: t\ngroup: install\nwhy: w\nsteps:\n  - ${check}\n`, 't', 't').steps;
  const distribution = catalog.distributions.find((each) => each.id === id);
  if (step?.kind !== 'check' || distribution === undefined) throw new Error('no check');
  const host = { id, image: '', manager: 'apt', program: 'apt', distribution, architecture: 'amd64' } as const;
  const look = probeFor(step.check, {
    host,
    names: (names) => (names === 'all' ? ['kubelet', 'kubectl'] : names),
    versionIn: (set) => (set === 'current' ? '1.37.0-1' : '1.36.0-1'),
    processes: new Map([['before', '100 5000']]),
    without: [],
  });
  expect(look.commands).toHaveLength(answers.length);
  const findings = look.evaluate(answers.map((one) => ({ status: 0, stdout: '', stderr: '', ...one })));
  expect(findings.length).toBeGreaterThan(0);
  return findings.filter(({ ok }) => !ok).map(({ what, expected, found }) => `${what}: ${expected} / ${found}`);
}

const PROCESS = '100 5000\n/usr/bin/kubelet\n/bin/sh\0/usr/bin/kubelet\0--a=b c\0--v=2\0\n\0HOME=/root\0EXTRA=a=b\0';

describe('findings of checks from command results', () => {
  test.each<[check: string, answers: { status?: number; stdout?: string; stderr?: string }[], expected: string[]]>([
    ['file: /x', [{ stdout: 'regular file|644|root:root\n' }], []],
    ['file: /x', [{ status: 1 }], ['/x: present / absent']],
    [
      '{ file: /x, exists: false }',
      [{ stdout: 'directory|755|root:root\n' }],
      ['/x: absent / directory, 0755, root:root'],
    ],
    [
      "{ file: /x, mode: '644', owner: 'root:root', type: file }",
      [{ stdout: 'regular empty file|600|root:adm\n' }],
      ['mode of /x: 0644 / 0600', 'owner of /x: root:root / root:adm'],
    ],
    [
      '{ file: /x, target: /y }',
      [{ stdout: 'symbolic link|777|root:root\n' }, { stdout: '/z\n' }],
      ['target of /x: /y / /z'],
    ],
    [
      '{ file: /x, text: { lacks: b } }',
      [{ stdout: 'regular file|644|root:root\n' }, { stdout: 'abc' }],
      ['text of /x: lacks "b" / abc'],
    ],
    [
      '{ unit: kubelet, active: active }',
      [{ stdout: 'ActiveState=failed\nSubState=failed\nResult=exit-code\n' }],
      ['state of kubelet.service: active / failed (failed, exit-code)'],
    ],
    [
      '{ unit: kubelet, enabled: disabled }',
      [{}, { status: 1, stdout: 'enabled\n' }],
      ['kubelet.service enabled: disabled / enabled'],
    ],
    ['{ unit: kubelet, enabled: not-found }', [{}, { status: 1 }], []],
    [
      '{ unit: kubelet, drop-ins: [/a, /b] }',
      [{ stdout: 'DropInPaths=/b /a\n' }],
      ['drop-ins of kubelet.service: /a\n/b / /b\n/a'],
    ],
    [
      '{ unit: kubelet, needs-reload: false }',
      [{ stdout: 'NeedDaemonReload=yes\n' }],
      ['kubelet.service needs daemon-reload: no / yes'],
    ],
    ['{ process: kubelet, arguments: [/usr/bin/kubelet, --a=b c, --v=2] }', [{ stdout: PROCESS }], []],
    ['{ process: kubelet, arguments-end: [--v=2] }', [{ stdout: PROCESS }], []],
    [
      '{ process: kubelet, arguments-end: [--v=3] }',
      [{ stdout: PROCESS }],
      ['last arguments of kubelet.service: "--v=3" / "--v=2"'],
    ],
    [
      '{ process: kubelet, environment: { EXTRA: a=b, HOME: null } }',
      [{ stdout: PROCESS }],
      ['HOME in the environment of kubelet.service: absent / /root'],
    ],
    ['{ process: kubelet, same-as: before }', [{ stdout: PROCESS }], []],
    [
      '{ process: kubelet, restarted-since: before }',
      [{ stdout: PROCESS }],
      ['main process of kubelet.service: different from before (PID 100) / PID 100'],
    ],
    [
      '{ process: kubelet, restarted-since: never }',
      [{ stdout: PROCESS }],
      ['main process of kubelet.service: different from never / no process was recorded as never'],
    ],
    [
      'process: kubelet',
      [{ status: 3, stderr: 'no main process: failed\n' }],
      ['main process of kubelet.service: a running process / no main process: failed'],
    ],
    ['{ package: kubelet, from: current }', [{ stdout: 'ii |1.37.0-1\n' }], []],
    [
      '{ package: kubelet, from: previous-minor }',
      [{ stdout: 'ii |1.37.0-1\n' }],
      ['version of kubelet: 1.36.0-1 / 1.37.0-1'],
    ],
    ['{ package: kubelet, installed: false, state: rc }', [{ stdout: 'rc |1.37.0-1\n' }], []],
    ['{ package: kubelet, installed: false }', [{ status: 1 }], []],
    ['package: kubelet', [{ stdout: 'iF |1.37.0-1\n' }], ['kubelet: installed / not installed (iF)']],
    [
      'consistent: all',
      [{}, {}, { status: 1, stdout: '??5?????? c /etc/default/kubelet\nmissing     /usr/share/doc/kubelet/x\n' }],
      [],
    ],
    [
      'consistent: all',
      [
        { stdout: 'half-configured: kubelet\n' },
        { status: 100, stderr: 'E: Unmet dependencies' },
        { stdout: '??5??????   /usr/bin/kubelet\n' },
      ],
      [
        'dpkg --audit: no complaint / half-configured: kubelet',
        'apt-get --quiet: no complaint / E: Unmet dependencies',
        'dpkg --verify: no complaint / ??5??????   /usr/bin/kubelet',
      ],
    ],
    ['{ command: [x], status: 1, stdout: a }', [{ status: 1, stdout: 'a\n' }], []],
    ['command: [x]', [{ status: 127, stderr: 'x: not found\n' }], ['status: 0 / 127\nx: not found']],
    ['{ journal: kubelet, text: { matches: "^b$" } }', [{ stdout: 'a\nb\nc\n' }], []],
    ['same-files: s', [{}], []],
    [
      'same-files: s',
      [{ status: 2, stderr: 'cd: /run/kubeparcel/s' }],
      ['files since s: a snapshot s / cd: /run/kubeparcel/s'],
    ],
    [
      '{ same-files: s, but: ["/etc/*"] }',
      [{ stdout: '/etc/a/b\tf 644 root:root 1\0\t/etc/c\tf 644 root:root 1\0' }],
      ['/etc/a/b: f 644 root:root 1 / absent'],
    ],
  ])('%s', (check, answers, expected) => {
    expect(wrong(check, answers)).toEqual(expected);
  });

  test('on rpm hosts, rpm is used, and configuration files may differ', () => {
    expect(wrong('{ package: kubelet, version: 1.37.0-1 }', [{ stdout: '1.37.0-1\n' }], 'el-9')).toEqual([]);
    expect(wrong('package: kubelet', [{ status: 1, stdout: 'package kubelet not installed\n' }], 'el-9')).toEqual([
      'kubelet: installed / not installed',
    ]);
    const verified =
      'S.5....T.  c /etc/sysconfig/kubelet\nUnsatisfied dependencies for kubelet-1.37.0-1.x86_64:\n\tiptables is needed\n';
    expect(wrong('consistent: kubelet', [{ status: 1, stdout: verified }], 'el-9')).toEqual([
      'rpm --verify: no complaint / Unsatisfied dependencies for kubelet-1.37.0-1.x86_64:\n\tiptables is needed',
    ]);
  });
});

test('old and new record of a changed file are found', () => {
  const hash = (digit: string) => digit.repeat(64);
  const output = `/a\tf 644 root:root 1\0\t/a\tf 600 root:root 1\0${hash('0')}  /b c\0\t${hash('1')}  /b c\0`;
  expect(compareRecords(output)).toEqual([
    { path: '/a', before: 'f 644 root:root 1', after: 'f 600 root:root 1' },
    { path: '/b c', before: 'sha256 0000000000000000', after: 'sha256 1111111111111111' },
  ]);
});

test.each([
  ['/etc/*', '/etc/a', true],
  ['/etc/*', '/etc/a/b', false],
  ['/etc/**', '/etc/a/b', true],
  ['/etc/**', '/etc', true],
  ['/etc/**', '/etcetera', false],
  ['/**/x.conf', '/etc/a/x.conf', true],
  ['/a.b', '/a-b', false],
  ['/a?(1)', '/ab(1)', true],
])('the glob %s and the path %s: %s', (glob, path, expected) => {
  expect(matchesGlob(glob, path)).toBe(expected);
});

test('a text is compared with every expectation', () => {
  expect(compareText('x', { equals: 'a\n' }, 'a')).toMatchObject([{ ok: true }]);
  const findings = compareText('x', { contains: ['a', 'b'], lacks: ['c'], matches: ['^b'] }, 'a c');
  expect(findings.map(({ ok }) => ok)).toEqual([true, false, false, false]);
});

test('a command is quoted for a shell', () => {
  expect(shellWords(['a', 'b c', "d'e", '', '$x'])).toBe(`a 'b c' 'd'\\''e' '' '$x'`);
});
