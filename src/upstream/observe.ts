// Wraps a client to report each call: a span, whose context is sent upstream, and a record for the metrics. Calls are
// named by their operation, because paths contain ids.
import { toGatewayError } from '../errors.ts';
import { startCallSpan } from '../trace.ts';
import type { UpstreamClient } from './client.ts';

export type UpstreamRecord = {
  /** `GET /sandboxes/{sandboxID}`, or `unlisted`. */
  readonly operation: string;
  /** Status of the response, or the code of the error. */
  readonly status: number | string;
  /** Includes repeated attempts. */
  readonly durationMs: number;
};

export function observeClient(
  client: UpstreamClient,
  onCall: ((record: UpstreamRecord) => void) | undefined,
): UpstreamClient {
  return {
    async send(request, options) {
      const operation = request.operation?.id ?? 'unlisted';
      const startedAt = performance.now();
      const span = startCallSpan(operation);
      const finish = (status: number | string, failed: boolean) => {
        onCall?.({ operation, status, durationMs: performance.now() - startedAt });
        span.end(
          typeof status === 'number' ? { 'http.response.status_code': status } : { 'error.type': status },
          failed ? String(status) : undefined,
        );
      };
      try {
        const answer = await client.send(request, { ...options, traceHeaders: span.headers() });
        finish(answer.status, answer.status >= 400);
        return answer;
      } catch (caught) {
        finish(toGatewayError(caught).code, true);
        throw caught;
      }
    },
  };
}
