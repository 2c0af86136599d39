import { defineCommand, NUMBER, toggle, VALUE } from '../../options/flags.ts';
import { repoDirectory } from '../../options/repo-options.ts';
import { interruptible } from '../../session/interruption.ts';

export const repoServeCommand = defineCommand({
  command: 'serve <dir>',
  describe: 'Serve over HTTP, for testing',
  builder: (yargs) =>
    repoDirectory(yargs)
      .option('port', { ...NUMBER, default: 8080, describe: 'Port; 0 for any free port' })
      .option('host', { ...VALUE, default: '127.0.0.1', describe: 'Address to listen on; 0.0.0.0 for all' })
      .option('quiet', toggle('Do not log requests'))
      .example('$0 repo serve site', 'Print the client configuration and serve')
      .epilogue('Stop with Ctrl-C. For production, publish to a web server or to S3.'),
  handler: async ({ dir, port, host, quiet }) => {
    const { serveRepository } = await import('../../../repo/serve/serve.ts');
    const { openState } = await import('../../../repo/transaction/state.ts');
    const { renderServing } = await import('../../render/repo-serve.ts');
    const state = await openState(dir);
    const onRequest = quiet ? undefined : (line: string) => process.stderr.write(`${line}\n`);
    const server = await serveRepository(dir, { port, host, onRequest });
    process.stdout.write(`${renderServing(state, server.url)}\n`);
    const signal = interruptible();
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    await server.close();
  },
});
