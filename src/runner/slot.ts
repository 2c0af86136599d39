import { KubeparcelError } from '../support/errors.ts';

/** The same constants are in runners/main.c. */
const MAGIC = 'KUBELET-CONFGEN-SLOT\n';
const SLOT_SIZE = 0x50000;
const DIGITS = 8;
const EMPTY = MAGIC + '0'.repeat(2 * DIGITS);

/**
 * Writes a program into the slot of a runner: the magic, the lengths of bundle and data in bytes (eight decimal digits
 * each, independent of the byte order), the bundle, a NUL, the data. Pure.
 *
 * @param runner a compiled runner with an empty slot
 * @param bundle an ES module that imports only `host`
 * @param data JSON, which the bundle reads with `host.data()`
 * @returns the program, of the same length as the runner
 * @throws KubeparcelError of kind 'format' if the runner is invalid, or if bundle and data do not fit into the slot
 */
export function embed(runner: Uint8Array, bundle: string, data: string): Uint8Array {
  const program = Buffer.from(runner);
  const start = program.indexOf(EMPTY, 0, 'latin1');
  if (start === -1 || start + SLOT_SIZE > program.length || program.indexOf(MAGIC, start + 1, 'latin1') !== -1) {
    throw new KubeparcelError('format', 'not a runner with an empty slot', { hint: 'run `npm run runners`' });
  }
  const bundleBytes = Buffer.from(bundle);
  const dataBytes = Buffer.from(data);
  if (bundleBytes.length === 0 || bundleBytes.includes(0)) {
    throw new KubeparcelError('format', 'the bundle is empty or contains NUL', { hint: 'run `npm run compile`' });
  }
  const header = MAGIC + digits(bundleBytes.length) + digits(dataBytes.length);
  const content = Buffer.concat([Buffer.from(header, 'latin1'), bundleBytes, Buffer.alloc(1), dataBytes]);
  if (content.length > SLOT_SIZE) {
    throw new KubeparcelError(
      'format',
      `the bundle and its data need ${content.length} bytes, but the slot of the runner has ${SLOT_SIZE}`,
      { hint: 'reduce the bundle, or increase SLOT_SIZE in runners/main.c and src/runner/slot.ts' },
    );
  }
  content.copy(program, start);
  return program;
}

function digits(length: number): string {
  return String(length).padStart(DIGITS, '0');
}
