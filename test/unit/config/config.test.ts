import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig, parseConfig } from '../../../src/config/load.ts';
import { configJsonSchema } from '../../../src/config/schema.ts';
import { configTemplate } from '../../../src/config/template.ts';
import { KubeparcelError } from '../../../src/support/errors.ts';

function errorOf(text: string): KubeparcelError {
  try {
    parseConfig(text, 'kubeparcel.yaml');
  } catch (error) {
    if (error instanceof KubeparcelError) return error;
  }
  throw new Error(`accepted: ${text}`);
}

test.each([
  ['an unknown key', 'jobs: 2\nversoin: stable\n', 'kubeparcel.yaml:2:1', /versoin/],
  ['a value of the wrong kind', 'out: dist\njobs: many\n', 'kubeparcel.yaml:2:1', /jobs/],
  ['an unknown architecture', 'architectures:\n  - amd64\n  - mips\n', 'kubeparcel.yaml:3:5', /architectures\.1/],
  ['a nested unknown key', 'components:\n  crictl: 1.36.0\n', 'kubeparcel.yaml:2:3', /crictl/],
  ['a version that YAML reads as a number', 'version: 1.30\n', 'kubeparcel.yaml:1:1', /quotes/],
  ['a Debian revision with a dash', 'revision: "1-2"\n', 'kubeparcel.yaml:1:1', /'-'/],
  ['a maintainer with a line break', 'maintainer: "A <a@b>\\nX: y"\n', 'kubeparcel.yaml:1:1', /Name <address>/],
  ['broken YAML', 'packages: [kubelet\n', 'kubeparcel.yaml:2:1', /YAML/],
  ['a key twice', 'jobs: 1\njobs: 2\n', 'kubeparcel.yaml:2:1', /YAML/],
])('%s is refused, with line and column', (_, text, where, message) => {
  const error = errorOf(text);
  expect(error).toMatchObject({ kind: 'config', where });
  expect(error.message).toMatch(message);
});

test('all errors are reported together, each with its line', () => {
  expect(errorOf('jobs: 0\nformats: [apk]\n').message).toMatch(/kubeparcel\.yaml:2:11/);
});

test('the template is valid as it is, and with every line uncommented', () => {
  const template = configTemplate();
  expect(parseConfig(template, 'template')).toEqual({});
  const active = template.replace(/^#(?! )/gm, '');
  expect(Object.keys(parseConfig(active, 'template')).length).toBeGreaterThan(10);
});

test('the published JSON schema is the one in the code', () => {
  const published = readFileSync(new URL('../../../docs/kubeparcel.schema.json', import.meta.url), 'utf8');
  expect(JSON.parse(published), 'run: npm run schema').toEqual(JSON.parse(JSON.stringify(configJsonSchema())));
});

test('paths in a configuration are relative to its directory', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kubeparcel-config-'));
  try {
    await writeFile(join(directory, 'kubeparcel.yaml'), 'out: packages\nsource: ./payload\ntemplates: tpl\n');
    expect(await loadConfig(join(directory, 'kubeparcel.yaml'))).toEqual({
      out: join(directory, 'packages'),
      source: join(directory, 'payload'),
      templates: join(directory, 'tpl'),
    });
    await expect(loadConfig(join(directory, 'other.yaml'))).rejects.toMatchObject({ kind: 'io' });
  } finally {
    await rm(directory, { recursive: true });
  }
});
