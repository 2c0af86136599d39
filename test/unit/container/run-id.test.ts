import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { isOver, ownRunId } from '../../../src/container/run-id.ts';

test('this run has not ended', () => {
  expect(ownRunId()).toMatch(/^[0-9a-f]{12}\.\d+\.\d+\.\d+$/);
  expect(isOver(ownRunId())).toBe(false);
});

test('a run whose process number was reused has ended', () => {
  const [boot, namespace, pid, start] = ownRunId().split('.');
  expect(isOver([boot, namespace, pid, Number(start) + 1].join('.'))).toBe(true);
});

test('a run before this boot has ended', () => {
  expect(isOver(ownRunId().replace(/^[0-9a-f]{12}/, '0123456789ab'))).toBe(true);
});

test('a run in another PID namespace counts as active', () => {
  const [boot, , ...rest] = ownRunId().split('.');
  expect(isOver([boot, '1', ...rest].join('.'))).toBe(false);
});

test('a run whose process has ended', async () => {
  const child = spawn('true');
  const pid = String(child.pid);
  await once(child, 'exit');
  const [boot, namespace] = ownRunId().split('.');
  expect(isOver([boot, namespace, pid, '1'].join('.'))).toBe(true);
});

test.each(['', 'x', '1.2.3'])('an invalid ID counts as ended: %j', (text) => {
  expect(isOver(text)).toBe(true);
});
