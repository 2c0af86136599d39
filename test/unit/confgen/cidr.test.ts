import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressFamily, canonicalAddress, parseCidr, parseCidrs } from '../../../src/confgen/text/cidr.ts';

test.each([
  ['10.96.0.0/12', '10.96.0.10', '10.96.0.0/12'],
  ['10.96.7.7/12', '10.96.0.10', '10.96.0.0/12'],
  ['192.168.255.240/28', '192.168.255.250', '192.168.255.240/28'],
  ['172.16.0.0/16', '172.16.0.10', '172.16.0.0/16'],
  ['0.0.0.0/0', '0.0.0.10', '0.0.0.0/0'],
  ['fd00:10:96::/112', 'fd00:10:96::a', 'fd00:10:96::/112'],
  ['FD00:0:0:1:0:0:0:0/64', 'fd00:0:0:1::a', 'fd00:0:0:1::/64'],
  ['2001:db8:1:2:3:4:5:fff0/124', '2001:db8:1:2:3:4:5:fffa', '2001:db8:1:2:3:4:5:fff0/124'],
  ['::ffff:10.96.0.0/112', '::ffff:a60:a', '::ffff:a60:0/112'],
  ['::/0', '::a', '::/0'],
])('the DNS address of %s is %s', (network, tenth, canonical) => {
  expect(parseCidr(network)).toMatchObject({ tenth, text: canonical });
});

test.each([
  ...['', '10.96.0.0', '10.96.0.0/', '10.96.0.0/33', '10.96.0/16', '010.96.0.0/12', '256.0.0.0/8', '10.96.0.0/-1'],
  ...['fd00::/129', 'fd00:::/64', 'fd00::1::/64', '1:2:3:4:5:6:7/64', '1:2:3:4:5:6:7:8:9/64', 'fe80::%eth0/64', ':/64'],
  ...['10.96.0.0/29', 'fd00::/125', 'g::/64', '1.2.3.4::/64', '1:2:3:4:5:6:7:1.2.3.4/64', 'x'.repeat(100_000)],
])('rejects %j as a service network', (text) => {
  expect(parseCidr(text)).toBeUndefined();
});

test('dual stack is one network of each family', () => {
  expect(parseCidrs('10.96.0.0/12,fd00::/108')?.map(({ tenth }) => tenth)).toEqual(['10.96.0.10', 'fd00::a']);
  expect(parseCidrs('fd00::/108, 10.96.0.0/12')?.map(({ family }) => family)).toEqual([6, 4]);
  expect(parseCidrs('10.96.0.0/12,10.112.0.0/12')).toBeUndefined();
  expect(parseCidrs('10.96.0.0/12,')).toBeUndefined();
  expect(parseCidrs('10.96.0.0/12,fd00::/108,fd01::/108')).toBeUndefined();
});

test('accepts the addresses that Node accepts, without zones, and gives one spelling for each', () => {
  const texts = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string({ unit: fc.constantFrom(...'0123456789abcdef:.') }));
  fc.assert(
    fc.property(texts, (text) => {
      expect(addressFamily(text)).toBe(isIPv4(text) ? 4 : isIPv6(text) ? 6 : undefined);
      const canonical = canonicalAddress(text);
      if (canonical === undefined) return;
      expect(canonicalAddress(canonical)).toBe(canonical);
      if (isIPv6(text) && !text.includes('.'))
        expect(canonical).toBe(new URL(`http://[${text}]/`).hostname.slice(1, -1));
    }),
    { numRuns: 2000 },
  );
});
