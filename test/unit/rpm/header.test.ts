import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bin,
  encodeHeader,
  type HeaderEntry,
  int16,
  int32,
  int64,
  string,
  stringArray,
} from '../../../src/rpm/header.ts';
import { bodyLength, decodeHeader, numbersOf, textsOf } from '../../../src/rpm/read-header.ts';
import { KubeparcelError } from '../../../src/support/errors.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((value) => !value.includes('\0'));
const value = fc.oneof(
  fc.array(fc.nat(0xffff), { minLength: 1, maxLength: 5 }).map(int16),
  fc.array(fc.nat(0xffffffff), { minLength: 1, maxLength: 5 }).map(int32),
  fc.array(fc.maxSafeNat(), { minLength: 1, maxLength: 5 }).map(int64),
  text.map(string),
  fc.array(text, { minLength: 1, maxLength: 5 }).map(stringArray),
  fc.uint8Array({ minLength: 1, maxLength: 20 }).map(bin),
);
const entries: fc.Arbitrary<HeaderEntry[]> = fc.uniqueArray(fc.tuple(fc.integer({ min: 100, max: 6000 }), value), {
  selector: ([tag]) => tag,
  maxLength: 12,
});

/** A header with an int32 (1000) and a string (1001). */
const SAMPLE: readonly HeaderEntry[] = [
  [1000, int32([1, 2])],
  [1001, string('word')],
];

describe('headers', () => {
  test('are unchanged after encoding and decoding', () => {
    fc.assert(
      fc.property(entries, (written) => {
        const bytes = encodeHeader('immutable', written);
        expect(bodyLength(bytes.subarray(0, 16), 'immutable')).toBe(bytes.length - 16);
        const header = decodeHeader(bytes, 'immutable');
        expect([...header.values.keys()]).toEqual(written.map(([tag]) => tag).sort((a, b) => a - b));
        for (const [tag, stated] of written) {
          if ('numbers' in stated) expect(numbersOf(header, tag)).toEqual(stated.numbers);
          else if ('strings' in stated) expect(textsOf(header, tag)).toEqual(stated.strings);
          else expect(Buffer.from(header.values.get(tag)?.bytes ?? [])).toEqual(Buffer.from(stated.bytes));
        }
      }),
    );
  });

  test('begin with the region tag and end with its trailer', () => {
    const bytes = Buffer.from(encodeHeader('immutable', SAMPLE));
    expect(bytes.subarray(16, 32).toString('hex')).toBe('0000003f000000070000000d00000010');
    expect(bytes.subarray(-16).toString('hex')).toBe('0000003f00000007ffffffd000000010');
  });

  test('of random bytes give a KubeparcelError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 40, maxLength: 200 }), fc.nat(4), (noise, count) => {
        const bytes = Buffer.from(encodeHeader('signatures', []));
        bytes.writeUInt32BE(count, 8);
        expect(() => decodeHeader(Buffer.concat([bytes.subarray(0, 16), noise]), 'signatures')).toThrow(
          KubeparcelError,
        );
      }),
    );
  });

  const at = (position: number, field: number) => 16 + position * 16 + field * 4;
  const damaged = (offset: number, number: number) => {
    const bytes = Buffer.from(encodeHeader('immutable', SAMPLE));
    bytes.writeInt32BE(number, offset);
    return () => decodeHeader(bytes, 'immutable');
  };
  test.each([
    ['another region tag', damaged(at(0, 0), 62), /no region tag/],
    ['a region that ends before the store', damaged(at(0, 2), 0), /no region tag/],
    ['a trailer with a wrong offset', damaged(at(3, 2) + 13 - 8, 0x7fffffff), /invalid region trailer/],
    ['an unknown type', damaged(at(1, 1), 77), /unknown type 77/],
    ['type 0', damaged(at(1, 1), 0), /unknown type 0/],
    ['a value before the store', damaged(at(1, 2), -4), /misplaced value/],
    ['a value after the store', damaged(at(2, 2), 1 << 20), /misplaced value/],
    ['an unaligned number', damaged(at(1, 2), 1), /misplaced value/],
    ['overlapping values', damaged(at(2, 2), 4), /misplaced value/],
    ['no items', damaged(at(1, 3), 0), /invalid count of 0 /],
    ['more items than bytes', damaged(at(1, 3), -1), /invalid count of 4294967295/],
    ['numbers beyond the store', damaged(at(1, 3), 9), /value with no end/],
    ['a string with two items', damaged(at(2, 3), 2), /value with no end/],
    ['a tag twice', damaged(at(2, 0), 1000), /tag 1000 twice/],
    ['a tag outside the region', damaged(at(1, 0), 61), /outside the region/],
  ])('with %s are rejected', (_, decode, message) => {
    expect(decode).toThrow(message);
    expect(decode).toThrow(KubeparcelError);
  });

  test.each([
    ['signatures', 33, 16],
    ['signatures', 1, (64 << 20) + 1],
    ['immutable', 0x10000, 16],
    ['immutable', 0, 16],
    ['immutable', 0xffffffff, 0xffffffff],
  ] as const)(
    'of sizes beyond what rpm reads are refused before they are read (%s, %i entries, %i bytes)',
    (region, entryCount, bytes) => {
      const intro = Buffer.from(encodeHeader(region, [])).subarray(0, 16);
      intro.writeUInt32BE(entryCount, 8);
      intro.writeUInt32BE(bytes, 12);
      expect(() => bodyLength(intro, region)).toThrow(/outside rpm's limits/);
    },
  );

  test('must not have bytes between the values of the signature header', () => {
    const bytes = Buffer.from(
      encodeHeader('signatures', [
        [1000, string('odd')],
        [1001, string('od')],
        [1002, int32([1])],
      ]),
    );
    expect(() => decodeHeader(bytes, 'signatures')).not.toThrow();
    bytes[16 + 4 * 16 + 7] = 1;
    expect(() => decodeHeader(bytes, 'signatures')).toThrow(/unused bytes/);
  });
});
