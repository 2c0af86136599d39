import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import order from '../../src/modules.json' with { type: 'json' };
import { packageRoot } from '../../src/support/package-root.ts';

/** Paths below src/ of each file's imports, types and dynamic imports included. */
type Imports = ReadonlyMap<string, readonly string[]>;

const root = join(packageRoot(), 'src');
const directories = order.map(([directory]) => directory);

/** One line for each import that goes up the order or that is part of a cycle of files. */
function violations(imports: Imports): string[] {
  const rank = (file: string) => directories.indexOf(dirname(file));
  const upward = [...imports].flatMap(([file, targets]) =>
    targets
      .filter((target) => rank(target) > rank(file))
      .map((target) => `${file} imports ${target}, which is above it`),
  );
  return [...upward, ...cycles(imports)];
}

function cycles(imports: Imports): string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, path: readonly string[]) => {
    const at = path.indexOf(file);
    if (at >= 0) found.push(`cycle: ${[...path.slice(at), file].join(' -> ')}`);
    if (at >= 0 || done.has(file)) return;
    for (const target of imports.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  return found;
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  const specifiers = text.matchAll(/(?:^(?:import|export)\b[^'"]*?|\bimport\(\s*)['"](\.[^'"]+)['"]/gm);
  return [...specifiers].map(([, specifier = '']) => normalize(join(dirname(file), specifier)));
}

const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const imports: Imports = new Map(files.map((file) => [file, importsOf(file)]));

test('no import goes up the order of modules, and no file is part of an import cycle', () => {
  expect(imports.size).toBeGreaterThan(300);
  expect([...imports.values()].flat().filter((target) => target.endsWith('.ts') && !imports.has(target))).toEqual([]);
  expect(violations(imports)).toEqual([]);
});

test('every directory of src/ has one place in the order', () => {
  expect([...directories].sort()).toEqual([...new Set(files.map((file) => dirname(file)))].sort());
});

test('the generator imports only itself, bundled libraries and the API of its host', () => {
  const generator = [...imports].filter(([file]) => file.startsWith('confgen/'));
  expect(generator.flatMap(([, targets]) => targets).filter((target) => !target.startsWith('confgen/'))).toEqual([]);
  const libraries = generator.flatMap(([file]) => {
    const found = readFileSync(join(root, file), 'utf8').matchAll(/(?:\bfrom|^import) '([^'.][^']*)'/gm);
    return [...found].map(([, library]) => `${file}: ${library}`);
  });
  expect(libraries.sort()).toEqual([
    'confgen/commands/quickjs-main.ts: host',
    'confgen/host/node-host.ts: node:fs',
    'confgen/host/node-host.ts: node:os',
    'confgen/host/quickjs-host.ts: host',
    'confgen/text/toml.ts: smol-toml',
  ]);
});

test('an upward import and a cycle are refused', () => {
  const planted = new Map(imports);
  planted.set('model/format.ts', ['catalog/targets.ts']);
  expect(violations(planted)).toContain('model/format.ts imports catalog/targets.ts, which is above it');
  expect(
    violations(
      new Map([
        ['rpm/read.ts', ['rpm/header.ts']],
        ['rpm/header.ts', ['rpm/lead.ts']],
        ['rpm/lead.ts', ['rpm/read.ts']],
      ]),
    ),
  ).toEqual(['cycle: rpm/read.ts -> rpm/header.ts -> rpm/lead.ts -> rpm/read.ts']);
});

test('docs/architecture.md lists the directories in this order', () => {
  const page = readFileSync(join(packageRoot(), 'docs/architecture.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `src\/([^`]+)\/` \| (.+) \|$/gm)].map(([, directory, text]) => [directory, text]);
  expect(rows).toEqual([...order].reverse());
});
