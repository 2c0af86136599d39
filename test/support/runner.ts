import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { execa } from 'execa';
import { MACHINES, ownArchitecture } from '../../scripts/runners/machines.ts';
import type { Architecture } from '../../src/model/architecture.ts';
import { findRunner } from '../../src/runner/find-runner.ts';
import { embed } from '../../src/runner/slot.ts';
import { hasTool } from './tools.ts';

/**
 * Whether there is a runner for an architecture, and the machine or an emulator can run it. In CI, a missing runner is an
 * error.
 */
export async function canRun(architecture: Architecture): Promise<boolean> {
  const found = (await findRunner(architecture)) !== undefined;
  if (!found && process.env.CI) throw new Error(`no runner for ${architecture}; run npm run runners`);
  return found && (architecture === ownArchitecture() || hasTool(MACHINES[architecture].qemu));
}

/** Writes a program to `path`. @returns a function that runs it */
export async function writeProgram(architecture: Architecture, path: string, bundle: string, data = '{}') {
  const runner = await findRunner(architecture);
  if (runner === undefined) throw new Error(`no runner for ${architecture}`);
  writeFileSync(path, embed(readFileSync(runner), bundle, data));
  chmodSync(path, 0o755);
  const [command = path, ...before] = architecture === ownArchitecture() ? [path] : [MACHINES[architecture].qemu, path];
  return (args: readonly string[], options: { readonly shell?: string } = {}) =>
    options.shell === undefined
      ? execa(command, [...before, ...args], {
          reject: false,
          stdin: 'ignore',
          timeout: 30_000,
          stripFinalNewline: false,
        })
      : execa('sh', ['-c', options.shell, 'sh', command, ...before, ...args], { reject: false, timeout: 30_000 });
}
