import { chmod, readFile, writeFile } from 'node:fs/promises';
import { execa } from 'execa';
import type { Architecture } from '../../src/model/architecture.ts';
import { embed } from '../../src/runner/slot.ts';
import { KubeparcelError } from '../../src/support/errors.ts';
import { MACHINES, ownArchitecture } from './machines.ts';

/** Tests what differs between architectures most: regular expressions, numbers and byte order. */
const BUNDLE = `import { words, data, put, endWith, nodeName, lstat } from 'host';
const facts = JSON.parse(data());
const seen = [
  words().join('+'),
  /^(?<a>[\\p{L}\\d]+)-\\1$/u.exec('né1-né1').groups.a,
  (0.1 + 0.2).toString(), (2 ** 53 - 1).toString(16), facts.list.sort((a, b) => a - b).join(','),
  String(lstat('/proc') >> 12), String(lstat('/no/such') === -2), typeof nodeName(),
];
await Promise.resolve();
endWith(put(1, seen.join(' ') + '\\n') === 0 ? 7 : 8);
`;
const DATA = JSON.stringify({ list: [30, 4, 100], ключ: '✓' });
const EXPECTED = 'a+b c né1 0.30000000000000004 1fffffffffffff 4,30,100 4 true string';

/**
 * Runs a test bundle in a runner, natively or under qemu.
 *
 * @returns false if this machine cannot run it
 * @throws KubeparcelError of kind 'verification' for an unexpected result
 */
export async function checkRunner(architecture: Architecture, path: string, scratch: string): Promise<boolean> {
  await writeFile(scratch, embed(await readFile(path), BUNDLE, DATA));
  await chmod(scratch, 0o755);
  const command = architecture === ownArchitecture() ? [] : [MACHINES[architecture].qemu];
  const [program = scratch, ...before] = [...command, scratch];
  const { code, exitCode, stdout, stderr } = await execa(program, [...before, 'a', 'b c'], {
    reject: false,
    stdin: 'ignore',
    timeout: 60_000,
  });
  if (code === 'ENOENT') return false;
  if (exitCode !== 7 || stdout !== EXPECTED) {
    throw new KubeparcelError('verification', `the runner for ${architecture} does not work`, {
      where: `status ${exitCode}: ${stdout}\n${stderr}`,
      hint: 'build it with gcc 12 of Debian 12, for example in a container; other compilers are not tested',
    });
  }
  return true;
}
