// Allows only public addresses for fetching a client's document: the client chooses the host name, which may resolve to this
// machine, to the cluster's network or to a cloud's metadata service. Pure.
import { BlockList, isIP } from 'node:net';

/** IANA's special-purpose registries, and multicast. */
const SPECIAL_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];
/** Exceptions within 2000::/3, which has all public addresses. Tunnels (2002::/16) lead to any IPv4 address. */
const SPECIAL_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

const special = new BlockList();
for (const [family, subnets] of [
  ['ipv4', SPECIAL_V4],
  ['ipv6', SPECIAL_V6],
] as const)
  for (const subnet of subnets) {
    const [address = '', bits = ''] = subnet.split('/');
    special.addSubnet(address, Number(bits), family);
  }
const publicV6 = new BlockList();
publicV6.addSubnet('2000::', 3, 'ipv6');

/** False for text that is not an address. IPv4 inside IPv6 (::ffff:…, 64:ff9b::…) is outside 2000::/3, so refused. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !special.check(address, 'ipv4');
    case 6:
      return publicV6.check(address, 'ipv6') && !special.check(address, 'ipv6');
    default:
      return false;
  }
}

/** The key by which limits count addresses: an IPv4 address, or the /64 network of an IPv6 address, which has one owner. */
export function addressGroup(address: string | undefined): string {
  if (address === undefined || isIP(address) !== 6) return address ?? 'unknown';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return mapped ?? `${expandV6(address).slice(0, 4).join(':')}::/64`;
}

function expandV6(address: string): readonly string[] {
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const [before, after] = [head, tail ?? ''].map(part => (part === '' ? [] : part.split(':')));
  const zeros = tail === undefined ? 0 : 8 - (before?.length ?? 0) - (after?.length ?? 0);
  return [...(before ?? []), ...Array<string>(Math.max(0, zeros)).fill('0'), ...(after ?? [])].map(group =>
    Number.parseInt(group, 16).toString(16),
  );
}
