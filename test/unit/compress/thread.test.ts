import { describe, expect, test } from 'vitest';
import { Thread, ThreadPool } from '../../../src/compress/threads/thread.ts';

const double = 'async ({ by }) => (call) => { if (call < 0) throw new RangeError("below zero"); return call * by; }';
const start = () => new Thread<number, number>(double, { by: 2 });

describe('a thread', () => {
  test.each([false, true])('answers one call after another (eager: %s)', async (eager) => {
    const thread = new Thread<number, number>(double, { by: 3 }, { eager });
    expect([await thread.run(2), await thread.run(5)]).toEqual([6, 15]);
    await expect(thread.run(-1)).rejects.toThrow('below zero');
    expect(await thread.run(1)).toBe(3);
    await thread.close();
    await expect(thread.run(1)).rejects.toThrow('the thread has ended');
  });

  test('reports the code of a system error', async () => {
    const open = `() => (path) => require('node:fs').openSync(path)`;
    const thread = new Thread<string, number>(open, undefined);
    await expect(thread.run('/nowhere/at all')).rejects.toMatchObject({ code: 'ENOENT', syscall: 'open' });
    await thread.close();
  });

  test.each([
    ['that fails to start', 'async () => { throw new Error("no library"); }', 'no library'],
    ['that exits', '() => () => process.exit(3)', 'the thread has ended'],
  ])('%s rejects its calls', async (_, source, message) => {
    const thread = new Thread<number, number>(source, undefined);
    await expect(thread.run(1)).rejects.toThrow(message);
    await thread.close();
  });
});

describe('a pool of threads', () => {
  const counting = (size: number) => {
    const started: Thread<number, number>[] = [];
    const begin = () => {
      const thread = start();
      started.push(thread);
      return thread;
    };
    return { started, pool: new ThreadPool(size, begin) };
  };

  test('starts at most its size of threads and completes all calls', async () => {
    const { started, pool } = counting(2);
    const numbers = Array.from({ length: 20 }, (_, index) => index);
    const answers = numbers.map((number) => pool.with((thread) => thread.run(number)));
    expect(await Promise.all(answers)).toEqual(numbers.map((number) => 2 * number));
    expect(started).toHaveLength(2);
    await pool.close();
  });

  test('replaces a failed thread and continues with waiting calls', async () => {
    const { started, pool } = counting(1);
    const [bad, good] = [pool.with((thread) => thread.run(-1)), pool.with((thread) => thread.run(4))];
    await expect(bad).rejects.toThrow('below zero');
    expect(await good).toBe(8);
    expect(await pool.with((thread) => thread.run(5))).toBe(10);
    expect(started).toHaveLength(2);
    await pool.close();
  });

  test('fill starts all threads, one after another', async () => {
    const { started, pool } = counting(3);
    const filled = pool.fill();
    expect(started).toHaveLength(1);
    await filled;
    expect(started).toHaveLength(3);
    expect(await pool.with((thread) => thread.run(2))).toBe(4);
    expect(started).toHaveLength(3);
    await pool.close();
  });

  test('starts no thread after it was closed', async () => {
    const { started, pool } = counting(3);
    const filled = pool.fill();
    await started[0]?.ready;
    await pool.close();
    await Promise.race([filled, new Promise((resolve) => setTimeout(resolve, 200))]);
    expect(started.length).toBeLessThan(3);
    const begun = started.length;
    await expect(pool.with((thread) => thread.run(1))).rejects.toThrow('closed');
    expect(started).toHaveLength(begun);
  });
});
