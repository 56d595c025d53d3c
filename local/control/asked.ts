// What a request for a sandbox asks for: which of it E2B accepts, what is kept of it, and what local mode takes and does
// not do. Pure.
import { isIP } from 'node:net';
import type { components } from 'e2b';
import type { NetworkConfig } from '../cloud.ts';
import { ApiError } from './team.ts';

type Network = components['schemas']['SandboxNetworkConfig'];
export type NewSandbox = components['schemas']['NewSandbox'];

const ALL_TRAFFIC = '0.0.0.0/0';
const PUBLIC_UNLESS_SECURE =
  "You cannot create a sandbox without public access unless you enable secure envd access via 'secure' flag.";

/** What a sandbox is made of as far as the caller says it. @throws ApiError 400 */
export function acceptSandbox({ secure = false, autoPause = false, autoPauseMemory = true, ...asked }: NewSandbox) {
  const network = asked.network && acceptNetwork(asked.network);
  const autoResume = asked.autoResume?.enabled === true;
  const faults: [found: boolean, message: string][] = [
    [network?.allowPublicTraffic === false && !secure, PUBLIC_UNLESS_SECURE],
    [!autoPauseMemory && !autoPause, 'autoPauseMemory=false only applies when autoPause is true.'],
    [autoResume && !autoPauseMemory, 'autoResume cannot be combined with autoPauseMemory: false'],
  ];
  const [, fault] = faults.find(([found]) => found) ?? [];
  if (fault !== undefined) throw new ApiError(400, fault);
  return {
    ...{ secure, autoResume, network },
    metadata: asked.metadata ?? {},
    onTimeout: autoPause ? ('pause' as const) : ('kill' as const),
    keepMemoryOnTimeout: autoPauseMemory,
    allowInternetAccess: asked.allow_internet_access,
  };
}

/** @throws ApiError 400 */
export function acceptTimeout(seconds = 0, maxMs: number): number {
  if (seconds <= 0) throw new ApiError(400, 'Timeout must be greater than 0');
  if (seconds * 1000 > maxMs) throw new ApiError(400, `Timeout cannot be greater than ${maxMs / 3_600_000} hours`);
  return seconds * 1000;
}

/** Without the proxy's password. @throws ApiError 400 */
export function acceptNetwork({ egressProxy: proxy, ...network }: Network): NetworkConfig {
  const { allowOut = [], denyOut = [] } = network;
  checkMaskHost(network.maskRequestHost);
  const wrong = denyOut.find(denied => !isAddress(denied));
  if (wrong !== undefined) throw new ApiError(400, `invalid denied CIDR ${wrong}`);
  if (!denyOut.includes(ALL_TRAFFIC) && allowOut.some(allowed => !isAddress(allowed))) {
    throw new ApiError(
      400,
      "When specifying allowed domains in allow out, you must include 'ALL_TRAFFIC' in deny out to block all other traffic.",
    );
  }
  if (!proxy) return network;
  const { password: _, ...egressProxy } = proxy;
  return { ...network, egressProxy };
}

function isAddress(text: string): boolean {
  const [address = '', bits = '0', ...rest] = text.split('/');
  const version = isIP(address);
  return version !== 0 && rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128);
}

/** What the Host header becomes on the way to a port. @throws ApiError 400 */
function checkMaskHost(mask = ''): void {
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

/** A sentence for each thing that is taken and not done. */
export function unsupported({ network, mcp, iam }: Partial<Pick<NewSandbox, 'network' | 'mcp' | 'iam'>>): string[] {
  const outside = 'sandboxes of local mode reach nothing but their own ports';
  const sentences: [asked: boolean, sentence: string][] = [
    [(network?.allowOut?.length ?? 0) > 0, `network.allowOut opens nothing: ${outside}`],
    [Object.keys(network?.rules ?? {}).length > 0, `network.rules change no request: ${outside}`],
    [network?.egressProxy != null, `network.egressProxy is not used: ${outside}`],
    [(network?.httpsPorts?.length ?? 0) > 0, 'network.httpsPorts has no effect: ports are served over plain HTTP'],
    [mcp != null, 'mcp starts no servers in local mode'],
    [iam != null, 'iam gives no identity in local mode'],
  ];
  return sentences.filter(([asked]) => asked).map(([, sentence]) => sentence);
}
