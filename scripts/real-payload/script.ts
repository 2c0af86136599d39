import { realpathSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { EXIT_STATUS, KubeparcelError } from '../../src/support/errors.ts';
import type { Say } from './run.ts';

/** Whether the module of this URL is what Node was called with. */
export function isScript(url: string): boolean {
  return process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(url);
}

/** Makes something, ended by SIGINT and SIGTERM, prints its directory, and says what went wrong as people want to read it. */
export async function runMaking(
  name: string,
  make: (say: Say, signal: AbortSignal) => Promise<{ readonly directory: string; readonly cached: boolean }>,
): Promise<void> {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // Not `once`: execa ends the process by the signal when nobody else seems to listen.
    process.on(signal, () => {
      process.exitCode = 128 + constants.signals[signal];
      if (controller.signal.aborted) {
        process.exit();
      }
      controller.abort();
    });
  }
  const say = (line: string) => process.stderr.write(`${name}: ${line}\n`);
  try {
    const { directory, cached } = await make(say, controller.signal);
    say(cached ? 'found in the cache' : 'made');
    process.stdout.write(`${directory}\n`);
  } catch (error) {
    if (controller.signal.aborted) {
      return;
    }
    if (!(error instanceof KubeparcelError)) {
      throw error;
    }
    const where = error.where === undefined ? '' : `\n  where: ${error.where}`;
    const hint = error.hint === undefined ? '' : `\n  hint: ${error.hint}`;
    say(`${error.message}${where}${hint}`);
    process.exitCode = EXIT_STATUS[error.kind];
  }
}
