import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { parseControl } from '../../../src/deb/control-file.ts';
import type { Format } from '../../../src/model/format.ts';
import { digestFile } from '../../../src/repo/records/digest-package.ts';
import { indexPackages } from '../../../src/scenario/sets/index-packages.ts';
import { smallLayout, writeSmall } from '../../support/repo-packages.ts';
import { temporaryFolder } from '../../support/temp-folder.ts';

async function indexed(format: Format, names: readonly string[]): Promise<{ folder: string; paths: string[] }> {
  const folder = join(temporaryFolder(), 'set');
  mkdirSync(folder);
  const paths: string[] = [];
  for (const name of names) paths.push(await writeSmall(smallLayout({ format, name, version: '1.36.4' }), folder));
  await indexPackages(folder, format);
  return { folder, paths };
}

function primary(folder: string): string {
  const name = readdirSync(join(folder, 'repodata')).find((each) => each.endsWith('-primary.xml.gz')) ?? '';
  return gunzipSync(readFileSync(join(folder, 'repodata', name))).toString();
}

test('Packages names the files beside it, with what they are', async () => {
  const { folder, paths } = await indexed('deb', ['kubelet', 'kubeadm']);
  const stanzas = readFileSync(join(folder, 'Packages'), 'utf8')
    .split('\n\n')
    .filter((stanza) => stanza.trim() !== '')
    .map((stanza) => new Map(parseControl(stanza)));
  expect(stanzas.map((fields) => fields.get('Filename'))).toEqual(paths.map((path) => `./${basename(path)}`).sort());
  for (const fields of stanzas) {
    const path = join(folder, fields.get('Filename') ?? '');
    expect([fields.get('Size'), fields.get('SHA256')]).toEqual([String(statSync(path).size), await digestFile(path)]);
  }
});

test('repodata names the files beside it, with what they are', async () => {
  const { folder, paths } = await indexed('rpm', ['kubelet', 'kubeadm']);
  const text = primary(folder);
  expect([...text.matchAll(/<location href="([^"]+)"/g)].map(([, href]) => href)).toEqual(
    paths.map((path) => basename(path)).sort(),
  );
  for (const path of paths) expect(text).toContain(await digestFile(path));
  // All that repomd.xml names is there.
  const repomd = readFileSync(join(folder, 'repodata/repomd.xml'), 'utf8');
  const named = [...repomd.matchAll(/<location href="([^"]+)"/g)].map(([, href]) => href ?? '');
  expect(named.map((href) => statSync(join(folder, href)).isFile())).toEqual([true, true, true]);
});

test('of no packages there is an index of none', async () => {
  const [deb, rpm] = [await indexed('deb', []), await indexed('rpm', [])];
  expect(readFileSync(join(deb.folder, 'Packages'), 'utf8')).toBe('');
  expect(primary(rpm.folder)).toContain('packages="0"');
});

test('a damaged package is named', async () => {
  const { folder, paths } = await indexed('rpm', ['kubelet']);
  const path = paths[0] ?? '';
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.subarray(0, bytes.length / 2));
  await expect(indexPackages(folder, 'rpm')).rejects.toMatchObject({ where: expect.stringContaining(basename(path)) });
});
