import { beforeAll, describe, expect, test } from 'vitest';
import { loadCatalog } from '../../../src/catalog/catalog.ts';
import type { Catalog } from '../../../src/catalog/model.ts';
import { targets } from '../../../src/catalog/targets.ts';
import { loadTemplates, type TemplateSet } from '../../../src/layout/templates.ts';
import type { Format } from '../../../src/model/format.ts';
import type { SharedLibraryNeed } from '../../../src/model/payload.ts';
import { composeCase, payloadFile, relationsOf } from '../../support/compose.ts';

let catalog: Catalog;
let templates: TemplateSet;

beforeAll(async () => {
  catalog = await loadCatalog();
  templates = await loadTemplates();
});

/** Relations of a kubectl linked with these libraries. */
function linked(format: Format, ...libraries: SharedLibraryNeed[]): string[] {
  const [target] = targets(catalog, { formats: [format] });
  if (target === undefined) throw new Error('no target');
  const files = { kubectl: [payloadFile('kubectl', { libraries })] };
  return relationsOf(composeCase({ catalog, templates, target, name: 'kubectl', version: '1.36.4', files }));
}

const libc = { soname: 'libc.so.6', symbolVersions: ['GLIBC_2.2.5', 'GLIBC_2.34', 'GLIBC_2.4'] };
const resolv = { soname: 'libresolv.so.2', symbolVersions: ['GLIBC_2.2.5'] };

describe('a dynamically linked binary', () => {
  test('requires sonames and symbol versions in an RPM, like elfdeps', () => {
    expect(linked('rpm', libc, resolv)).toEqual([
      'libc.so.6()(64bit)',
      'libc.so.6(GLIBC_2.2.5)(64bit)',
      'libc.so.6(GLIBC_2.34)(64bit)',
      'libc.so.6(GLIBC_2.4)(64bit)',
      'libresolv.so.2()(64bit)',
      'libresolv.so.2(GLIBC_2.2.5)(64bit)',
    ]);
  });

  test('does not require plugins in an RPM, like elfdeps', () => {
    expect(
      linked('rpm', { soname: 'plugin.so', symbolVersions: [] }, { soname: 'libnss', symbolVersions: [] }),
    ).toEqual([]);
  });

  test('depends in a DEB on each package of its libraries once, with the highest version', () => {
    expect(linked('deb', libc, resolv)).toEqual(['libc6 (>= 2.34)']);
    expect(linked('deb', { ...libc, symbolVersions: ['GLIBC_2.9', 'GLIBC_2.17', 'GLIBC_2.2.5'] })).toEqual([
      'libc6 (>= 2.17)',
    ]);
    expect(linked('deb', { soname: 'libseccomp.so.2', symbolVersions: [] }, { ...libc, symbolVersions: [] })).toEqual([
      'libc6',
      'libseccomp2',
    ]);
  });

  test('maps symbol versions that are not numbers', () => {
    expect(linked('deb', { ...libc, symbolVersions: ['GLIBC_2.34', 'GLIBC_ABI_DT_RELR'] })).toEqual([
      'libc6 (>= 2.36)',
    ]);
  });

  test('is rejected in a DEB if no package is known for a library', () => {
    expect(() => linked('deb', { soname: 'libgpgme.so.11', symbolVersions: [] })).toThrow(
      expect.objectContaining({
        kind: 'format',
        message: expect.stringMatching(/kubectl.*libgpgme\.so\.11/),
        hint: expect.stringMatching(/libgpgme\.so\.11 to libraries in packaging\/distributions/),
      }),
    );
  });

  test('is rejected in a DEB if no package version is known for a symbol', () => {
    expect(() => linked('deb', { ...libc, symbolVersions: ['GLIBC_PRIVATE'] })).toThrow(
      expect.objectContaining({ kind: 'format', message: expect.stringContaining('GLIBC_PRIVATE') }),
    );
  });
});
