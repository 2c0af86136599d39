import { describe, expect, test } from 'vitest';
import { createPlaces } from '../../../src/compress/threads/places.ts';
import { orAborted, untilAborted } from '../../../src/support/abort.ts';
import { formatChecksummed, parseChecksummed } from '../../../src/support/checksummed-lines.ts';

const reason = new Error('interrupted');

describe('with a signal aborted', () => {
  test('chunks end with its reason, and their source is closed', async () => {
    const stop = new AbortController();
    const seen: (number | string)[] = [];
    const source = async function* () {
      try {
        for (let count = 1; ; count++) yield count;
      } finally {
        seen.push('closed');
      }
    };
    const taking = async () => {
      for await (const count of untilAborted(source(), stop.signal)) {
        seen.push(count);
        if (count === 3) stop.abort(reason);
      }
    };
    await expect(taking()).rejects.toBe(reason);
    expect(seen).toEqual([1, 2, 3, 'closed']);
    await expect(untilAborted([1], stop.signal).next()).rejects.toBe(reason);
  });

  test('a promise is not waited for, however many wait', async () => {
    const stop = new AbortController();
    const warnings: string[] = [];
    const warn = ({ message }: Error) => warnings.push(message);
    process.on('warning', warn);
    const never = new Promise<never>(() => {});
    const waiting = Array.from({ length: 20 }, () => orAborted(never, stop.signal));
    expect(await orAborted(Promise.resolve(1), stop.signal)).toBe(1);
    expect(await orAborted(Promise.resolve(2), undefined)).toBe(2);
    stop.abort(reason);
    for (const one of await Promise.allSettled(waiting)) expect(one).toEqual({ status: 'rejected', reason });
    await expect(orAborted(never, stop.signal)).rejects.toBe(reason);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', warn);
    expect(warnings).toEqual([]);
  });

  test('places are refused to those who wait, and to those who come', async () => {
    const stop = new AbortController();
    const places = createPlaces(1, stop.signal);
    const leave = await places.take(0);
    const waiting = places.take(1);
    stop.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    leave();
    await expect(places.take(2)).rejects.toBe(reason);
  });
});

describe('lines with their sum', () => {
  test.each([[['one']], [['one', 'two', '']], [['']]])('%j are themselves again', (lines) => {
    expect(parseChecksummed(formatChecksummed(lines).toString())).toEqual(lines);
  });

  test('are none when any byte is another, or missing', () => {
    const good = formatChecksummed(['a line', 'another']);
    for (let at = 0; at < good.length; at++) {
      const bad = Buffer.from(good);
      bad[at] = (bad[at] ?? 0) ^ 1;
      expect(parseChecksummed(bad.toString()), `byte ${at}`).toBeUndefined();
      expect(parseChecksummed(good.subarray(0, at).toString()), `${at} bytes`).toBeUndefined();
    }
    expect(parseChecksummed(`${good}x`)).toBeUndefined();
    expect(parseChecksummed('\0'.repeat(30))).toBeUndefined();
  });
});
