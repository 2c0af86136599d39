import { KubeparcelError } from '../support/errors.ts';

/** runners/main.c has the same. */
const MAGIC = 'KUBELET-CONFGEN-SLOT\n';
const SLOT_SIZE = 0x50000;
const DIGITS = 8;
const EMPTY = MAGIC + '0'.repeat(2 * DIGITS);

/**
 * Writes a program into a runner's slot: after the magic the lengths of both texts in bytes (eight decimal digits each,
 * so that they are the same for every byte order), the bundle, a NUL, the data. Pure.
 *
 * @param runner a runner as it was compiled, its slot empty
 * @param bundle an ES module that imports nothing but `host`
 * @param data JSON, which the bundle reads with `host.data()`
 * @returns the program, as long as the runner
 * @throws KubeparcelError of kind 'format' for what is no runner, and when the texts do not fit its slot
 */
export function embed(runner: Uint8Array, bundle: string, data: string): Uint8Array {
  const program = Buffer.from(runner);
  const start = program.indexOf(EMPTY, 0, 'latin1');
  if (start === -1 || start + SLOT_SIZE > program.length || program.indexOf(MAGIC, start + 1, 'latin1') !== -1) {
    throw new KubeparcelError('format', 'this is no runner with one empty slot', { hint: 'npm run runners' });
  }
  const code = Buffer.from(bundle);
  const facts = Buffer.from(data);
  if (code.length === 0 || code.includes(0)) {
    throw new KubeparcelError('format', 'a bundle is text, and not empty', { hint: 'npm run compile' });
  }
  const header = MAGIC + digits(code.length) + digits(facts.length);
  const content = Buffer.concat([Buffer.from(header, 'latin1'), code, Buffer.alloc(1), facts]);
  if (content.length > SLOT_SIZE) {
    throw new KubeparcelError(
      'format',
      `the bundle and its data take ${content.length} bytes, the runner's slot has ${SLOT_SIZE}`,
      { hint: 'make the bundle smaller, or SLOT_SIZE larger in runners/main.c and src/runner/slot.ts' },
    );
  }
  content.copy(program, start);
  return program;
}

function digits(length: number): string {
  return String(length).padStart(DIGITS, '0');
}
