import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../../src/support/package-root.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

interface Counts {
  readonly passed?: number;
  readonly failed?: number;
  readonly skipped?: number;
  readonly todo?: number;
  /** Files that could not be loaded. */
  readonly unloaded?: number;
}

/** What vitest's JSON reporter writes. */
function report({ passed = 0, failed = 0, skipped = 0, todo = 0, unloaded = 0 }: Counts): string {
  return JSON.stringify({
    numPassedTests: passed,
    numFailedTests: failed,
    numPendingTests: skipped,
    numTodoTests: todo,
    success: failed + unloaded === 0,
    testResults: [
      { status: failed > 0 ? 'failed' : 'passed', assertionResults: failed > 0 ? [{ status: 'failed' }] : [] },
      ...Array.from({ length: unloaded }, () => ({ status: 'failed', assertionResults: [] })),
    ],
  });
}

/** What `npm WORDS` does: the reports that it writes, a script, and its exit status. */
interface Stub {
  readonly script?: string;
  readonly reports?: Readonly<Record<string, Counts | string>>;
  readonly status?: number;
}

const INSTALL = 'ci --no-audit --no-fund --loglevel=error';
const ALL: Readonly<Record<string, Stub>> = {
  test: { reports: { main: { passed: 10, skipped: 2 }, containers: { passed: 5 } } },
  'run test:slow': { reports: { slow: { passed: 3, todo: 1 } } },
  'run test:real': { reports: { real: { passed: 2 } } },
};

/** Runs .ci/run with an npm and package tools that do nothing but this; ends it with SIGTERM when it prints `terminateAt`. */
async function run(npm: Readonly<Record<string, Stub>>, terminateAt?: string) {
  const directory = temporaryDirectory();
  const calls = join(directory, 'calls');
  const stub = (name: string, script: string) =>
    writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  for (const name of ['apt-get', 'go', 'sudo']) stub(name, 'exit 0');
  stub('dpkg-query', 'printf installed');
  const cases = Object.entries(npm).map(([words, { reports = {}, script = '', status = 0 }]) => {
    const lines = Object.entries(reports).map(
      ([name, counts]) =>
        `printf %s '${typeof counts === 'string' ? counts : report(counts)}' >"$KUBEPARCEL_TEST_RESULTS/${name}.json"`,
    );
    return [`'${words}')`, ...lines, `echo 'output of npm ${words}' >&2`, script, `exit ${status};;`].join('\n');
  });
  stub('npm', `echo "$*" >>'${calls}'\ncase "$*" in\n${cases.join('\n')}\nesac`);
  const env = {
    PATH: `${directory}${delimiter}${process.env.PATH}`,
    HOME: directory,
    CI: 'true',
    TMPDIR: join(directory, 'tmp'),
  };
  mkdirSync(env.TMPDIR);
  const options = { env, all: true, reject: false, detached: true } as const;
  const running = execa(join(packageRoot(), '.ci', 'run'), [], options);
  running.all.on('data', (chunk: Buffer) => {
    if (terminateAt === undefined || !chunk.toString().includes(terminateAt)) return;
    // The whole group, as a shell or a CI server does.
    if (running.pid !== undefined) process.kill(-running.pid, 'SIGTERM');
  });
  const { all, exitCode } = await running;
  const lines = all.split('\n');
  return {
    last: lines.at(-1),
    sums: lines.filter((line) => /^\d+ passed, \d+ failed, \d+ skipped$/.test(line)).length,
    exitCode,
    calls: readFileSync(calls, 'utf8').trimEnd().split('\n'),
    all,
  };
}

describe('.ci/run', () => {
  test('runs all suites and ends with the sums', async () => {
    const { calls, all, ...rest } = await run(ALL);
    expect(rest, all).toEqual({ last: '20 passed, 0 failed, 3 skipped', sums: 1, exitCode: 0 });
    expect(calls.filter((words) => /test/.test(words))).toEqual(['test', 'run test:slow', 'run test:real']);
    expect(calls).toContain(INSTALL);
  });

  test.each<[what: string, npm: Readonly<Record<string, Stub>>, last: string]>([
    [
      'a test fails',
      { 'run test:slow': { reports: { slow: { passed: 2, failed: 1 } }, status: 1 } },
      '19 passed, 1 failed, 2 skipped',
    ],
    [
      'a file cannot be loaded',
      { 'run test:slow': { reports: { slow: { unloaded: 1 } }, status: 1 } },
      '17 passed, 1 failed, 2 skipped',
    ],
    ['a suite ends without a report', { 'run test:real': { status: 137 } }, '18 passed, 0 failed, 3 skipped'],
    [
      'a report is cut off',
      { 'run test:real': { reports: { real: '{"numPassed' } } },
      '18 passed, 0 failed, 3 skipped',
    ],
  ])('fails when %s', async (_, npm, last) => {
    const { calls: __, all, ...rest } = await run({ ...ALL, ...npm });
    expect(rest, all).toEqual({ last, sums: 1, exitCode: 1 });
  });

  test('runs the tests in containers also when npm test fails before them', async () => {
    const { calls, all, ...rest } = await run({
      ...ALL,
      test: { reports: { main: { passed: 9, failed: 1 } }, status: 1 },
      'run test:containers': { reports: { containers: { passed: 5 } } },
    });
    expect(rest, all).toEqual({ last: '19 passed, 1 failed, 1 skipped', sums: 1, exitCode: 1 });
    expect(calls).toContain('run test:containers');
  });

  test('fails when no test ran', async () => {
    const { calls: _, all, ...rest } = await run({});
    expect(rest, all).toEqual({ last: '0 passed, 0 failed, 0 skipped', sums: 1, exitCode: 1 });
  });

  test('fails when the installation fails, with the status of npm', async () => {
    const { calls, all, ...rest } = await run({ ...ALL, [INSTALL]: { status: 7 } });
    expect(rest, all).toEqual({ last: '0 passed, 0 failed, 0 skipped', sums: 1, exitCode: 7 });
    expect(calls.filter((words) => words !== '--version')).toEqual([INSTALL]);
  });

  test('prints nothing after the sums when it is terminated', async () => {
    const slow = "trap '' TERM\necho begun\nsleep 0.5\necho late";
    const { calls: _, all, ...rest } = await run({ ...ALL, 'run test:slow': { script: slow } }, 'begun');
    expect(rest, all).toEqual({ last: '15 passed, 0 failed, 2 skipped', sums: 1, exitCode: 143 });
    expect(all).toContain('late');
  });
});
