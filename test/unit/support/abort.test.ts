import { describe, expect, test } from 'vitest';
import { SlotQueue } from '../../../src/compress/threads/slot-queue.ts';
import { orAborted, untilAborted } from '../../../src/support/abort.ts';
import { formatChecksummed, parseChecksummed } from '../../../src/support/checksummed-lines.ts';

const reason = new Error('interrupted');

describe('after an abort', () => {
  test('a stream fails with the reason and closes its source', async () => {
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

  test('a pending promise rejects at once, without a warning about listeners', async () => {
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

  test('a slot queue rejects waiting and later requests', async () => {
    const stop = new AbortController();
    const slots = new SlotQueue(1, stop.signal);
    const release = await slots.acquire(0);
    const waiting = slots.acquire(1);
    stop.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    release();
    await expect(slots.acquire(2)).rejects.toBe(reason);
  });
});

describe('lines with a checksum', () => {
  test.each([[['one']], [['one', 'two', '']], [['']]])('%j can be read back', (lines) => {
    expect(parseChecksummed(formatChecksummed(lines).toString())).toEqual(lines);
  });

  test('are rejected if any byte is changed or missing', () => {
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
