// What a sandbox asks of another one's port, by the name that getHost() gives: through local mode's own port, as anybody
// outside, so that tokens are asked for and paused sandboxes are woken. Nothing else of this machine can be named.
import type { Dispatcher } from 'undici';
import { readCapped } from '../src/ground/read-capped.ts';
import type { Cloud } from './cloud.ts';
import type { LocalRequest, LocalResponse, MachineParts } from './machine/machine.ts';

const LABEL = /^\d{1,5}-[a-z0-9]+$/;
const MAX_BODY_BYTES = 64 * 1024 * 1024;

export function neighbours(
  running: () => { readonly cloud: Cloud; readonly url: string } | undefined,
): MachineParts['neighbour'] {
  return (from, { protocol, host }, request) => {
    const { cloud, url } = running() ?? {};
    const label = host.slice(0, host.indexOf('.'));
    if (protocol !== 'http:' || url === undefined || host !== `${label}.${cloud?.domain}` || !LABEL.test(label)) return;
    const { allowInternetAccess, network } = cloud?.find(from) ?? {};
    if (allowInternetAccess === false || (network?.denyOut ?? []).length > 0) return;
    return exchange(url, host, request);
  };
}

async function exchange(
  url: string,
  host: string,
  { method, path, headers, body }: LocalRequest,
): Promise<LocalResponse> {
  const kept = headers.filter(([name]) => !/^(host|connection|content-length|transfer-encoding)$/i.test(name));
  const flat = ['host', host, ...kept.flat()];
  const { request } = await import('undici');
  const options = { method: method as Dispatcher.HttpMethod, headers: flat, body, reset: true };
  const answer = await request(url + path, options);
  const tooLarge = () => new Error('the answer is too large');
  const bytes = await readCapped(answer.body, { maxBytes: MAX_BODY_BYTES, tooLarge });
  const pairs = Object.entries(answer.headers).flatMap(([name, values = []]) =>
    [values].flat().map((value): [string, string] => [name, value]),
  );
  return { status: answer.statusCode, headers: pairs, body: bytes };
}
