import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { actions } from '../../../src/scenario/model/actions.ts';
import { checks } from '../../../src/scenario/model/checks.ts';
import { loadScenarios, parseScenario } from '../../../src/scenario/model/load.ts';
import { PLACEHOLDERS } from '../../../src/scenario/model/placeholders.ts';
import { packageRoot } from '../../../src/support/package-root.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const HEAD = 'title: a title\ngroup: install\nwhy: because\n';

function faultOf(text: string): string {
  try {
    parseScenario(HEAD + text, 'x.yaml', 'x');
  } catch (error) {
    return error instanceof Error && 'where' in error ? `${String(error.where)}: ${error.message}` : String(error);
  }
  return '';
}

describe('a scenario file', () => {
  test('all packaged scenarios are valid', async () => {
    const scenarios = await loadScenarios(join(packageRoot(), 'packaging', 'scenarios'));
    expect(scenarios.length).toBeGreaterThan(10);
    expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length);
  });

  test('defaults are filled in, one name becomes a list, and the verb is found by its keys', () => {
    const { steps, container, timeout } = parseScenario(
      `${HEAD}steps:\n  - install: kubelet\n    on: deb\n  - unit: kubelet\n    remember-process: before\n  - file: /x\n    text: abc\n`,
      'x.yaml',
      'x',
    );
    expect({ container, timeout }).toMatchObject({ container: { init: 'systemd', controllers: false }, timeout: 240 });
    expect(steps).toMatchObject([
      {
        kind: 'action',
        on: ['deb'],
        action: { verb: 'install', install: ['kubelet'], from: 'current', via: 'repository' },
      },
      { kind: 'action', on: undefined, action: { verb: 'remember-process', unit: 'kubelet.service' } },
      { kind: 'check', check: { verb: 'file', exists: true, within: 5, text: { equals: 'abc' } } },
    ]);
  });

  test.each([
    ['an unknown verb', 'steps:\n  - instal: all\n', 'x.yaml:5:5: steps.0: a step needs one of install, change'],
    ['an unknown key', 'steps:\n  - install: all\n    form: current\n', 'x.yaml:6:5: steps.0: unknown key "form"'],
    ['two verbs', 'steps:\n  - install: all\n    remove: all\n', 'x.yaml:6:5: steps.0: unknown key "remove"'],
    ['an unknown set', 'steps:\n  - install: all\n    from: newest\n', 'x.yaml:6:5: steps.0.from: expected one of'],
    ['an unknown placeholder', 'steps:\n  - file: "{env}"\n', 'x.yaml:5:5: steps.0.file: unknown placeholder {env}'],
    ['a placeholder with an unknown set', 'steps:\n  - file: "{units@newest}"\n', 'unknown package set newest'],
    ['a file placeholder without a package', 'steps:\n  - run: [cat, "{file}"]\n', 'name the package: {file:kubelet}'],
    ['a broken regular expression', 'steps:\n  - file: /x\n    text: { matches: "(" }\n', 'Invalid regular expression'],
    ['a relative path', 'steps:\n  - file: etc/x\n', 'an absolute path'],
    ['no step', 'steps: []\n', 'x.yaml:4:1: steps: '],
    ['a wrong place', 'steps:\n  - wait: 1\n    on: Debian\n', 'x.yaml:6:5: steps.0.on.0: deb, rpm'],
  ])('%s is refused, with its line', (_, text, expected) => {
    expect(faultOf(text)).toContain(expected);
  });

  test('braces of a shell, rpm or JSON are not placeholders', () => {
    const text = `steps:\n  - run: [sh, -c, 'echo $\{name} %{name} {"name":1} {{name}}']\n`;
    expect(faultOf(text)).toBe('');
  });

  test('errors of all files are reported together', async () => {
    const directory = await temporaryDirectory();
    await mkdir(join(directory, 'files'));
    await writeFile(join(directory, 'a.yaml'), 'title: a\n');
    await writeFile(join(directory, 'b.yaml'), `${HEAD}steps:\n  - wait: long\n`);
    await expect(loadScenarios(directory)).rejects.toThrow(/group[\s\S]*b\.yaml:5:5: steps\.0\.wait/);
  });
});

test('docs/testing.md documents every verb and every placeholder', () => {
  const manual = readFileSync(join(packageRoot(), 'docs', 'testing.md'), 'utf8');
  const missing = [
    ...[...Object.keys(actions), ...Object.keys(checks)].filter((verb) => !new RegExp(`\`${verb}[:\`]`).test(manual)),
    ...Object.keys(PLACEHOLDERS).filter((name) => !manual.includes(`{${name}}`) && !manual.includes(`{${name}:`)),
  ];
  expect(missing).toEqual([]);
});
