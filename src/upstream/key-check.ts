// Whether upstream accepts a key now: the smallest read there is, sent with it. Knows nothing of who asks.
import type { UpstreamClient } from './client.ts';
import { guardRequest } from './guard.ts';
import type { Operations } from './operations.ts';

/** `unavailable`: nobody knows. */
export type KeyVerdict = 'valid' | 'refused' | 'unavailable';

const TIMEOUT_MS = 5_000;
const MAX_ANSWER_BYTES = 1_000_000;
const SMALLEST_READ = { method: 'GET', path: '/v2/sandboxes', query: { limit: 1 } };

export function createKeyCheck(client: UpstreamClient, operations: () => Operations) {
  return async (apiKey: string): Promise<KeyVerdict> => {
    const request = guardRequest(SMALLEST_READ, 'read', operations());
    const { signal } = new AbortController();
    const options = { apiKey, signal, maxAnswerBytes: MAX_ANSWER_BYTES, timeoutMs: TIMEOUT_MS };
    const status = await client.send(request, options).then(
      answer => answer.status,
      () => undefined,
    );
    if (status === 401 || status === 403) return 'refused';
    return status === 200 ? 'valid' : 'unavailable';
  };
}
