import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Layout } from '../../../src/model/layout.ts';
import { readRpm } from '../../../src/rpm/read.ts';
import { KubeparcelError } from '../../../src/support/errors.ts';
import { pack } from '../../support/rpm.ts';
import { relations, sampleLayout } from '../../support/sample-layout.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** A small package with every feature; each byte is damaged in turn. */
function smallLayout(): Layout {
  const sample = sampleLayout('rpm');
  return { ...sample, relations: relations({}), description: 'd', maintainer: '', homepage: '', section: '' };
}

/** Bytes that neither rpm nor this reader uses, and those that only duplicate a SHA-256. */
function meaningless(name: string): Set<number> {
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  const signatureIndex = 96 + 16;
  return new Set([
    5, // minor format version
    ...range(10 + name.length + 1, 76), // after the name in the lead
    ...range(76, 78), // operating system number
    ...range(80, 96), // reserved
    // Tag numbers of SHA-1, sizes and MD5. With another number they count as missing, which is valid in old packages.
    ...[1, 3, 4, 5].flatMap((entry) => range(signatureIndex + entry * 16, signatureIndex + entry * 16 + 4)),
  ]);
}

async function outcome(path: string, bytes: Uint8Array): Promise<Layout | 'refused'> {
  await writeFile(path, bytes);
  try {
    return (await readRpm(path)).layout;
  } catch (error) {
    expect(error).toBeInstanceOf(KubeparcelError);
    expect(['format', 'verification']).toContain((error as KubeparcelError).kind);
    return 'refused';
  }
}

describe('a damaged package', () => {
  test('is rejected for every damaged byte that has a meaning', async () => {
    const directory = temporaryDirectory();
    const path = await pack(smallLayout(), directory, { codec: 'none', level: 0 });
    const intact = (await readRpm(path)).layout;
    const bytes = await readFile(path);
    const unnoticed: number[] = [];
    for (let at = 0; at < bytes.length; at++) {
      // Bytes that no digest covers are damaged in two ways.
      for (const mask of at < 512 ? [1 << (at % 8), 0xff] : [1 << (at % 8)]) {
        const damaged = Buffer.from(bytes);
        damaged[at] = (bytes[at] ?? 0) ^ mask;
        const read = await outcome(join(directory, 'damaged.rpm'), damaged);
        if (read !== 'refused') {
          expect(read, `byte ${at}`).toEqual(intact);
          unnoticed.push(at);
        }
      }
    }
    expect([...new Set(unnoticed)]).toEqual([...meaningless('kubelet-1.36.4-1')]);
  });

  test.each(['none', 'gzip', 'xz', 'zstd'] as const)('is rejected when it is truncated (%s)', async (codec) => {
    const directory = temporaryDirectory();
    const bytes = await readFile(await pack(smallLayout(), directory, { codec, level: codec === 'none' ? 0 : 3 }));
    const step = codec === 'none' ? 1 : 37;
    for (let length = 0; length < bytes.length; length += step) {
      expect(await outcome(join(directory, 'short.rpm'), bytes.subarray(0, length)), `${length} bytes`).toBe('refused');
    }
    expect(await outcome(join(directory, 'long.rpm'), Buffer.concat([bytes, Buffer.alloc(1)]))).toBe('refused');
  });
});
