// Reports calls of capabilities: a span for each, and a record for the metrics. Names come from the gateway, never from
// the guest. The API client reports `api.request` itself, by operation.
import { toGatewayError } from '../errors.ts';
import { startCallSpan } from '../trace.ts';
import type { UpstreamRecord } from '../upstream/observe.ts';
import { HeldCall } from './approvals.ts';
import type { Capability } from './capabilities.ts';

/** For BrokerOptions.around. */
export function observeCalls(onCall: ((record: UpstreamRecord) => void) | undefined) {
  return (name: string, capability: Capability): Capability =>
    name === 'api.request' ? capability : observe(name, capability, onCall);
}

function observe(name: string, capability: Capability, onCall?: (record: UpstreamRecord) => void): Capability {
  return async (args, context) => {
    const startedAt = performance.now();
    const span = startCallSpan(name);
    const finish = (status: string) => {
      onCall?.({ operation: name, status, durationMs: performance.now() - startedAt });
      span.end({}, status === 'done' ? undefined : status);
    };
    try {
      const json = await span.within(() => capability(args, context));
      finish('done');
      return json;
    } catch (caught) {
      finish(caught instanceof HeldCall ? 'held' : toGatewayError(caught).code);
      throw caught;
    }
  };
}
