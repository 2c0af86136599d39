/**
 * Builds the packages of the sample. Run: npm start
 *
 * The runner of kubelet-confgen for this machine is made first; where it cannot be, the packages are built without the
 * generator, which is said aloud.
 */
import { execa } from 'execa';
import { KubeparcelError } from '../src/support/errors.ts';
import { ownArchitecture } from './runners/machines.ts';
import { makeRunners } from './runners.ts';

const architecture = ownArchitecture();
const given = process.argv.slice(2);
const flags = ['build', '--source', 'sample', ...given];

if (architecture !== undefined && !given.includes('--without-confgen')) {
  try {
    const say = (line: string) => process.stderr.write(`npm start: ${line}\n`);
    await makeRunners([architecture], { say, fetchMusl: false });
  } catch (error) {
    if (!(error instanceof KubeparcelError)) throw error;
    process.stderr.write(
      [
        '',
        "WARNING: THE PACKAGES ARE BUILT WITHOUT kubelet-confgen, THE GENERATOR OF THE KUBELET'S CONFIGURATION.",
        `  why:    ${error.message.split('\n')[0]}`,
        ...(error.hint === undefined ? [] : [`  hint:   ${error.hint}; then npm start again`]),
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
