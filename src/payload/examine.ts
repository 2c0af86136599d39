import type { Architecture } from '../model/architecture.ts';
import type { PayloadFile } from '../model/payload.ts';
import { KubeparcelError } from '../support/errors.ts';
import { readElf, startsAsElf } from './elf.ts';
import type { RandomAccess } from './store/random-access.ts';

export interface Expectation {
  readonly architecture: Architecture;
  /**
   * - program: must be a binary
   * - data: its archive says that it is not executable, and it is taken as it is
   * - either: nothing says so; a binary or plain text
   */
  readonly role: 'program' | 'data' | 'either';
  /** The embedded sample's programs are scripts. */
  readonly scripts: boolean;
  /** For errors. */
  readonly where: string;
}

const TEXT_HEAD = 1 << 16;

/**
 * Tells what a file of the payload is: a binary of the right architecture, a script of the sample, or text.
 *
 * @throws KubeparcelError of kind 'format' for a binary of another architecture and for what should be one and is not
 */
export async function examineFile(
  bytes: RandomAccess,
  expected: Expectation,
): Promise<Pick<PayloadFile, 'executable' | 'libraries'>> {
  const { where, architecture } = expected;
  const head = await bytes.read(0, TEXT_HEAD);
  if (startsAsElf(head)) {
    const elf = await readElf(bytes, where);
    if (elf.architecture !== architecture) {
      throw new KubeparcelError('format', `a binary for ${elf.architecture}, where one for ${architecture} is wanted`, {
        where,
        hint: 'put the right binary there; a source or mirror that gives this one is not to be trusted',
      });
    }
    return { executable: true, libraries: elf.libraries };
  }
  if (head.subarray(0, 2).toString('latin1') === '#!') {
    if (expected.scripts) {
      return { executable: true, libraries: [] };
    }
    throw new KubeparcelError('format', 'a script, where a binary is wanted', { where });
  }
  if (expected.role === 'program' || (expected.role === 'either' && head.includes(0))) {
    throw new KubeparcelError('format', 'not a Linux binary (no ELF header)', { where });
  }
  return { executable: false, libraries: [] };
}
