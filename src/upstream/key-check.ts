// Checks whether the API accepts a key, by the smallest read request that there is.
import { principalFromKey } from '../principal.ts';
import type { UpstreamClient } from './client.ts';
import { guardRequest } from './guard.ts';
import type { Operations } from './operations.ts';

/** `unavailable`: the API gave no clear response. */
export type KeyVerdict = 'valid' | 'refused' | 'unavailable';

const TIMEOUT_MS = 5_000;
const LIMITS = { maxBytes: 1_000_000, maxValues: 50_000, maxKeys: 50_000, maxDepth: 50, maxKeyBytes: 10_000 };
const SMALLEST_READ = { method: 'GET', path: '/v2/sandboxes', query: { limit: 1 } };

export function createKeyCheck(client: UpstreamClient, operations: () => Operations) {
  return async (apiKey: string): Promise<KeyVerdict> => {
    const request = guardRequest(SMALLEST_READ, 'read', operations());
    const { signal } = new AbortController();
    const options = { principal: principalFromKey(apiKey), signal, limits: LIMITS, timeoutMs: TIMEOUT_MS };
    const status = await client.send(request, options).then(
      answer => answer.status,
      () => undefined,
    );
    if (status === 401 || status === 403) return 'refused';
    return status === 200 ? 'valid' : 'unavailable';
  };
}
