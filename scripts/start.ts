/**
 * Builds the packages of the sample. Run: npm start
 *
 * First builds the runner of kubelet-confgen for this machine. If that fails, builds the packages without the generator and
 * prints a warning.
 */
import { execa } from 'execa';
import { KubeparcelError } from '../src/support/errors.ts';
import { ownArchitecture } from './runners/machines.ts';
import { buildRunners } from './runners.ts';

const architecture = ownArchitecture();
const given = process.argv.slice(2);
const flags = ['build', '--source', 'sample', ...given];

if (architecture !== undefined && !given.includes('--without-confgen')) {
  try {
    const say = (line: string) => process.stderr.write(`npm start: ${line}\n`);
    await buildRunners([architecture], { say, fetchMusl: false });
  } catch (error) {
    if (!(error instanceof KubeparcelError)) throw error;
    process.stderr.write(
      [
        '',
        "WARNING: THE PACKAGES ARE BUILT WITHOUT kubelet-confgen, THE GENERATOR OF THE KUBELET'S CONFIGURATION.",
        `  reason: ${error.message.split('\n')[0]}`,
        ...(error.hint === undefined ? [] : [`  hint:   ${error.hint}; then run npm start again`]),
        '',
        '',
      ].join('\n'),
    );
    flags.push('--without-confgen');
  }
}

const { exitCode } = await execa(process.execPath, ['lib/cli/main.js', ...flags], {
  stdio: 'inherit',
  reject: false,
});
process.exitCode = exitCode ?? 1;
