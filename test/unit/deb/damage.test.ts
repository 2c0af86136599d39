import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { Layout } from '../../../src/model/layout.ts';
import { KubeparcelError } from '../../../src/support/errors.ts';
import { sampleLayout } from '../../support/sample-layout.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { byReference, readBytes, writeBytes } from './packages.ts';

const layout: Layout = {
  ...sampleLayout('deb'),
  license: '',
  scripts: { postinst: { interpreter: '/bin/sh', body: 'set -e\nexit 0\n' } },
};

/** The layout, or the KubeparcelError; any other exception fails the test. */
async function outcome(bytes: Uint8Array, directory: string): Promise<Layout | KubeparcelError> {
  try {
    return (await readBytes(bytes, directory)).layout;
  } catch (error) {
    expect(error).toBeInstanceOf(KubeparcelError);
    return error as KubeparcelError;
  }
}

describe.each(['gzip:9', 'xz:6', 'zstd:12'])('a package compressed with %s', (compression) => {
  test('every flipped byte is detected or does not change the layout', async () => {
    const directory = temporaryDirectory();
    const whole = await writeBytes(layout, directory, compression);
    const expected = byReference(layout);
    let detected = 0;
    for (let index = 0; index < whole.length; index++) {
      const broken = Buffer.from(whole);
      broken[index] = (broken[index] ?? 0) ^ (1 << (index % 8));
      const result = await outcome(broken, directory);
      if (result instanceof KubeparcelError) {
        detected += 1;
      } else {
        expect(result, `byte ${index}`).toEqual(expected);
      }
    }
    // Undetected: times, owners and modes in ar headers, the minor format version and unused bits of compressed streams.
    expect(detected).toBeGreaterThan(whole.length * 0.85);
  });

  test('every truncation is detected', async () => {
    const directory = temporaryDirectory();
    const whole = await writeBytes(layout, directory, compression);
    for (let length = 0; length < whole.length; length++) {
      const result = await outcome(whole.subarray(0, length), directory);
      expect(result, `${length} bytes`).toBeInstanceOf(KubeparcelError);
    }
  });
});

describe('a package without compression', () => {
  test('flipped bytes are detected in files and in the structure of the archive', async () => {
    const directory = temporaryDirectory();
    const whole = await writeBytes(layout, directory, 'none');
    const expected = byReference(layout);
    const changed = new Set<string>();
    for (let index = 0; index < whole.length; index++) {
      if (whole[index] === 0 && index % 61 !== 0) {
        continue; // Most of a tar archive is padding.
      }
      const broken = Buffer.from(whole);
      broken[index] = (broken[index] ?? 0) ^ (1 << (index % 8));
      const result = await outcome(broken, directory);
      if (!(result instanceof KubeparcelError)) {
        for (const key of Object.keys(expected) as (keyof Layout)[]) {
          if (key !== 'entries' && !isDeepStrictEqual(result[key], expected[key])) {
            changed.add(key);
          }
        }
        for (const [at, entry] of expected.entries.entries()) {
          if (!isDeepStrictEqual(result.entries[at], entry)) {
            changed.add(entry.path);
          }
        }
      }
    }
    // Control files and conffiles have no digest. All else is covered by md5sums or the checksum of a tar header.
    expect([...changed].filter((what) => what.startsWith('/'))).toEqual(['/etc/default/kubelet']);
    expect(changed).not.toContain('date');
  });

  test('every truncation is detected', async () => {
    const directory = temporaryDirectory();
    const whole = await writeBytes(layout, directory, 'none');
    for (let length = 0; length < whole.length; length += 41) {
      expect(await outcome(whole.subarray(0, length), directory)).toBeInstanceOf(KubeparcelError);
    }
    expect(await outcome(whole.subarray(0, -1), directory)).toBeInstanceOf(KubeparcelError);
  });
});
