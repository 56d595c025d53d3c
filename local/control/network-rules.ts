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
