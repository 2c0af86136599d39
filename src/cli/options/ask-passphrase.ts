import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { KubeparcelError } from '../../support/errors.ts';

/** Whether the command runs on a terminal and can ask questions. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/**
 * Asks on the terminal without echoing the input.
 *
 * @throws KubeparcelError of kind 'usage' when the input ends before the first line does
 */
export async function askPassphrase(question: string): Promise<string> {
  process.stderr.write(`${question}: `);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await new Promise<string>((resolve, reject) => {
      const refuse = () =>
        reject(new KubeparcelError('usage', 'no passphrase given', { hint: 'type the passphrase and press Enter' }));
      reader.once('line', resolve);
      reader.once('SIGINT', refuse);
      reader.once('close', refuse);
    });
  } finally {
    reader.close();
    process.stderr.write('\n');
  }
}
