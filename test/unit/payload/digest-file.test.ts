import { describe, expect, test } from 'vitest';
import { parseDigestList, parsePublishedDigest } from '../../../src/payload/sources/digest-file.ts';

const HEX = 'ab'.repeat(32);

describe('a published digest', () => {
  const parse = (text: string) => parsePublishedDigest(text, 'sha256', 'kubelet', 'https://dl.example/kubelet.sha256');

  test.each([
    HEX,
    `${HEX}\n`,
    `${HEX}\r\n`,
    HEX.toUpperCase(),
    `${HEX}  kubelet\n`,
    `${HEX} *kubelet\n`,
    `${HEX} */work/releases/kubelet`,
  ])('%j', (text) => {
    expect(parse(text)).toEqual({ sha256: HEX });
  });

  test.each([
    ['', 'not a digest file'],
    ['ab'.repeat(20), '40 hex digits'],
    ['ab'.repeat(64), '128 hex digits'],
    [`${HEX}  kubectl`, 'for kubectl, not for kubelet'],
    [`${HEX}\n${HEX}\n`, 'not a digest file'],
    [`sha256:${HEX}`, 'not a digest file'],
    ['<html><body>404</body></html>', 'it is a web page'],
    ['  <?xml version="1.0"?>', 'it is a web page'],
  ])('%j is refused', (text, message) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ kind: 'verification', message: expect.stringContaining(message) }),
    );
  });
});

describe('a list of digests', () => {
  test('in the format of sha256sum is read', () => {
    const text = `${HEX}  amd64/kubelet\n${HEX} *./arm64/kubelet\n\\${HEX}  odd\\\\name\\n\n`;
    expect([...parseDigestList(text, 'SHA256SUMS').keys()]).toEqual(['amd64/kubelet', 'arm64/kubelet', 'odd\\name\n']);
  });

  test.each([
    [`${HEX}  a\n${HEX} b\n`, 'SHA256SUMS:2'],
    [`${HEX}\n`, 'SHA256SUMS:1'],
    [`${HEX}  a\n${'00'.repeat(32)}  ./a\n`, 'SHA256SUMS:2'],
    [`SHA256 (a) = ${HEX}\n`, 'SHA256SUMS:1'],
  ])('%j is refused, with the line number', (text, where) => {
    expect(() => parseDigestList(text, 'SHA256SUMS')).toThrow(expect.objectContaining({ kind: 'config', where }));
  });
});
