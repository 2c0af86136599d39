import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, expect } from 'vitest';
import { packageRoot } from '../../src/support/package-root.ts';

/** The compiled command, as users run it. */
export const MAIN = join(packageRoot(), 'lib', 'cli', 'main.js');

export interface RunOptions {
  readonly cwd: string;
  /** Added to PATH, HOME and XDG_CACHE_HOME; the last two are below `cwd`. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Starts the command; the promise never rejects. Standard output and error are pipes. Packages are built without the
 * generator unless a flag says otherwise, because the cache of these tests contains no runner.
 */
export function start(args: readonly string[], { cwd, env = {} }: RunOptions) {
  const makes = ['build', 'layout'].includes(args[0] ?? '') && !args.some((word) => /help|confgen/.test(word));
  const words = makes ? [...args, '--without-confgen'] : args;
  return execa(process.execPath, [MAIN, ...words], { ...environment(cwd, env), reject: false });
}

/** The environment of the command: only PATH is taken from the machine. */
export function environment(cwd: string, env: Readonly<Record<string, string>> = {}) {
  return {
    cwd,
    extendEnv: false,
    env: { PATH: process.env.PATH ?? '', HOME: cwd, XDG_CACHE_HOME: join(cwd, '.cache'), ...env },
    stdin: 'ignore',
  } as const;
}

/** Runs the command to its end. */
export async function run(args: readonly string[], options: RunOptions) {
  const { exitCode, signal, stdout, stderr } = await start(args, options);
  return { exitCode, signal, stdout, stderr };
}

/** Like `run`, for a command that must succeed. @returns its standard output */
export async function succeed(args: readonly string[], options: RunOptions): Promise<string> {
  const { exitCode, stdout, stderr } = await run(args, options);
  expect(exitCode, stderr).toBe(0);
  return stdout;
}

/** Expects a failure with this exit status, one message that matches, and no stack trace. */
export async function expectFailure(
  args: readonly string[],
  options: RunOptions,
  exitCode: number,
  message: string | RegExp,
): Promise<string> {
  const ended = await run(args, options);
  const from = ended.stderr.indexOf('kubeparcel: ');
  const text = ended.stderr.slice(from);
  expect(text).toMatch(message);
  expect(text.match(/^kubeparcel: /gm)).toHaveLength(1);
  expect(text).not.toMatch(/^\s+at |bug in kubeparcel|undefined|\[object/m);
  expect(ended.exitCode, text).toBe(exitCode);
  return text;
}

/** A directory that is removed after the tests of the file. */
export function directoryOfFile(): string {
  const directory = mkdtempSync(join(tmpdir(), 'kubeparcel-e2e-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export interface CliEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** Parses the output of `--json`. */
export function events(stdout: string): CliEvent[] {
  return stdout.split('\n').map((line) => JSON.parse(line) as CliEvent);
}

export function sha256Of(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** SHA-256 by name of the packages in a directory. */
export function packagesIn(directory: string): Record<string, string> {
  const names = existsSync(directory) ? readdirSync(directory).filter((name) => /\.(deb|rpm)$/.test(name)) : [];
  return Object.fromEntries(names.sort().map((name) => [name, sha256Of(join(directory, name))]));
}

/** All paths below a directory, including hidden ones, sorted. */
export function everythingIn(directory: string): string[] {
  return existsSync(directory) && statSync(directory).isDirectory()
    ? readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()
    : [];
}
