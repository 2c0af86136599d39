/** An IP address as 16-bit groups: two for IPv4, eight for IPv6. */
interface Address {
  readonly family: 4 | 6;
  readonly groups: readonly number[];
}

/** A network: an address whose bits after the prefix are zero. */
export interface Cidr {
  readonly family: 4 | 6;
  /** Lower case; IPv6 in the form of RFC 5952. */
  readonly text: string;
  /** The tenth address after the network address, which kubeadm uses for the cluster's DNS. */
  readonly tenth: string;
  readonly prefix: number;
}

/** The canonical form of an address (RFC 5952 for IPv6); undefined for other text, including zones (`%eth0`). */
export function canonicalAddress(text: string): string | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : format(address);
}

/** 4 or 6; undefined for text that is not an address. */
export function addressFamily(text: string): 4 | 6 | undefined {
  return parseAddress(text)?.family;
}

/**
 * Parses `10.96.0.0/12` or `fd00:10:96::/112` (RFC 4632, RFC 4291). Clears the host bits, as kubeadm does.
 *
 * @returns undefined for text that is not a network, and for a network without a tenth address
 */
export function parseCidr(text: string): Cidr | undefined {
  const found = /^([0-9A-Fa-f.:]{2,45})\/(\d{1,3})$/.exec(text);
  const address = found === null ? undefined : parseAddress(found[1] ?? '');
  const prefix = Number(found?.[2]);
  if (address === undefined || prefix > address.groups.length * 16) return undefined;
  const groups = address.groups.map((group, index) => {
    const bits = Math.min(16, Math.max(0, prefix - index * 16));
    return group & (0xffff << (16 - bits)) & 0xffff;
  });
  // The tenth address needs four host bits.
  if (address.groups.length * 16 - prefix < 4) return undefined;
  const last = groups.length - 1;
  const tenth = groups.map((group, index) => (index === last ? group + 10 : group));
  const { family } = address;
  return { family, prefix, text: `${format({ family, groups })}/${prefix}`, tenth: format({ family, groups: tenth }) };
}

/** One network, or one of each family separated by a comma (dual stack); undefined for other text. */
export function parseCidrs(text: string): readonly Cidr[] | undefined {
  const found = text.split(',', 3).map((each) => parseCidr(each.trim()));
  const networks = found.filter((each): each is Cidr => each !== undefined);
  if (networks.length !== found.length || networks.length > 2) return undefined;
  return networks[0]?.family === networks[1]?.family ? undefined : networks;
}

function parseAddress(text: string): Address | undefined {
  if (text.length > 45) return undefined;
  if (!text.includes(':')) {
    const groups = parseIpv4(text);
    return groups === undefined ? undefined : { family: 4, groups };
  }
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map(parseGroups);
  if (head === undefined) return undefined;
  if (halves.length === 1) return head.length === 8 ? { family: 6, groups: head } : undefined;
  // An IPv4 part is only allowed at the end.
  if (tail === undefined || head.length + tail.length > 7 || halves[0]?.includes('.')) return undefined;
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => 0);
  return { family: 6, groups: [...head, ...zeros, ...tail] };
}

function parseGroups(text: string): readonly number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (let index = 0; index < parts.length; index += 1) {
    const part = parts[index] ?? '';
    const mapped = index === parts.length - 1 && part.includes('.') ? parseIpv4(part) : undefined;
    if (mapped !== undefined) groups.push(...mapped);
    else if (/^[0-9A-Fa-f]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

/** Rejects leading zeros, which some parsers read as octal (CVE-2021-29923). */
function parseIpv4(text: string): readonly number[] | undefined {
  const found = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (found === null) return undefined;
  const parts = found.slice(1);
  if (parts.some((part) => Number(part) > 255 || (part.length > 1 && part.charAt(0) === '0'))) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = parts.map(Number);
  return [a * 256 + b, c * 256 + d];
}

function format({ family, groups }: Address): string {
  if (family === 4) return groups.flatMap((group) => [group >> 8, group & 0xff]).join('.');
  const runs = groups.map((_, start) => {
    const end = groups.findIndex((group, index) => index >= start && group !== 0);
    return (end === -1 ? groups.length : end) - start;
  });
  const longest = Math.max(...runs);
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
  if (longest < 2) return hex(groups);
  const start = runs.indexOf(longest);
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + longest))}`;
}
