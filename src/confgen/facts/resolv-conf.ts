import type { ResolverFacts } from '../model/facts.ts';
import type { Reading } from './reading.ts';

const RESOLV_CONF = '/etc/resolv.conf';

/**
 * What resolves names on this host.
 *
 * @param named files that flags or configurations name as resolv.conf
 */
export function readResolver(reading: Reading, named: readonly string[]): ResolverFacts {
  const stat = reading.kind(RESOLV_CONF);
  const target = reading.resolve(RESOLV_CONF);
  const link = target !== RESOLV_CONF;
  const nameservers = nameserversOf(reading.text(RESOLV_CONF) ?? '');
  return {
    resolved: reading.kind('/run/systemd/resolve/resolv.conf') === 'file',
    kind: link ? 'link' : stat === 'absent' ? 'absent' : 'file',
    target: link ? target : undefined,
    nameservers,
    loopback: nameservers.some(isLoopback),
    missing: [...new Set(named)].filter((path) => path.charAt(0) === '/' && reading.kind(path) === 'absent').sort(),
  };
}

/** Addresses of `nameserver` lines, resolv.conf(5): the keyword begins its line. */
export function nameserversOf(text: string): readonly string[] {
  const found: string[] = [];
  for (const line of text.split('\n')) {
    if (line.slice(0, 10) !== 'nameserver') continue;
    const [, address] = line.slice(0, 200).split(/[ \t\r]+/);
    if (/^nameserver[ \t]/.test(line) && address !== undefined && /^[0-9A-Fa-f:.]+(%[\w.-]+)?$/.test(address)) {
      found.push(address);
    }
    if (found.length === 16) break;
  }
  return found;
}

/** 127.0.0.0/8, ::1 in any spelling, and IPv4 loopback mapped into IPv6. */
export function isLoopback(address: string): boolean {
  const bare = (address.split('%')[0] ?? '').toLowerCase();
  if (/^127(\.\d{1,3}){3}$/.test(bare)) return true;
  if (/^(0{0,4}:){2,7}(ffff:)127(\.\d{1,3}){3}$/.test(bare)) return true;
  return bare.includes(':') && /^[0:]+1$/.test(bare) && /:0{0,3}1$/.test(bare);
}
