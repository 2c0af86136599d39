import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatVersionRequest, isSatisfiedBy, parseVersionRequest } from '../../../src/release/version-request.ts';
import { KubeparcelError } from '../../../src/support/errors.ts';

describe('a version argument', () => {
  test.each([
    ['v1.36.4', { kind: 'exact', version: '1.36.4' }],
    ['1.36.4', { kind: 'exact', version: '1.36.4' }],
    ['1.11.0', { kind: 'exact', version: '1.11.0' }],
    ['1.36', { kind: 'minor', minor: '1.36' }],
    ['v1.11', { kind: 'minor', minor: '1.11' }],
    ['stable', { kind: 'stable' }],
    ['1.37.0-rc.1', { kind: 'exact', version: '1.37.0-rc.1' }],
    ['v1.37.0-alpha.0', { kind: 'exact', version: '1.37.0-alpha.0' }],
    ['1.37.0-beta.12', { kind: 'exact', version: '1.37.0-beta.12' }],
  ] as const)('%s', (text, request) => {
    expect(parseVersionRequest(text)).toEqual(request);
  });

  test.each([
    ['1.10.13', 'Kubernetes 1.10 is not supported'],
    ['1.7', 'Kubernetes 1.7 is not supported'],
    ['', 'not a version'],
    ['latest', 'not a version'],
    ['1', 'not a version'],
    ['2.0.0', 'not a version'],
    ['1.036.4', 'not a version'],
    ['1.36.04', 'not a version'],
    ['1.36.4-rc1', 'not a version'],
    ['1.36.4-rc.01', 'not a version'],
    ['1.36.4-gke.1', 'not a version'],
    ['1.36-rc.1', 'not a version'],
    ['1.36.4+k3s1', 'not a version'],
    [' 1.36.4', 'not a version'],
    ['1.36.4\n', 'not a version'],
    ['1.36.4/../..', 'not a version'],
    ['1.36.4.5', 'not a version'],
    ['vv1.36.4', 'not a version'],
  ])('%j is refused, with a hint', (text, what) => {
    const refused = () => parseVersionRequest(text);
    expect(refused).toThrow(what);
    expect(refused).toThrow(KubeparcelError);
    try {
      refused();
    } catch (error) {
      expect(error).toMatchObject({ kind: 'usage', hint: expect.stringMatching(/1\.36\.4.*stable.*rc.*1\.11/) });
    }
  });

  test('any text is a version that formats to the same text, or a usage error', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^v?1\.\d{1,3}(\.\d{1,2}(-[a-z]+\.\d)?)?$/)), (text) => {
        try {
          const request = parseVersionRequest(text);
          expect(parseVersionRequest(formatVersionRequest(request))).toEqual(request);
          expect(text.replace(/^v/, '')).toBe(formatVersionRequest(request));
        } catch (error) {
          expect(error).toMatchObject({ name: 'KubeparcelError', kind: 'usage' });
        }
      }),
    );
  });
});

test.each([
  ['1.36.4', '1.36.4', true],
  ['1.36.4', '1.36.5', false],
  ['1.36', '1.36.5', true],
  ['1.3', '1.36.5', undefined],
  ['1.36', '1.37.0', false],
  ['1.37', '1.37.0-rc.1', false],
  ['stable', '1.37.0-rc.1', false],
  ['stable', '1.37.0', true],
  ['1.37.0-rc.1', '1.37.0-rc.1', true],
])('a request for %s is satisfied by %s: %s', (text, version, satisfied) => {
  if (satisfied === undefined) {
    expect(() => parseVersionRequest(text)).toThrow();
  } else {
    expect(isSatisfiedBy(parseVersionRequest(text), version)).toBe(satisfied);
  }
});
