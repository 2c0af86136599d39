import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { execa } from 'execa';
import { outputFileSync } from 'fs-extra/esm';
import { onTestFinished } from 'vitest';
import type { ScriptName } from '../../src/model/format.ts';
import type { Layout } from '../../src/model/layout.ts';

/** Programs that a hook may call, in addition to those whose calls are logged. */
const REAL = ['cat', 'mkdir', 'mv', 'rm', 'rmdir', 'sha256sum'];

/** Logs the call; `answers` defines failures and output. */
const FAKE = `#!/bin/sh
name=\${0##*/}
printf '%s\\n' "$name $*" >>"$HOOK_LOG"
while read -r status pattern; do
    case "$name $*" in
        $pattern) exit "$status" ;;
    esac
done <"$HOOK_ANSWERS"
exit 0
`;

export interface HookHost {
  readonly root: string;
  /** Writes a file below the root and creates missing directories. */
  put(path: string, text?: string): void;
  has(path: string): boolean;
  text(path: string): string;
  run(layout: Layout, script: ScriptName, args: readonly string[], options?: RunOptions): Promise<HookRun>;
}

export interface RunOptions {
  readonly shell?: readonly string[];
  /** Exit statuses by call, as a shell pattern: `1 systemctl *is-active*`. The first match applies; the default is 0. */
  readonly answers?: readonly string[];
  /** Runs the hook as dpkg does with --force-script-chrootless. */
  readonly chrootless?: boolean;
}

export interface HookRun {
  readonly status: number | undefined;
  readonly output: string;
  /** Calls of the helpers of systemd and dpkg and of the generator, in order. */
  readonly calls: readonly string[];
}

/** A root in which hooks run with helpers that only log their arguments; removed after the test. */
export function hookHost(
  helpers: readonly string[] = ['systemctl', 'deb-systemd-helper', 'deb-systemd-invoke', 'dpkg-maintscript-helper'],
): HookHost {
  const directory = mkdtempSync(join(tmpdir(), 'kubeparcel-hooks-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const root = join(directory, 'root');
  const bin = join(directory, 'bin');
  for (const each of [root, bin]) mkdirSync(each);
  for (const name of REAL) symlinkSync(realProgram(name), join(bin, name));
  const log = join(directory, 'log');
  const answers = join(directory, 'answers');
  const fake = (path: string) => {
    outputFileSync(path, FAKE);
    chmodSync(path, 0o755);
  };
  for (const name of helpers) fake(join(bin, name));
  return {
    root,
    put(path, text) {
      if (text === undefined) fake(join(root, path));
      mkdirSync(dirname(join(root, path)), { recursive: true });
      if (text !== undefined) writeFileSync(join(root, path), text);
    },
    has: (path) => existsSync(join(root, path)),
    text: (path) => readFileSync(join(root, path), 'utf8'),
    async run(layout, script, args, { shell = ['/bin/sh'], answers: statuses = [], chrootless = false } = {}) {
      const path = join(directory, 'script');
      writeFileSync(path, hookText(layout, script, chrootless ? undefined : root));
      writeFileSync(log, '');
      writeFileSync(answers, statuses.map((each) => `${each}\n`).join(''));
      const [program = '', ...words] = shell;
      const { exitCode, all } = await execa(program, [...words, path, ...args], {
        reject: false,
        all: true,
        stdin: 'ignore',
        extendEnv: false,
        env: {
          PATH: bin,
          HOOK_LOG: log,
          HOOK_ANSWERS: answers,
          LC_ALL: 'C',
          ...(chrootless ? { DPKG_ROOT: root } : {}),
        },
      });
      const calls = readFileSync(log, 'utf8').split('\n').slice(0, -1);
      return { status: exitCode, output: all, calls: calls.map((call) => call.replaceAll(root, '')) };
    },
  };
}

/** The text of a hook, optionally for another root, which each hook sets in one line. */
export function hookText(layout: Layout, script: ScriptName, root?: string): string {
  const hook = layout.scripts[script];
  if (hook === undefined) throw new Error(`${layout.name} has no ${script}`);
  const text = `#!${hook.interpreter}\n${hook.body}${hook.body.endsWith('\n') ? '' : '\n'}`;
  if (root === undefined) return text;
  const lines = text.split('\n').filter((line) => /^root=/.test(line));
  if (lines.length !== 1) throw new Error(`${layout.name}.${script} names its root ${lines.length} times`);
  return text.replace(/^root=.*$/m, () => `root='${root}'`);
}

function realProgram(name: string): string {
  const directory = (process.env.PATH ?? '').split(delimiter).find((each) => existsSync(join(each, name)));
  if (directory === undefined) throw new Error(`${name} is not installed`);
  return join(directory, name);
}
