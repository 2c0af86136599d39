import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { readYamlScalars } from '../../../../src/confgen/text/yaml-scalars.ts';
import { noise } from '../../../support/noise.ts';

function read(text: string): unknown {
  const result = readYamlScalars(text);
  if (result.kind === 'unclear') return `line ${result.line}`;
  return Object.fromEntries(
    [...result.values].map(([key, value]) => [key, 'text' in value ? value.text : `<${value.kind}>`]),
  );
}

const KUBEADM = `apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  anonymous:
    enabled: false
  webhook:
    cacheTTL: 0s
clusterDNS:
- 10.96.0.10
cgroupDriver: systemd
containerRuntimeEndpoint: ""
kind: KubeletConfiguration
logging:
  flushFrequency: 0
  options:
    json:
      infoBufferSize: "0"
resolvConf: /run/systemd/resolve/resolv.conf
`;

describe('the top level of a KubeletConfiguration', () => {
  it('is read from a file of kubeadm', () => {
    expect(read(KUBEADM)).toMatchObject({
      cgroupDriver: 'systemd',
      containerRuntimeEndpoint: '',
      resolvConf: '/run/systemd/resolve/resolv.conf',
      authentication: '<other>',
      clusterDNS: '<other>',
    });
  });

  it.each<readonly [string, unknown]>([
    ['', {}],
    ['# nothing\n---\n', {}],
    ['a: b # c', { a: 'b' }],
    ['a: b#c', { a: 'b#c' }],
    ["\"a\": \"b\\tc\"\n'd': 'it''s'", { a: 'b\tc', d: "it's" }],
    ['a:\nb: ~\nc: null', { a: '<null>', b: '<null>', c: '<null>' }],
    ['a: unix:///run/x.sock', { a: 'unix:///run/x.sock' }],
    ['a: |\n  resolvConf: /x\nb: 1', { a: '<other>', b: '1' }],
    ['a:\n  c: |\n    resolvConf: /x\n   \nb: 1', { a: '<other>', b: '1' }],
    ['a: "x\n\n  y"\nb: 1', { a: '<other>', b: '1' }],
    ['a: [1,\n  {b: c}]\nd: e', { a: '<other>', d: 'e' }],
    ['{"a": "b", "c": {"a": "d"}, "e": [1, true]}\n', { a: 'b', c: '<other>', e: '<other>' }],
    ['{a: b, c: null}', { a: 'b', c: '<null>' }],
    ['a: b\r\nc: d\r\n', { a: 'b', c: 'd' }],
  ])('is read from %j', (text, value) => {
    expect(read(text)).toEqual(value);
  });

  it.each<readonly [string, string]>([
    ['a: b\na: c', 'line 2'],
    ['a: b\n---\na: c', 'line 2'],
    ['a: b\n  c', 'line 2'],
    ['a: &x b', 'line 1'],
    ['a: *x', 'line 1'],
    ['a: !!str b', 'line 1'],
    ['- a', 'line 1'],
    ['a: "b', 'line 1'],
    ['a: [b', 'line 1'],
    ['{a: b', 'line 1'],
    ['{a: b}\nc: d', 'line 2'],
    ['%YAML 1.1\n---\na: b', 'line 1'],
    ['a: b: c', 'line 1'],
    ['\ta: b', 'line 1'],
    ['<<: {a: b}', 'line 1'],
    ['plain text', 'line 1'],
  ])('is unclear in %j', (text, line) => {
    expect(read(text)).toBe(line);
  });

  it('is read in linear time', () => {
    const started = Date.now();
    for (const text of [
      'a',
      ' ',
      '\n',
      'a:\n',
      '- ',
      '"',
      '{',
      '[',
      "''",
      'a: |\n',
      ' a: [\n',
      '#',
      '\\',
      'a: "\\',
      ': ',
    ]) {
      readYamlScalars(text.repeat(1_000_000 / text.length));
      readYamlScalars(`a:\n${` ${text}`.repeat(500_000 / text.length)}`);
    }
    expect(Date.now() - started).toBeLessThan(4_000);
  });

  it('is unclear, or the same as in the yaml library', () => {
    let clear = 0;
    fc.assert(
      fc.property(soup(), (text) => {
        const mine = readYamlScalars(text);
        if (mine.kind === 'unclear') return;
        const documents = parseAllDocuments(text, { version: '1.1', merge: false, logLevel: 'error' });
        const theirs: unknown = 'empty' in documents ? null : documents[0]?.toJS();
        // The kubelet rejects invalid YAML: only readings of valid documents must agree.
        if (!('empty' in documents) && documents.some(({ errors }) => errors.length > 0)) return;
        // The yaml library overlooks the wrong column of an empty key ("c:\n  d: e\n : "); the kubelet's parser rejects it.
        if (typeof theirs === 'object' && theirs !== null && '' in theirs && /^ +:/m.test(text)) return;
        expect('empty' in documents ? 0 : documents.length).toBeLessThanOrEqual(1);
        if (mine.values.size > 0) clear += 1;
        const entries = [...mine.values].map(([key, value]) => {
          const other =
            typeof theirs === 'object' && theirs !== null ? (theirs as Record<string, unknown>)[key] : theirs;
          if (value.kind === 'other') return [key, other];
          if (value.kind === 'null') return [key, null];
          return [key, typeof other === 'string' || value.kind === 'quoted' ? value.text : other];
        });
        expect(theirs ?? {}).toEqual(Object.fromEntries(entries));
      }),
      { numRuns: 20_000 },
    );
    expect(clear).toBeGreaterThan(300);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(noise(), (text) => {
        expect(['mapping', 'unclear']).toContain(readYamlScalars(text).kind);
      }),
      { numRuns: 2_000 },
    );
  });
});

/** Fragments of YAML in any order: many results are almost valid. */
function soup(): fc.Arbitrary<string> {
  const lines = ['a: b\n', 'c:\n', '  d: e\n', '- f\n', '  - g: h\n', 'i: "j\n', '  k"\n', 'l: [m,\n', '  n]\n', ']\n'];
  const more = [
    'o: |\n',
    '    p: q\n',
    '"r": \'s\'\n',
    '# t\n',
    '\n',
    '  u: >-\n',
    '{v: w}\n',
    'x: {y: z}\n',
    '   \n',
    "  '\n",
  ];
  const pieces = [
    'a',
    ': ',
    ' ',
    '\n',
    '"',
    "'",
    '- ',
    '#',
    '{',
    '}',
    ',',
    'resolvConf: /x\n',
    '  resolvConf: "/y"\n',
    '---\n',
  ];
  return fc
    .array(fc.constantFrom(...lines, ...lines, ...more, ...pieces), { maxLength: 10 })
    .map((parts) => parts.join(''));
}
