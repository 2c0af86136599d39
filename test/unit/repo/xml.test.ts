import fc from 'fast-check';
import { expect, test } from 'vitest';
import { attributes, escapeText } from '../../../src/support/xml.ts';

test('values from packages never become markup', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      expect(escapeText(value)).not.toMatch(/[<>]|&(?!(amp|lt|gt|#13);)/);
      expect(attributes({ name: value })).toMatch(/^ name="[^"<>\n\t]*"$/);
    }),
  );
});

test('characters that XML cannot represent are removed', () => {
  expect(escapeText('a\u0000b\u001b[1m\ud800c\ufffe')).toBe('ab[1mc');
  expect(escapeText('ä\tb\n漢😀')).toBe('ä\tb\n漢😀');
  expect(attributes({ name: 'a"b\nc', flags: undefined })).toBe(' name="a&quot;b&#10;c"');
});
