import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { KubeparcelError } from '../support/errors.ts';
import { version } from '../support/package-root.ts';
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

/** Exit status after the reader of the output exited: 128 + SIGPIPE, as in shells. */
const READER_EXITED = 141;

/** Runs the command that the arguments of this process name, and sets process.exitCode. */
export async function runCommandLine(): Promise<void> {
  let readerExited = false;
  for (const stream of [process.stdout, process.stderr]) {
    // `kubeparcel inspect FILE | head` succeeds; `kubeparcel build --json | head` stops the build and cleans up.
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      readerExited = true;
      if (!interrupt()) process.exit(0);
    });
  }

  const args = hideBin(process.argv);
  const commandLine = yargs(args)
    .scriptName('kubeparcel')
    .detectLocale(false)
    .usage('$0 COMMAND\n\nBuild, sign, index and test the DEB and RPM packages of a Kubernetes node.')
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
    .demandCommand(1, 'missing command')
    .updateStrings(MESSAGES as unknown as Record<string, string>)
    .strictCommands()
    .strict()
    .version(version())
    .alias('h', 'help')
    .wrap(Math.min(80, process.stdout.columns ?? 80))
    .example('$0 build --source sample', 'Build ten sample packages without a network')
    .example('$0 build 1.36', 'Build the newest Kubernetes 1.36')
    .epilogue('Documentation: README.md and docs/')
    .exitProcess(false)
    .fail((message, error) => {
      // yargs passes an exception of its own for some mistakes.
      if (error && error.name !== 'YError') throw error;
      throw new KubeparcelError('usage', message.replace(/\s*\n\s*/g, ' '), { hint: helpHint(args, message) });
    });

  try {
    if (args.length === 0) {
      commandLine.showHelp((text) => process.stderr.write(`${text}\n`));
      process.exitCode = 2;
    } else {
      await commandLine.parseAsync();
    }
  } catch (error) {
    if (readerExited) {
      process.exitCode = READER_EXITED;
    } else if (wasInterrupted()) {
      process.stderr.write('kubeparcel: interrupted; removed incomplete files\n');
      process.exitCode = INTERRUPTED;
    } else {
      const { text, exitStatus } = renderFailure(error);
      process.stderr.write(`${text}\n`);
      process.exitCode = exitStatus;
    }
  }
}

/** Messages of yargs in the style of the other errors. Plural forms work, but its types do not have them. */
const MESSAGES = {
  'Not enough non-option arguments: got %s, need at least %s': {
    one: 'not enough arguments: got %s, expected at least %s',
    other: 'not enough arguments: got %s, expected at least %s',
  },
  'Missing required argument: %s': { one: 'missing flag or argument: %s', other: 'missing flags or arguments: %s' },
  'Unknown argument: %s': { one: 'unknown flag or argument: %s', other: 'unknown flags or arguments: %s' },
  'Unknown command: %s': { one: 'unknown command: %s', other: 'unknown commands: %s' },
  'Invalid values:': 'invalid value:',
  'Argument: %s, Given: %s, Choices: %s': '%s %s; expected %s',
  'Not enough arguments following: %s': 'missing value for --%s',
  'Arguments %s and %s are mutually exclusive': 'cannot combine --%s with --%s',
};

/** Names the help of the command in the arguments, if it is known. */
function helpHint(args: readonly string[], message: string): string {
  const words = args.slice(0, ['keys', 'repo', 'cache'].includes(args[0] ?? '') ? 2 : 1);
  const known = words.filter((word) => /^[a-z]+$/.test(word) && !message.endsWith(`: ${word}`));
  return `see ${['kubeparcel', ...known, '--help'].join(' ')}`;
}
