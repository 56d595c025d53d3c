// Which egress rules E2B accepts, and what of them is kept. Pure.
import { isIP } from 'node:net';
import type { NetworkConfig } from '../cloud.ts';
import { ApiError } from './errors.ts';
import type { NetworkBody } from './schemas.ts';

const ALL_TRAFFIC = '0.0.0.0/0';

function isAddress(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

/** What the Host header becomes on the way to a port. @throws ApiError 400 */
export function checkMaskHost(mask: string | undefined): void {
  if (mask === undefined) return;
  const colon = mask.lastIndexOf(':');
  const host = colon === -1 || isIP(mask) === 6 ? mask : mask.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what is not ASCII
  if (/[^\x00-\x7f]/.test(host)) {
    throw new ApiError(400, `mask request host '${host}' is not ASCII. Please use ASCII characters only.`);
  }
  const wrong = (label: string): boolean => /^-|-$|^..--/.test(label) && !label.startsWith('xn--');
  const tooMany = host.includes(':') && isIP(host) !== 6;
  if (tooMany || /[\s/]/.test(host) || host.split('.').some(wrong)) {
    throw new ApiError(400, `mask request host is not valid: ${mask}`);
  }
}

/** @throws ApiError 400 */
export function acceptNetwork(network: NetworkBody): NetworkConfig {
  const { allowOut = [], denyOut = [], egressProxy, ...rest } = network;
  for (const denied of denyOut) {
    if (!isAddress(denied)) throw new ApiError(400, `invalid denied CIDR ${denied}`);
  }
  if (!denyOut.includes(ALL_TRAFFIC) && allowOut.some(allowed => !isAddress(allowed))) {
    throw new ApiError(
      400,
      "When specifying allowed domains in allow out, you must include 'ALL_TRAFFIC' in deny out to block all other traffic.",
    );
  }
  return {
    ...rest,
    allowOut: network.allowOut,
    denyOut: network.denyOut,
    egressProxy: egressProxy == null ? undefined : { address: egressProxy.address, username: egressProxy.username },
  };
}
