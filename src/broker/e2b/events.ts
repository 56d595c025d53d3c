// What a command or code prints, sent to the agent's code while it runs: in order, several at once where they come fast.
import type { CallContext } from '../broker.ts';

export const STREAMS = ['stdout', 'stderr'] as const;
export const EVENT_KINDS = [...STREAMS, 'result', 'error'] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export type Events = {
  /** `json`: what happened, as JSON text. @throws GatewayError when the run has no bytes left for it */
  push(kind: EventKind, json: string): void;
  /** Sends what waits. */
  flush(): void;
  /** No more will come. */
  end(): void;
};

/** Between two messages of one call: grows with their number, so that a run of a minute gets some hundreds. */
const FIRST_WAIT_MS = 10;
const MAX_WAIT_MS = 250;

export function createEvents(
  { emit, answer }: Pick<CallContext, 'emit' | 'answer'>,
  wanted: readonly EventKind[],
): Events {
  let waiting: string[] = [];
  let sent = 0;
  let sentAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.length === 0) return;
    emit(`[${waiting.join(',')}]`);
    waiting = [];
    sent++;
    sentAt = performance.now();
  };
  return {
    push(kind, json) {
      if (!wanted.includes(kind)) return;
      answer.take(json.length);
      waiting.push(`["${kind}",${json}]`);
      timer ??= setTimeout(flush, sentAt + Math.min(FIRST_WAIT_MS + sent, MAX_WAIT_MS) - performance.now()).unref();
    },
    flush,
    end() {
      waiting.push('["end"]');
      flush();
    },
  };
}
