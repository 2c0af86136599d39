import type { Architecture } from '../model/architecture.ts';
import type { PayloadFile } from '../model/payload.ts';
import { KubeparcelError } from '../support/errors.ts';
import { readElf, startsAsElf } from './elf.ts';
import type { RandomAccess } from './store/random-access.ts';

export interface Expectation {
  readonly architecture: Architecture;
  /**
   * - program: must be a binary
   * - data: not executable according to its archive; may be anything
   * - either: unknown; a binary or plain text
   */
  readonly role: 'program' | 'data' | 'either';
  /** Accept scripts as programs, as in the embedded sample. */
  readonly scripts: boolean;
  /** The file's name, for errors. */
  readonly where: string;
}

const HEAD_BYTES = 1 << 16;

/**
 * Classifies a file of the payload: a binary of the right architecture, a script of the sample, or text.
 *
 * @throws KubeparcelError of kind 'format' for a binary of another architecture and for a program that is not a binary
 */
export async function examineFile(
  bytes: RandomAccess,
  expected: Expectation,
): Promise<Pick<PayloadFile, 'executable' | 'libraries'>> {
  const { where, architecture } = expected;
  const head = await bytes.read(0, HEAD_BYTES);
  if (startsAsElf(head)) {
    const elf = await readElf(bytes, where);
    if (elf.architecture !== architecture) {
      throw new KubeparcelError('format', `a binary for ${elf.architecture}, expected ${architecture}`, {
        where,
        hint: 'replace it with the right binary; do not trust a source or mirror that serves this one',
      });
    }
    return { executable: true, libraries: elf.libraries };
  }
  if (head.subarray(0, 2).toString('latin1') === '#!') {
    if (expected.scripts) return { executable: true, libraries: [] };
    throw new KubeparcelError('format', 'a script, expected a binary', { where });
  }
  if (expected.role === 'program' || (expected.role === 'either' && head.includes(0))) {
    throw new KubeparcelError('format', 'not a Linux binary (no ELF header)', { where });
  }
  return { executable: false, libraries: [] };
}
