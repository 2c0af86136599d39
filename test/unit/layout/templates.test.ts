import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadTemplates, type TemplateSet } from '../../../src/layout/templates.ts';
import { temporaryFolder } from '../../support/temp-folder.ts';

const values = { paths: { environment: '/etc/default' }, name: 'kubelet', count: 3 };

async function withTemplate(text: string, name = 'kubelet.env.ejs'): Promise<{ set: TemplateSet; path: string }> {
  const folder = temporaryFolder();
  const path = join(folder, name);
  writeFileSync(path, text);
  return { set: await loadTemplates(folder), path };
}

describe('templates of the user', () => {
  test('stand in for those of the same name, and only for those', async () => {
    const { set } = await withTemplate('KUBELET_EXTRA_ARGS=--v=2\n');
    expect(set.render('kubelet.env', {})).toBe('KUBELET_EXTRA_ARGS=--v=2\n');
    expect(set.render('10-kubeadm.conf', values)).toContain('EnvironmentFile=-/etc/default/kubelet\n');
  });

  test('with a name that there is not are refused', async () => {
    await expect(withTemplate('', 'kubelet.environment.ejs')).rejects.toMatchObject({
      kind: 'config',
      where: expect.stringMatching(/kubelet\.environment\.ejs$/),
      hint: expect.stringContaining('kubelet.env.ejs'),
    });
    const folder = temporaryFolder();
    mkdirSync(join(folder, '.git'));
    await expect(loadTemplates(folder)).resolves.toBeDefined();
  });

  test('stand in for a hook in a folder of the same name', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'hooks', 'deb'), { recursive: true });
    writeFileSync(join(folder, 'hooks', 'deb', 'kubelet.prerm.ejs'), 'exit 0\n');
    expect((await loadTemplates(folder)).render('hooks/deb/kubelet.prerm', {})).toBe('exit 0\n');
    writeFileSync(join(folder, 'hooks', 'kubelet.prerm.ejs'), '');
    await expect(loadTemplates(folder)).rejects.toMatchObject({ where: join(folder, 'hooks/kubelet.prerm.ejs') });
  });

  test('in a folder that is not there are an error, not the built-in ones', async () => {
    const folder = join(temporaryFolder(), 'none');
    await expect(loadTemplates(folder)).rejects.toMatchObject({ kind: 'io', where: folder });
  });
});

describe('values', () => {
  test('are printed as they are: nothing here is HTML', async () => {
    const { set } = await withTemplate('<%= it.name %> "<&>" <%= it.count %>');
    expect(set.render('kubelet.env', { ...values, name: `a<b>&'"` })).toBe(`a<b>&'" "<&>" 3`);
  });

  test.each([
    [
      'a value that is not there',
      'one\ntwo\nX=<%= it.nmae %>\n',
      3,
      /there is no value it\.nmae; it has paths, name, count/,
    ],
    ['one further down', '\n<%= it.paths.enviroment %>', 2, /there is no value it\.paths\.enviroment/],
    ['one of a value that is not there', '<%= it.path.environment %>', 1, /there is no value it\.path;/],
    ['an inherited one', '<%= it.constructor %>', 1, /there is no value it\.constructor/],
    ['one tested before it is used', 'a\n<% if (it.extra) { %>b<% } %>', 2, /there is no value it\.extra/],
    ['a name without it.', '\n\n<%= environment %>', 3, /environment is not defined/],
    ['a whole record', '<%= it.paths %>', 1, /a value to print is object/],
    ['the result of nothing', 'a\n\n<%= undefined %>', 3, /a value to print is undefined/],
    ['another file', '<% include("/etc/passwd") %>', 1, /cannot include/],
  ])('%s: an error with the line', async (_, text, line, says) => {
    const { set, path } = await withTemplate(text);
    expect(() => set.render('kubelet.env', values)).toThrow(
      expect.objectContaining({ kind: 'config', message: expect.stringMatching(says), where: `${path}:${line}` }),
    );
  });

  test('raw tags, which print nothing for a value that is not there, are refused', async () => {
    await expect(withTemplate('a\n<%- it.name %>')).rejects.toMatchObject({
      kind: 'config',
      where: expect.stringMatching(/kubelet\.env\.ejs:2$/),
    });
  });

  test('a template that does not compile is refused when it is loaded', async () => {
    await expect(withTemplate('<% if (it.name { %>')).rejects.toMatchObject({
      kind: 'config',
      where: expect.stringMatching(/kubelet\.env\.ejs/),
    });
  });
});

test('what is ejected are the templates as they stand, which give the same packages back', async () => {
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
  const folder = temporaryFolder();
  for (const { name, text } of built.files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const again = await loadTemplates(folder);
  expect(again.files).toEqual(built.files);
  expect(again.render('kubelet.service', values)).toBe(built.render('kubelet.service', values));
});

test('a template that there is not', async () => {
  const set = await loadTemplates();
  expect(() => set.render('kubelet.socket', values)).toThrow(expect.objectContaining({ kind: 'config' }));
});
