import semver from 'semver';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadCatalog } from '../../../src/catalog/catalog.ts';
import type { Catalog } from '../../../src/catalog/model.ts';
import { pinsFor, releaseDate } from '../../../src/catalog/pins.ts';

let catalog: Catalog;

beforeAll(async () => {
  catalog = await loadCatalog();
});

describe('pins', () => {
  test.each([
    ['1.11.0', '1.11.1', '0.6.0'],
    ['1.20.2', '1.20.0', '0.8.7'],
    ['1.24.4', '1.24.2', '0.8.7'],
    ['1.24.5', '1.25.0', '1.1.1'],
    ['1.34.1', '1.34.0', '1.7.1'],
    ['1.35.0', '1.35.0', '1.8.0'],
    ['1.37.0-rc.1', '1.37.0', '1.9.1'],
  ])('of Kubernetes %s are cri-tools %s and CNI plugins %s', (version, criTools, cniPlugins) => {
    expect(pinsFor(catalog, version)).toEqual({ criTools, cniPlugins });
  });

  test('never decrease from one minor to the next', () => {
    for (const [index, { minor }] of catalog.minors.entries()) {
      const before = catalog.minors[index - 1]?.minor ?? minor;
      const [older, newer] = [pinsFor(catalog, `${before}.0`), pinsFor(catalog, `${minor}.0`)];
      expect(semver.gte(newer.criTools, older.criTools), `cri-tools of ${minor}`).toBe(true);
      expect(semver.gte(newer.cniPlugins, older.cniPlugins), `CNI plugins of ${minor}`).toBe(true);
    }
  });

  test('can be overridden individually', () => {
    expect(pinsFor(catalog, '1.36.4', { criTools: '1.35.0' })).toEqual({ criTools: '1.35.0', cniPlugins: '1.9.1' });
    expect(pinsFor(catalog, '1.36.4', { cniPlugins: '1.8.0' })).toEqual({ criTools: '1.36.0', cniPlugins: '1.8.0' });
  });

  test('are rejected if the packages could not be installed together', () => {
    expect(() => pinsFor(catalog, '1.36.4', { cniPlugins: '1.1.1' })).toThrow(
      expect.objectContaining({
        kind: 'config',
        message: 'Kubernetes 1.36.4: kubelet needs kubernetes-cni >= 1.2.0, but the pin is 1.1.1',
      }),
    );
    // Only the relations of this release count.
    expect(pinsFor(catalog, '1.24.4', { criTools: '1.24.2' }).criTools).toBe('1.24.2');
    expect(() => pinsFor(catalog, '1.24.5', { criTools: '1.24.2' })).toThrow(/needs cri-tools >= 1\.25\.0/);
  });

  test('must be given for an unknown minor', () => {
    expect(() => pinsFor(catalog, '1.38.0')).toThrow(
      expect.objectContaining({
        kind: 'config',
        where: catalog.versionsFile,
        hint: expect.stringContaining('criTools'),
      }),
    );
    const pins = { criTools: '1.38.0', cniPlugins: '1.9.1' };
    expect(pinsFor(catalog, '1.38.0', pins)).toEqual(pins);
    expect(() => pinsFor(catalog, '1.10.0')).toThrow(expect.objectContaining({ kind: 'config' }));
  });

  test('reject an invalid version', () => {
    expect(() => pinsFor(catalog, 'stable')).toThrow(expect.objectContaining({ kind: 'usage' }));
  });
});

describe('the release date', () => {
  test('is the day of X.Y.0, in seconds', () => {
    expect(releaseDate(catalog, '1.36.4')).toBe(Date.UTC(2026, 3, 22) / 1000);
    expect(releaseDate(catalog, '1.37.0-rc.1')).toBe(Date.UTC(2026, 7, 26) / 1000);
  });

  test('of an unknown minor is an error', () => {
    expect(() => releaseDate(catalog, '1.38.0')).toThrow(
      expect.objectContaining({ kind: 'config', hint: expect.stringContaining('SOURCE_DATE_EPOCH') }),
    );
  });
});
