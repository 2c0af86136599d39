import type { ResolverFacts } from '../model/facts.ts';
import type { HostReader } from './host-reader.ts';

const RESOLV_CONF = '/etc/resolv.conf';

/**
 * Reads the resolver configuration of the host.
 *
 * @param configured resolv.conf files in flags and kubelet configurations
 */
export function readResolver(reader: HostReader, configured: readonly string[]): ResolverFacts {
  const target = reader.resolve(RESOLV_CONF);
  const isLink = target !== RESOLV_CONF;
  const nameservers = nameserversOf(reader.text(RESOLV_CONF) ?? '');
  const isMissing = (path: string) => path.charAt(0) === '/' && reader.kind(path) === 'absent';
  return {
    resolved: reader.kind('/run/systemd/resolve/resolv.conf') === 'file',
    kind: isLink ? 'link' : reader.kind(RESOLV_CONF) === 'absent' ? 'absent' : 'file',
    target: isLink ? target : undefined,
    nameservers,
    loopback: nameservers.some(isLoopback),
    missing: [...new Set(configured)].filter(isMissing).sort(),
  };
}

/** Addresses of `nameserver` lines. The keyword must start its line (resolv.conf(5)). */
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

/** 127.0.0.0/8, ::1 in any spelling, and IPv4-mapped loopback addresses. */
export function isLoopback(address: string): boolean {
  const bare = (address.split('%')[0] ?? '').toLowerCase();
  if (/^127(\.\d{1,3}){3}$/.test(bare)) return true;
  if (/^(0{0,4}:){2,7}(ffff:)127(\.\d{1,3}){3}$/.test(bare)) return true;
  return bare.includes(':') && /^[0:]+1$/.test(bare) && /:0{0,3}1$/.test(bare);
}
