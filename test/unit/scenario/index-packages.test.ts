import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { parseControl } from '../../../src/deb/control-file.ts';
import type { Format } from '../../../src/model/format.ts';
import { digestFile } from '../../../src/repo/records/read-record.ts';
import { indexPackages } from '../../../src/scenario/sets/index-packages.ts';
import { smallLayout, writeSmall } from '../../support/repo-packages.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

async function indexed(format: Format, names: readonly string[]): Promise<{ directory: string; paths: string[] }> {
  const directory = join(temporaryDirectory(), 'set');
  mkdirSync(directory);
  const paths: string[] = [];
  for (const name of names) paths.push(await writeSmall(smallLayout({ format, name, version: '1.36.4' }), directory));
  await indexPackages(directory, format);
  return { directory, paths };
}

function primary(directory: string): string {
  const name = readdirSync(join(directory, 'repodata')).find((each) => each.endsWith('-primary.xml.gz')) ?? '';
  return gunzipSync(readFileSync(join(directory, 'repodata', name))).toString();
}

test('Packages lists the files in its directory', async () => {
  const { directory, paths } = await indexed('deb', ['kubelet', 'kubeadm']);
  const stanzas = readFileSync(join(directory, 'Packages'), 'utf8')
    .split('\n\n')
    .filter((stanza) => stanza.trim() !== '')
    .map((stanza) => new Map(parseControl(stanza)));
  expect(stanzas.map((fields) => fields.get('Filename'))).toEqual(paths.map((path) => `./${basename(path)}`).sort());
  for (const fields of stanzas) {
    const path = join(directory, fields.get('Filename') ?? '');
    expect([fields.get('Size'), fields.get('SHA256')]).toEqual([String(statSync(path).size), await digestFile(path)]);
  }
});

test('repodata lists the files in its directory', async () => {
  const { directory, paths } = await indexed('rpm', ['kubelet', 'kubeadm']);
  const text = primary(directory);
  expect([...text.matchAll(/<location href="([^"]+)"/g)].map(([, href]) => href)).toEqual(
    paths.map((path) => basename(path)).sort(),
  );
  for (const path of paths) expect(text).toContain(await digestFile(path));
  // All that repomd.xml names is there.
  const repomd = readFileSync(join(directory, 'repodata/repomd.xml'), 'utf8');
  const named = [...repomd.matchAll(/<location href="([^"]+)"/g)].map(([, href]) => href ?? '');
  expect(named.map((href) => statSync(join(directory, href)).isFile())).toEqual([true, true, true]);
});

test('the index of an empty directory is empty', async () => {
  const [deb, rpm] = [await indexed('deb', []), await indexed('rpm', [])];
  expect(readFileSync(join(deb.directory, 'Packages'), 'utf8')).toBe('');
  expect(primary(rpm.directory)).toContain('packages="0"');
});

test('the error for a damaged package names it', async () => {
  const { directory, paths } = await indexed('rpm', ['kubelet']);
  const path = paths[0] ?? '';
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.subarray(0, bytes.length / 2));
  await expect(indexPackages(directory, 'rpm')).rejects.toMatchObject({
    where: expect.stringContaining(basename(path)),
  });
});
