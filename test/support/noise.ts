import fc from 'fast-check';

/** Arbitrary UTF-16 units, including lone surrogates and controls, with many characters that have a meaning in formats. */
export function noise(maxLength = 40): fc.Arbitrary<string> {
  const marks = fc.constantFrom(...'\n\n=:"\'\\#[]{},.- \t\r;|>&*0aA_$`');
  const unit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));
  return fc.array(fc.oneof({ weight: 3, arbitrary: marks }, unit), { maxLength }).map((parts) => parts.join(''));
}
