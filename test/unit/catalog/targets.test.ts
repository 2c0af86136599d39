import { beforeAll, describe, expect, test } from 'vitest';
import { loadCatalog } from '../../../src/catalog/catalog.ts';
import type { Catalog } from '../../../src/catalog/model.ts';
import { targets } from '../../../src/catalog/targets.ts';
import { packageArchitecture } from '../../../src/model/architecture.ts';

let catalog: Catalog;

beforeAll(async () => {
  catalog = await loadCatalog();
});

describe('by default', () => {
  test('there is one target for all DEB and one for all RPM distributions', () => {
    const [deb, rpm, ...others] = targets(catalog, {});
    expect(others).toEqual([]);
    expect(deb).toMatchObject({ id: 'deb', format: 'deb', revisionSuffix: '' });
    expect(rpm).toMatchObject({ id: 'rpm', format: 'rpm', revisionSuffix: '' });
    expect(deb?.distributions.map(({ id }) => id)).toEqual(
      catalog.distributions.filter(({ format }) => format === 'deb').map(({ id }) => id),
    );
  });

  test('the compression is the best that all of them read', () => {
    const [deb, rpm] = targets(catalog, {});
    expect(deb?.compression).toEqual({ codec: 'xz', level: 6 });
    expect(deb?.codecs).toEqual(['none', 'gzip', 'xz']);
    expect(rpm?.compression.codec).toBe('zstd');
  });

  test('Amazon Linux 2, whose rpm supports neither rich dependencies nor zstd, has its own packages', () => {
    const [rpm] = targets(catalog, { formats: ['rpm'] });
    expect(rpm?.distributions.map(({ id }) => id)).not.toContain('amazonlinux-2');
    const [alone] = targets(catalog, { distributions: ['amazonlinux-2'] });
    expect(alone).toMatchObject({ id: 'amazonlinux-2', compression: { codec: 'xz' }, revisionSuffix: '.amzn2' });
    expect(alone?.codecs).not.toContain('zstd');
  });

  test('formats select targets', () => {
    expect(targets(catalog, { formats: ['rpm'] }).map(({ id }) => id)).toEqual(['rpm']);
    expect(targets(catalog, { formats: ['rpm', 'deb'] }).map(({ id }) => id)).toEqual(['deb', 'rpm']);
  });
});

describe('with distributions', () => {
  test.each([
    ['debian-12', 'debian-12', '~debian12'],
    ['debian12', 'debian-12', '~debian12'],
    ['bookworm', 'debian-12', '~debian12'],
    ['Jammy', 'ubuntu-22.04', '~ubuntu22.04'],
    ['ubuntu2204', 'ubuntu-22.04', '~ubuntu22.04'],
    ['el9', 'el-9', '.el9'],
    ['rhel9', 'el-9', '.el9'],
    ['rocky_9', 'el-9', '.el9'],
    ['almalinux-10', 'el-10', '.el10'],
    ['fedora43', 'fedora-43', '.fc43'],
    ['opensuse-leap-15.6', 'opensuse-leap-15.6', '.lp156'],
    ['sles15', 'sles-15', '.sle15'],
    ['al2023', 'amazonlinux-2023', '.amzn2023'],
  ])('%s is %s', (name, id, revisionSuffix) => {
    expect(targets(catalog, { distributions: [name] })).toMatchObject([{ id, revisionSuffix }]);
  });

  test('two names of a distribution give one target', () => {
    expect(targets(catalog, { distributions: ['trixie', 'el9', 'debian-13'] }).map(({ id }) => id)).toEqual([
      'debian-13',
      'el-9',
    ]);
  });

  test.each(['debian', 'deb', 'debian-10', 'el', 'windows', ''])('rejects the unknown name %j', (name) => {
    expect(() => targets(catalog, { distributions: [name] })).toThrow(
      expect.objectContaining({
        kind: 'usage',
        hint: expect.stringMatching(/debian-12.*el-9.*amazonlinux|amazonlinux.*debian-12/),
      }),
    );
  });

  test('rejects a distribution whose format is not selected', () => {
    expect(() => targets(catalog, { formats: ['rpm'], distributions: ['debian-12'] })).toThrow(
      expect.objectContaining({ kind: 'usage', message: 'debian-12 needs deb packages' }),
    );
  });
});

test.each([
  ['deb', 'amd64', 'amd64'],
  ['deb', 'ppc64le', 'ppc64el'],
  ['rpm', 'amd64', 'x86_64'],
  ['rpm', 'arm64', 'aarch64'],
  ['rpm', 'ppc64le', 'ppc64le'],
  ['rpm', 's390x', 's390x'],
] as const)('%s calls %s %s', (format, architecture, word) => {
  expect(packageArchitecture(format, architecture)).toBe(word);
});
