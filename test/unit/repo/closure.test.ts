import { describe, expect, test } from 'vitest';
import { loadCatalog } from '../../../src/catalog/catalog.ts';
import { parseRelations } from '../../../src/deb/control-file.ts';
import { type ClosurePackage, checkClosure, faultTexts } from '../../../src/repo/closure/closure.ts';
import { loadProvided } from '../../../src/repo/closure/provided.ts';

const catalog = await loadCatalog();
const provided = await loadProvided();
const complete = catalog.packages.map(({ name }) => name);

function deb(name: string, version: string, depends = '', extra: Partial<ClosurePackage> = {}): ClosurePackage {
  return {
    format: 'deb',
    name,
    version,
    architecture: 'amd64',
    minors: ['1.31'],
    requires: depends === '' ? [] : parseRelations('Depends', depends),
    provides: [],
    files: [],
    ...extra,
  };
}

function rpm(name: string, version: string, requires: readonly string[] = [], extra: Partial<ClosurePackage> = {}) {
  const relations = requires.map((text) => ({ anyOf: [{ name: text }] }));
  return { ...deb(name, version), format: 'rpm' as const, architecture: 'x86_64', requires: relations, ...extra };
}

function check(packages: readonly ClosurePackage[], ids: readonly string[], lists = provided) {
  const distributions = catalog.distributions.filter(({ id }) => ids.includes(id));
  return checkClosure({ packages, distributions, known: catalog.distributions, provided: lists, complete });
}

const WHOLE = [
  deb('kubeadm', '1.31.4-1', 'cri-tools (>= 1.30.0)'),
  deb('kubelet', '1.31.4-1', 'iptables (>= 1.4.21), kubernetes-cni (>= 1.2.0), iproute2, mount, util-linux'),
  deb('kubectl', '1.31.4-1'),
  deb('kubernetes-cni', '1.5.1-1'),
  deb('cri-tools', '1.31.1-1'),
];
const EVERY_DEB = ['debian-11', 'debian-12', 'debian-13', 'ubuntu-24.04'];

