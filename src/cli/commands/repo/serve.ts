import type { CommandModule } from 'yargs';
import { WORD } from '../../options/release-options.ts';
import { directory } from '../../options/repo-options.ts';
import { interruptible } from '../../session/interruption.ts';

interface ServeArguments {
  dir: string;
  port: number;
  host: string;
  quiet: boolean;
}

export const repoServeCommand: CommandModule<object, ServeArguments> = {
  command: 'serve <dir>',
  describe: 'Serve a repository over HTTP, for trying',
  builder: (yargs) =>
    directory(yargs)
      .option('port', { ...WORD, type: 'number', default: 8080, describe: 'Port; 0 for any that is free' })
      .option('host', { ...WORD, default: '127.0.0.1', describe: 'Address to listen at; 0.0.0.0 for all' })
      .option('quiet', { type: 'boolean', default: false, describe: 'Do not list requests' })
      .example('$0 repo serve site', 'Prints what apt and dnf are to be told')
      .epilogue('Ends with Ctrl-C. For real use, publish to a web server or to S3.'),
  handler: async ({ dir, port, host, quiet }) => {
    const { serveRepository } = await import('../../../repo/serve/serve.ts');
    const { openState } = await import('../../../repo/transaction/state.ts');
    const { renderServing } = await import('../../render/repo-serve.ts');
    const state = await openState(dir);
    const onRequest = (line: string) => process.stderr.write(`${line}\n`);
    const server = await serveRepository(dir, { port, host, ...(quiet ? {} : { onRequest }) });
    process.stdout.write(`${renderServing(state, server.url)}\n`);
    const signal = interruptible();
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    await server.close();
  },
};
