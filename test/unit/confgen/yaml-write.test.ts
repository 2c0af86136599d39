import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { type Plain, writeJson, writeYaml, writeYamlDocuments } from '../../../src/confgen/text/yaml-write.ts';

const VERSIONS = ['1.1', '1.2'] as const;

const awkward = [
  ...['', ' ', 'a ', ' a', '-', '- a', '---', '...', '?', ': ', 'a:', 'a: b', 'a #b', '#', '~', '=', '<<', '|', '>'],
  ...['null', 'Null', 'true', 'YES', 'no', 'On', 'off', 'y', 'N', '1', '1.5', '-1', '+1', '1e3', '0x1f', '0o7', '017'],
  ...['1_000', '12:30', '1:2:3.5', '2026-01-01', '.5', '.inf', '.NaN', '1.', '10.96.0.10', 'fd00::a', '::1', 'fd00::'],
  ...[
    '"',
    "'",
    '\\',
    '\t',
    '\n',
    'a\n',
    'a\nb',
    'a\nb\n',
    'a\n\n',
    ' a\nb',
    'a\n  b\n\nc',
    'a \nb',
    '\u0085',
    '\u2028',
    'E0',
    'e-1',
  ],
  ...['é', '\ufeff', '😀', '[a]', '{a}', 'a, b', '@a', '`a`', '!a', '&a', '*a', '%a', '\u0000', '\r\n', 'a\tb', '0b1'],
];

const text = fc.oneof(fc.constantFrom(...awkward), fc.string({ unit: 'grapheme-composite' }), fc.string());
const { data } = fc.letrec<{ data: Plain }>((tie) => ({
  data: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.integer(),
    fc.double({ noNaN: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('data'), { maxLength: 4 }),
    fc.dictionary(
      text.filter((key) => key !== '__proto__'),
      tie('data'),
      { maxKeys: 4, noNullPrototype: true },
    ),
  ),
}));

describe.each(VERSIONS)('parsed as YAML %s', (version) => {
  // Expands unquoted merge keys.
  const read = (yaml: string) => parse(yaml, { version, merge: true });

  test.each(awkward)('%j is preserved as a document, a value, an item and a key', (each) => {
    const value = { a: each, b: [each, { c: each }], [`k${each}`]: 1 };
    expect(read(writeYaml(each))).toBe(each);
    expect(read(writeYaml(value))).toEqual(value);
    expect(read(writeYaml({ [each]: { [each]: [each] } }))).toEqual({ [each]: { [each]: [each] } });
  });

  test('any JSON data is preserved', () => {
    fc.assert(
      fc.property(data, (value) => {
        expect(read(writeYaml(value))).toEqual(value);
      }),
      { numRuns: 400 },
    );
  });
});

test('has the style of Kubernetes tools', () => {
  const value = {
    apiVersion: 'kubeadm.k8s.io/v1beta2',
    tokens: [{ token: 'abcdef.0123456789abcdef', ttl: '24h0m0s', usages: ['signing', 'authentication'] }],
    left: undefined,
    labels: {},
    taints: [],
    data: { kubelet: 'kind: KubeletConfiguration\nport: 10250\n' },
    port: 6443,
    version: '1.30',
    podSubnet: '10.244.0.0/16,fd00:10:244::/56',
  };
  expect(writeYaml(value)).toBe(`apiVersion: kubeadm.k8s.io/v1beta2
tokens:
- token: abcdef.0123456789abcdef
  ttl: 24h0m0s
  usages:
  - signing
  - authentication
labels: {}
taints: []
data:
  kubelet: |
    kind: KubeletConfiguration
    port: 10250
port: 6443
version: "1.30"
podSubnet: 10.244.0.0/16,fd00:10:244::/56
`);
});

test('several documents are separated', () => {
  const documents = [{ a: '---' }, [1], 'b', { text: 'a\n---\nb\n' }];
  const read = parseAllDocuments(writeYamlDocuments(documents));
  expect(Array.isArray(read) && read.map((each) => each.toJS())).toEqual(documents);
});

test('a key of 3,000 characters is preserved', () => {
  const value = { [`${'k'.repeat(3000)} `]: [1], b: { [`${'l'.repeat(3000)}`]: 'c' } };
  expect(parse(writeYaml(value))).toEqual(value);
});

test('JSON omits undefined values, like YAML', () => {
  expect(writeJson({ a: undefined, b: [{ c: undefined }] })).toBe('{\n  "b": [\n    {}\n  ]\n}\n');
});
