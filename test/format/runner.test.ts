import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { bundleForRunner } from '../../scripts/runners/bundle.ts';
import { ownArchitecture } from '../../scripts/runners/machines.ts';
import { loadCatalog } from '../../src/catalog/catalog.ts';
import { generatorData } from '../../src/catalog/generator-data.ts';
import type { Catalog } from '../../src/catalog/model.ts';
import { main } from '../../src/confgen/commands/main.ts';
import { nodeHost } from '../../src/confgen/host/node-host.ts';
import { ARCHITECTURES } from '../../src/model/architecture.ts';
import { packageRoot } from '../../src/support/package-root.ts';
import { hostFixture, snapshot } from '../support/host-fixture.ts';
import { hostOperations } from '../support/host-operations.ts';
import { canRun, writeProgram } from '../support/runner.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { layOutVector, loadVectors } from '../support/vectors.ts';

const runnable = new Map<string, boolean>();
for (const each of ARCHITECTURES) runnable.set(each, await canRun(each));

let operations: string;
let generator: string;
let generators: string;
let catalog: Catalog;
beforeAll(async () => {
  operations = await bundleForRunner(join(packageRoot(), 'test/support/host-operations-main.ts'));
  generator = await bundleForRunner(join(packageRoot(), 'src/confgen/commands/quickjs-main.ts'));
  generators = await bundleForRunner(join(packageRoot(), 'test/support/generator-main.ts'));
  catalog = await loadCatalog();
});

describe.each(ARCHITECTURES)('on %s', (architecture) => {
  const it = test.skipIf(runnable.get(architecture) !== true);

  it('host operations have the same results as in Node', async () => {
    const outcomes = [];
    for (const side of ['node', 'runner']) {
      const directory = temporaryDirectory();
      const { root, close } = await hostFixture(directory);
      const run = await writeProgram(architecture, join(directory, 'program'), operations);
      const output = side === 'node' ? hostOperations(nodeHost(root)) : (await run([root])).stdout;
      const results = JSON.parse(output.replaceAll(directory, '')) as unknown;
      outcomes.push({
        results,
        tree: snapshot(root).map((line) => line.replace(basename(directory), 'DIRECTORY')),
        outside: snapshot(join(directory, 'outside')),
      });
      await close();
    }
    expect(outcomes[1]).toEqual(outcomes[0]);
  });

  it('the generator has the same output as in Node for every host in test/vectors', async () => {
    const directory = temporaryDirectory();
    const run = await writeProgram(
      architecture,
      join(directory, 'program'),
      generators,
      JSON.stringify(facts(undefined)),
    );
    const vectors = loadVectors();
    const words: string[] = [];
    const expected = [];
    const closers = [];
    for (const vector of vectors) {
      const root = join(directory, vector.name.slice(0, 40));
      closers.push(await layOutVector(vector, root));
      words.push(root, vector.kubelet ?? '');
      expected.push({ name: vector.name, ...underNode(root, vector.kubelet) });
    }
    const { stdout, stderr } = await run(words);
    for (const close of closers) await close();
    expect(stderr).toBe('');
    const results = JSON.parse(stdout) as object[];
    expect(results.map((each, index) => ({ name: vectors[index]?.name, ...each }))).toEqual(expected);
  });

  it('the packaged program has the same output as in Node', async () => {
    const directory = temporaryDirectory();
    const [vector] = loadVectors();
    if (vector === undefined) throw new Error('no vectors');
    const root = join(directory, 'root');
    const close = await layOutVector(vector, root);
    const data = JSON.stringify(facts(vector.kubelet));
    const run = await writeProgram(architecture, join(directory, 'program'), generator, data);
    const { stdout, stderr, exitCode } = await run(['plan', '--root', root, '--output', 'json']);
    expect({ stdout, stderr, exitCode }).toEqual(underNode(root, vector.kubelet));
    await close();
  });
});

function facts(kubelet: string | undefined) {
  return generatorData(catalog, kubelet);
}

function underNode(root: string, kubelet: string | undefined) {
  const result = { stdout: '', stderr: '' };
  const output = {
    out: (text: string) => {
      result.stdout += text;
    },
    err: (text: string) => {
      result.stderr += text;
    },
  };
  const exitCode = main(['plan', '--root', root, '--output', 'json'], nodeHost(root), output, facts(kubelet));
  return { ...result, exitCode };
}

const own = ownArchitecture();
describe.skipIf(own === undefined || runnable.get(own) !== true)('a program in a runner', () => {
  async function program(bundle: string) {
    return writeProgram(own ?? 'amd64', join(temporaryDirectory(), 'program'), bundle, '{"key":"né"}');
  }

  test('gets its arguments and data, and exits with the status it sets', async () => {
    const run = await program(
      "import * as h from 'host'; h.put(1, JSON.stringify([h.words(), h.data()])); h.endWith(5);",
    );
    const { stdout, exitCode } = await run(['a b', '', 'né']);
    expect({ stdout, exitCode }).toEqual({ stdout: '[["a b","","né"],"{\\"key\\":\\"né\\"}"]', exitCode: 5 });
  });

  test('reads files without a size in stat, and the host name', async () => {
    const run = await program(
      "import * as h from 'host'; h.endWith(h.put(1, h.read('/proc/sys/kernel/ostype', 99) + h.nodeName()));",
    );
    expect((await run([])).stdout).toBe(`Linux\n${hostname()}`);
  });

  test.each([
    ['an exception', "throw new Error('no luck')", 'kubelet-confgen: Error: no luck'],
    ['an unhandled rejection', "Promise.reject(new Error('no luck'))", 'kubelet-confgen: Error: no luck'],
    ['a rejected await', "await Promise.reject('no luck')", 'kubelet-confgen: no luck'],
    ['a syntax error', 'const const', 'kubelet-confgen: SyntaxError'],
    ['a promise that never settles', 'await new Promise(() => {})', 'kubelet-confgen: the program waits'],
    ['infinite recursion', 'const f = () => 1 + f(); f()', 'kubelet-confgen: InternalError: stack overflow'],
    ['unlimited allocation', "let s = 'x'; for (;;) s += s + 1", 'kubelet-confgen: InternalError'],
    ['a missing module', "import 'std'", 'kubelet-confgen: ReferenceError'],
  ])('exits with 1 and a message after %s', async (_, code, message) => {
    const run = await program(`import { endWith } from 'host'; endWith(0);\n${code}`);
    const { exitCode, stderr } = await run([]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(message);
  });

  test('exits with 0 when a rejection is handled later', async () => {
    const run = await program(
      "import { endWith } from 'host'; const p = Promise.reject(1); await 0; p.catch(() => endWith(0));",
    );
    expect((await run([])).exitCode).toBe(0);
  });

  test('reports that its output cannot be written', async () => {
    const file = join(temporaryDirectory(), 'generator');
    const run = await writeProgram(own ?? 'amd64', file, generator, JSON.stringify(generatorData(catalog, '1.36.4')));
    const full = await run(['plan'], { shell: '"$@" > /dev/full' });
    expect(full.exitCode).toBe(1);
    expect(full.stderr).toBe('kubelet-confgen: cannot write the output: no space left on device');
  });

  test('reports that the runner is empty', async () => {
    const { findRunner } = await import('../../src/runner/find-runner.ts');
    const { execa } = await import('execa');
    const { exitCode, stderr } = await execa((await findRunner(own ?? 'amd64')) ?? '', { reject: false });
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: 'kubelet-confgen: this runner contains no program' });
  });
});
