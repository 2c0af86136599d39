import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { KubeparcelError } from '../support/errors.ts';
import { version } from '../support/version.ts';
import { buildCommand } from './commands/build.ts';
import { cacheCommand } from './commands/cache.ts';
import { configCommand } from './commands/config.ts';
import { diffCommand } from './commands/diff.ts';
import { fetchCommand } from './commands/fetch.ts';
import { imagesCommand } from './commands/images.ts';
import { initCommand } from './commands/init.ts';
import { inspectCommand } from './commands/inspect.ts';
import { keysCommand } from './commands/keys/keys.ts';
import { layoutCommand } from './commands/layout.ts';
import { repoCommand } from './commands/repo/repo.ts';
import { signCommand } from './commands/sign.ts';
import { templatesCommand } from './commands/templates.ts';
import { testCommand } from './commands/test.ts';
import { renderFailure } from './render/failure.ts';
import { INTERRUPTED, interrupt, wasInterrupted } from './session/interruption.ts';

/** The reader of the output went away: 128 + SIGPIPE, as shells have it. */
const READER_GONE = 141;

/** Does what this process was started for, and leaves the exit status in process.exitCode. */
export async function runCommandLine(): Promise<void> {
  let readerGone = false;
  for (const stream of [process.stdout, process.stderr]) {
    // `kubeparcel inspect FILE | head` is no failure; `kubeparcel build --json | head` stops a build, and cleans up.
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      readerGone = true;
      if (!interrupt()) process.exit(0);
    });
  }

  const commandLine = yargs(hideBin(process.argv))
    .scriptName('kubeparcel')
    .detectLocale(false)
    .usage('$0 COMMAND\n\nBuilds, signs, indexes and tests the DEB and RPM packages of a Kubernetes node.')
    .command(buildCommand)
    .command(fetchCommand)
    .command(layoutCommand)
    .command(inspectCommand)
    .command(diffCommand)
    .command(signCommand)
    .command(keysCommand)
    .command(repoCommand)
    .command(configCommand)
    .command(cacheCommand)
    .command(imagesCommand)
    .command(initCommand)
    .command(templatesCommand)
    .command(testCommand)
    .demandCommand(1, 'name a command')
    .strictCommands()
    .strict()
    .version(version())
    .alias('h', 'help')
    .wrap(Math.min(80, process.stdout.columns ?? 80))
    .example('$0 build --source sample', 'Ten packages in dist/, without a network')
    .example('$0 build 1.36', 'Those of the newest Kubernetes 1.36')
    .epilogue('Documentation: README.md and docs/ of this package')
    .exitProcess(false)
    .fail((message, error) => {
      // yargs throws some of its own findings.
      if (error && error.name !== 'YError') throw error;
      throw new KubeparcelError('usage', message.replace(/\s*\n\s*/g, ' '), { hint: 'see kubeparcel COMMAND --help' });
    });

  try {
    if (hideBin(process.argv).length === 0) {
      commandLine.showHelp((text) => process.stderr.write(`${text}\n`));
      process.exitCode = 2;
    } else {
      await commandLine.parseAsync();
    }
  } catch (error) {
    if (readerGone) {
      process.exitCode = READER_GONE;
    } else if (wasInterrupted()) {
      process.stderr.write('kubeparcel: interrupted; nothing half-written was left\n');
      process.exitCode = INTERRUPTED;
    } else {
      const { text, exitStatus } = renderFailure(error);
      process.stderr.write(`${text}\n`);
      process.exitCode = exitStatus;
    }
  }
}
