import { describe, expect, test } from 'vitest';
import { minorsOf } from '../../../src/repo/model/minors.ts';
import type { RepositoryPackage } from '../../../src/repo/model/repository.ts';
import { pruned, selectPackages } from '../../../src/repo/model/select.ts';
import { KubeparcelError } from '../../../src/support/errors.ts';

function entry(
  name: string,
  version: string,
  channels: RepositoryPackage['channels'],
  format: RepositoryPackage['format'] = 'deb',
): RepositoryPackage {
  const file = `${name}_${version}_amd64.${format}`;
  return { format, name, version, architecture: 'amd64', file, size: 1, sha256: '0'.repeat(64), channels };
}

const PACKAGES = [
  entry('kubelet', '1.36.9-1', { stable: ['1.36'] }),
  entry('kubelet', '1.36.10-1', { stable: ['1.36'] }),
  entry('kubelet', '1.36.10-2', { stable: ['1.36'], testing: ['1.36'] }),
  entry('kubelet', '1.37.0~rc.1-1', { stable: ['1.37'] }),
  entry('kubelet', '1.37.0-1', { stable: ['1.37'] }),
  entry('kubernetes-cni', '1.8.0-1', { stable: ['1.36'] }),
  entry('kubernetes-cni', '1.9.1-1', { stable: ['1.36', '1.37'] }),
];

const names = (packages: readonly RepositoryPackage[]) =>
  packages.map(({ name, version, channels }) => `${name} ${version} ${JSON.stringify(channels)}`);

describe('prune', () => {
  test('keeps the newest patches of each minor with all revisions, in the version order of the format', () => {
    expect(names(pruned(PACKAGES, 'stable', { patches: 1, minors: undefined }))).toEqual([
      'kubelet 1.36.10-1 {"stable":["1.36"]}',
      'kubelet 1.36.10-2 {"testing":["1.36"],"stable":["1.36"]}',
      'kubelet 1.37.0-1 {"stable":["1.37"]}',
      'kubernetes-cni 1.9.1-1 {"stable":["1.36","1.37"]}',
    ]);
  });

  test('keeps the newest minors; other channels keep their packages', () => {
    expect(names(pruned(PACKAGES, 'stable', { patches: undefined, minors: 1 }))).toEqual([
      'kubelet 1.36.10-2 {"testing":["1.36"]}',
      'kubelet 1.37.0~rc.1-1 {"stable":["1.37"]}',
      'kubelet 1.37.0-1 {"stable":["1.37"]}',
      'kubernetes-cni 1.9.1-1 {"stable":["1.37"]}',
    ]);
  });

  test('compares minors as numbers', () => {
    const old = [entry('kubelet', '1.9.1-1', { stable: ['1.9'] }), entry('kubelet', '1.10.1-1', { stable: ['1.10'] })];
    expect(pruned(old, 'stable', { patches: undefined, minors: 1 }).map(({ version }) => version)).toEqual([
      '1.10.1-1',
    ]);
  });

  test('does not change other channels', () => {
    expect(pruned(PACKAGES, 'nightly', { patches: 1, minors: 1 })).toEqual(PACKAGES);
  });
});

describe('selecting packages', () => {
  test.each([
    ['kubelet', 5],
    ['kubelet=1.36.10', 2],
    ['kubelet=1.36.10-2', 1],
    ['v1.37', 3],
    ['dist/kubelet_1.36.9-1_amd64.deb', 1],
  ])('%s selects %i package(s)', (word, count) => {
    expect(selectPackages(PACKAGES, [word])).toHaveLength(count);
  });

  test('a selector without a match is an error that names it', () => {
    expect(() => selectPackages(PACKAGES, ['kubelet', 'kublet'])).toThrow(KubeparcelError);
    expect(() => selectPackages(PACKAGES, ['kublet'])).toThrow(/"kublet"/);
  });
});

describe('minors of packages added together', () => {
  const kubernetes = new Set(['kubelet', 'kubeadm']);
  const record = (name: string, version: string) => ({ name, version, sha256: `${name} ${version}` });

  test('Kubernetes packages determine the minors of the other packages', () => {
    const along = [record('kubelet', '1.36.4-1'), record('kubeadm', '1.37.0~rc.1-1')];
    const others = [record('cri-tools', '1.36.0-1'), record('kubernetes-cni', '1.9.1-1')];
    expect(Object.fromEntries(minorsOf([...along, ...others], kubernetes))).toEqual({
      'kubelet 1.36.4-1': ['1.36'],
      'kubeadm 1.37.0~rc.1-1': ['1.37'],
      'cri-tools 1.36.0-1': ['1.36'],
      'kubernetes-cni 1.9.1-1': ['1.36', '1.37'],
    });
  });

  test('unknown minors must be specified', () => {
    expect(() => minorsOf([record('cri-tools', '1.36.0-1')], kubernetes)).toThrow(/cri-tools 1.36.0-1/);
  });
});
