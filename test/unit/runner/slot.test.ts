import { expect, test } from 'vitest';
import { embed } from '../../../src/runner/slot.ts';

const SLOT = 0x50000;
const EMPTY = `KUBELET-CONFGEN-SLOT\n${'0'.repeat(16)}`;

function runner(): Buffer {
  const bytes = Buffer.alloc(1000 + SLOT + 1000, 0x90);
  bytes.fill(0, 1000, 1000 + SLOT);
  bytes.write(EMPTY, 1000, 'latin1');
  return bytes;
}

test('writes the bundle and the data with their lengths into the slot, and changes nothing else', () => {
  const empty = runner();
  const program = Buffer.from(embed(empty, 'né', '{"a":1}'));
  expect(program).toHaveLength(empty.length);
  expect(program.subarray(1000).toString('utf8', 0, 49)).toBe('KUBELET-CONFGEN-SLOT\n0000000300000007né\0{"a":1}\0');
  expect(program.subarray(0, 1000).equals(empty.subarray(0, 1000))).toBe(true);
  expect(program.subarray(1100).equals(empty.subarray(1100))).toBe(true);
  expect(empty.equals(runner())).toBe(true);
});

test('fills the slot to the last byte, and rejects one byte more', () => {
  const space = SLOT - EMPTY.length - 1 - 2;
  expect(embed(runner(), 'x'.repeat(space), '{}')).toHaveLength(SLOT + 2000);
  expect(() => embed(runner(), 'x'.repeat(space + 1), '{}')).toThrow(/the slot of the runner has/);
});

test.each([
  ['a file that is not a runner', Buffer.from('ELF'), 'x'],
  ['a truncated slot', runner().subarray(0, 1000 + SLOT - 1), 'x'],
  ['a slot that is not empty', Buffer.from(embed(runner(), 'x', '{}')), 'x'],
  ['two slots', Buffer.concat([runner(), runner()]), 'x'],
  ['an empty bundle', runner(), ''],
  ['a bundle with a NUL', runner(), 'a\0b'],
])('rejects %s', (_, bytes, bundle) => {
  expect(() => embed(bytes, bundle, '{}')).toThrow();
});
