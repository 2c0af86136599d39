#!/usr/bin/env node
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { KubeparcelError } from '../support/errors.ts';
import { version } from '../support/version.ts';
import { buildCommand } from './build.ts';
import { diffCommand } from './diff.ts';
import { fetchCommand } from './fetch.ts';
import { initCommand } from './init.ts';
import { inspectCommand } from './inspect.ts';
import { layoutCommand } from './layout.ts';
import { renderFailure } from './render/failure.ts';
import { templatesCommand } from './templates.ts';

/** Ended by Ctrl-C or SIGTERM: 128 + SIGINT, as shells have it. */
const INTERRUPTED = 130;

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // The second one ends at once; temporary files have names of their own and are swept by the next run.
    if (interruption.signal.aborted) process.exit(INTERRUPTED);
    interruption.abort();
  });
}
// `kubeparcel inspect FILE | head` is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  await yargs(hideBin(process.argv))
    .scriptName('kubeparcel')
    .usage('$0 COMMAND\n\nBuilds, inspects and compares the DEB and RPM packages of a Kubernetes node.')
    .command(buildCommand(interruption.signal))
    .command(fetchCommand(interruption.signal))
    .command(layoutCommand(interruption.signal))
    .command(inspectCommand)
    .command(diffCommand)
    .command(initCommand)
    .command(templatesCommand)
    .demandCommand(1, 'name a command')
    .strict()
    .version(version())
    .alias('h', 'help')
    .wrap(Math.min(80, process.stdout.columns ?? 80))
    .epilogue('Documentation: README.md and docs/ of this package')
    .exitProcess(false)
    .fail((message, error) => {
      if (error) throw error;
      throw new KubeparcelError('usage', message.replace(/\n.*/s, ''), { todo: 'see kubeparcel COMMAND --help' });
    })
    .parseAsync();
} catch (error) {
  if (interruption.signal.aborted) {
    process.stderr.write('kubeparcel: interrupted; nothing half-written was left\n');
    process.exitCode = INTERRUPTED;
  } else {
    const { text, exitStatus } = renderFailure(error);
    process.stderr.write(`${text}\n`);
    process.exitCode = exitStatus;
  }
}
