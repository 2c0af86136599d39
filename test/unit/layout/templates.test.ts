import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputFileSync } from 'fs-extra/esm';
import { describe, expect, test } from 'vitest';
import { loadTemplates, type TemplateSet } from '../../../src/layout/templates.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const values = { paths: { environment: '/etc/default' }, name: 'kubelet', count: 3 };

async function withTemplate(text: string, name = 'kubelet.env.ejs'): Promise<{ set: TemplateSet; path: string }> {
  const directory = temporaryDirectory();
  const path = join(directory, name);
  writeFileSync(path, text);
  return { set: await loadTemplates(directory), path };
}

describe('overrides', () => {
  test('replace only the template of the same name', async () => {
    const { set } = await withTemplate('KUBELET_EXTRA_ARGS=--v=2\n');
    expect(set.render('kubelet.env', {})).toBe('KUBELET_EXTRA_ARGS=--v=2\n');
    expect(set.render('10-kubeadm.conf', values)).toContain('EnvironmentFile=-/etc/default/kubelet\n');
  });

  test('without a built-in template are rejected', async () => {
    await expect(withTemplate('', 'kubelet.environment.ejs')).rejects.toMatchObject({
      kind: 'config',
      where: expect.stringMatching(/kubelet\.environment\.ejs$/),
      hint: expect.stringContaining('kubeparcel templates list'),
    });
    const directory = temporaryDirectory();
    mkdirSync(join(directory, '.git'));
    await expect(loadTemplates(directory)).resolves.toBeDefined();
  });

  test('replace a hook in the same subdirectory', async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'hooks', 'deb'), { recursive: true });
    writeFileSync(join(directory, 'hooks', 'deb', 'kubelet.prerm.ejs'), 'exit 0\n');
    expect((await loadTemplates(directory)).render('hooks/deb/kubelet.prerm', {})).toBe('exit 0\n');
    writeFileSync(join(directory, 'hooks', 'kubelet.prerm.ejs'), '');
    await expect(loadTemplates(directory)).rejects.toMatchObject({ where: join(directory, 'hooks/kubelet.prerm.ejs') });
  });

  test('in a missing directory are an error', async () => {
    const directory = join(temporaryDirectory(), 'none');
    await expect(loadTemplates(directory)).rejects.toMatchObject({ kind: 'io', where: directory });
  });
});

describe('values', () => {
  test('are printed without HTML escaping', async () => {
    const { set } = await withTemplate('<%= it.name %> "<&>" <%= it.count %>');
    expect(set.render('kubelet.env', { ...values, name: `a<b>&'"` })).toBe(`a<b>&'" "<&>" 3`);
  });

  test.each([
    ['an undefined value', 'one\ntwo\nX=<%= it.nmae %>\n', 3, /unknown value it\.nmae; it has paths, name, count/],
    ['an undefined nested value', '\n<%= it.paths.enviroment %>', 2, /unknown value it\.paths\.enviroment/],
    ['a value nested in an undefined one', '<%= it.path.environment %>', 1, /unknown value it\.path;/],
    ['an inherited property', '<%= it.constructor %>', 1, /unknown value it\.constructor/],
    ['an undefined value in a condition', 'a\n<% if (it.extra) { %>b<% } %>', 2, /unknown value it\.extra/],
    ['a name without it.', '\n\n<%= environment %>', 3, /environment is not defined/],
    ['an object', '<%= it.paths %>', 1, /a printed value is object/],
    ['the value undefined', 'a\n\n<%= undefined %>', 3, /a printed value is undefined/],
    ['an include', '<% include("/etc/passwd") %>', 1, /include\(\) is not supported/],
  ])('%s: an error with the line', async (_, text, line, says) => {
    const { set, path } = await withTemplate(text);
    expect(() => set.render('kubelet.env', values)).toThrow(
      expect.objectContaining({ kind: 'config', message: expect.stringMatching(says), where: `${path}:${line}` }),
    );
  });

  test('raw tags are rejected', async () => {
    await expect(withTemplate('a\n<%- it.name %>')).rejects.toMatchObject({
      kind: 'config',
      where: expect.stringMatching(/kubelet\.env\.ejs:2$/),
    });
  });

  test('a template that does not compile is rejected when it is loaded', async () => {
    await expect(withTemplate('<% if (it.name { %>')).rejects.toMatchObject({
      kind: 'config',
      where: expect.stringMatching(/kubelet\.env\.ejs/),
    });
  });
});

test('ejected templates are unchanged and give the same packages', async () => {
  const built = await loadTemplates();
  expect(built.files.map(({ name }) => name).filter((name) => !name.startsWith('hooks/'))).toEqual([
    '05-kubelet-confgen.conf.ejs',
    '10-kubeadm.conf.ejs',
    'LICENSE.ejs',
    'LICENSE.kubelet-confgen.ejs',
    'copyright.ejs',
    'kubelet-confgen.8.ejs',
    'kubelet-confgen.bash.ejs',
    'kubelet-modules.conf.ejs',
    'kubelet-sysctl.conf.ejs',
    'kubelet.env.ejs',
    'kubelet.service.ejs',
  ]);
  const directory = temporaryDirectory();
  for (const { name, text } of built.files) {
    outputFileSync(join(directory, name), text);
  }
  const again = await loadTemplates(directory);
  expect(again.files).toEqual(built.files);
  expect(again.render('kubelet.service', values)).toBe(built.render('kubelet.service', values));
});

test('an unknown template is an error', async () => {
  const set = await loadTemplates();
  expect(() => set.render('kubelet.socket', values)).toThrow(expect.objectContaining({ kind: 'config' }));
});
