// Which Host names the control plane answers to on a loopback port. Any key is valid there, so a web page whose name was
// made to point at 127.0.0.1 must not be taken for a local client. Pure.
import { isIP } from 'node:net';

export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^127\./.test(address);
}

/** `Host` header: an address, or a name that can only mean this machine. */
export function isLocalName(hostHeader: string | undefined): boolean {
  const host = (hostHeader ?? '').toLowerCase().replace(/:\d+$/, '');
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  return isIP(bare) !== 0 || bare === 'localhost' || bare.endsWith('.localhost');
}