describe('the closure check', () => {
  test('accepts a complete minor and reports relations that depend on unverified lists', () => {
    const report = check(WHOLE, EVERY_DEB);
    expect(report.faults).toEqual([]);
    expect(report.checked).toBe(6 * EVERY_DEB.length);
    expect(report.assumed).toEqual([{ distribution: 'ubuntu-24.04', relations: 4 }]);
  });

  test('a minor without cri-tools: the fault names the requiring package, the place and a hint', () => {
    const without = WHOLE.filter(({ name }) => name !== 'cri-tools');
    const [absent, asked] = check(without, EVERY_DEB).faults;
    expect(absent).toMatchObject({ missing: 'cri-tools', askedBy: undefined, minor: '1.31', distributions: EVERY_DEB });
    expect(asked).toMatchObject({
      missing: 'cri-tools (>= 1.30.0)',
      askedBy: 'kubeadm 1.31.4-1',
      architecture: 'amd64',
    });
    expect(asked && faultTexts(asked)).toEqual({
      what: 'kubeadm 1.31.4-1 requires cri-tools (>= 1.30.0), which nothing provides',
      where: 'Kubernetes 1.31, deb amd64, on debian-11, debian-12, debian-13 and 1 more',
      hint: 'kubeparcel build 1.31 --packages cri-tools --formats deb --arch amd64, then kubeparcel repo add',
    });
  });

  test('kubernetes-cni of another minor or architecture does not satisfy the relation', () => {
    const elsewhere = [
      ...WHOLE.filter(({ name }) => name !== 'kubernetes-cni'),
      deb('kubernetes-cni', '1.5.1-1', '', { minors: ['1.30'] }),
      deb('kubernetes-cni', '1.5.1-1', '', { architecture: 'arm64' }),
    ];
    const faults = check(elsewhere, ['debian-12']).faults.filter((fault) => fault.missing.startsWith('kubernetes-cni'));
    expect(faults.map(({ minor, architecture, askedBy }) => [minor, architecture, askedBy])).toEqual([
      ['1.31', 'amd64', undefined],
      ['1.31', 'amd64', 'kubelet 1.31.4-1'],
    ]);
  });

  test('a fault names an available version that is too old', () => {
    const old = [...WHOLE.filter(({ name }) => name !== 'cri-tools'), deb('cri-tools', '1.29.0-1')];
    const [fault] = check(old, ['debian-12']).faults;
    expect(fault?.others).toEqual(['cri-tools 1.29.0-1']);
    expect(fault && faultTexts(fault).what).toContain('; available: cri-tools 1.29.0-1');
  });

  test('a distribution package that is too old is a fault on that distribution only', () => {
    const asking = [...WHOLE, deb('kubelet', '1.31.5-1', 'libc6 (>= 2.36)')];
    const { faults } = check(asking, ['debian-11', 'debian-12']);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatchObject({ distributions: ['debian-11'], ours: false });
    expect(faults[0]?.others[0]).toMatch(/^debian-11's libc6 2\.31/);
    expect(faults[0] && faultTexts(faults[0]).hint).toContain('kubeparcel repo provided debian-11');
  });

  test('a package built for one distribution counts there only', () => {
    const others = WHOLE.filter(({ name }) => name !== 'cri-tools');
    const { faults } = check([...others, deb('cri-tools', '1.31.1-1~debian12')], ['debian-12', 'debian-13']);
    expect(faults.map(({ distributions }) => distributions)).toEqual([['debian-13'], ['debian-13']]);
  });

  test('alternatives, virtual packages, architecture qualifiers and Architecture: all', () => {
    const packages = [
      ...WHOLE,
      deb('kubectl', '1.31.5-1', 'nothing | socat, virtual, virtual (= 2), util-linux:any, helper'),
      deb('offering', '1', '', { provides: [{ name: 'virtual', version: '2' }] }),
      deb('helper', '1', '', { architecture: 'all' }),
    ];
    expect(check(packages, ['debian-12']).faults).toEqual([]);
    const unversioned = packages.map((each) =>
      each.name === 'offering' ? { ...each, provides: [{ name: 'virtual', version: undefined }] } : each,
    );
    expect(check(unversioned, ['debian-12']).faults.map(({ missing }) => missing)).toEqual(['virtual (= 2)']);
  });

  test('an architecture that a distribution does not support is skipped and reported', () => {
    const s390x = WHOLE.map((each) => ({ ...each, architecture: 's390x' }));
    expect(check(s390x, ['debian-11']).skipped).toEqual([{ distribution: 'debian-11', architecture: 's390x' }]);
    expect(check(s390x, ['debian-12']).skipped).toEqual([]);
  });

  test('RPM: sonames, files, rich dependencies and rpmlib features', () => {
    const whole = ['kubeadm', 'kubelet', 'kubectl', 'kubernetes-cni', 'cri-tools'].map((name) => rpm(name, '1.31.0-1'));
    const asking = (...requires: string[]) => [...whole, rpm('probe', '1-1', requires, { files: ['/usr/bin/probe'] })];
    const verified = provided.map((list) =>
      list.distribution !== 'el-9'
        ? list
        : {
            ...list,
            verified: true,
            architectures: { x86_64: { iproute: ['6.2.0-5.el9'], 'libc.so.6(GLIBC_2.34)(64bit)': [], '/bin/sh': [] } },
          },
    );
    const missing = (...requires: string[]) =>
      check(asking(...requires), ['el-9'], verified).faults.map((fault) => fault.missing);
    expect(missing('libc.so.6(GLIBC_2.34)(64bit)', '/bin/sh', '/usr/bin/probe', 'rpmlib(PayloadIsZstd)')).toEqual([]);
    expect(missing('(iproute or iproute2)', '(iproute >= 6 and kubelet)', '(absent if absent2)')).toEqual([]);
    expect(missing('libc.so.6(GLIBC_2.38)(64bit)', '/usr/bin/absent')).toEqual([
      '/usr/bin/absent',
      'libc.so.6(GLIBC_2.38)(64bit)',
    ]);
    expect(missing('(iproute >= 7 or iproute2)', '(absent if iproute)')).toHaveLength(2);
    // Unverified lists contain no symbol versions.
    expect(check(asking('libc.so.6(GLIBC_2.38)(64bit)'), ['el-9']).faults).toEqual([]);
  });
});
