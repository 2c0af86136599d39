import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { KubeparcelError } from '../../support/errors.ts';

/** Whether somebody is there who can be asked. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/**
 * Asks on the terminal and shows nothing of what is typed.
 *
 * @throws KubeparcelError of kind 'usage' when the terminal ends before a line does
 */
export async function askPassphrase(question: string): Promise<string> {
  process.stderr.write(`${question}: `);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await new Promise<string>((resolve, reject) => {
      reader.once('line', resolve);
      reader.once('SIGINT', () => reject(interrupted()));
      reader.once('close', () => reject(interrupted()));
    });
  } finally {
    reader.close();
    process.stderr.write('\n');
  }
}

function interrupted(): KubeparcelError {
  return new KubeparcelError('usage', 'no passphrase was given', { hint: 'type one and press Enter' });
}
