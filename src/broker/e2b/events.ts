// What a command or code prints, sent to the agent's code while it runs: in order, several at once where they come fast.
import { mayGoOn } from '../../upstream/key-spellings.ts';
import type { CallContext } from '../broker.ts';

export const STREAMS = ['stdout', 'stderr'] as const;
type Stream = (typeof STREAMS)[number];
export const EVENT_KINDS = [...STREAMS, 'result', 'error'] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export type Events = {
  /** @throws GatewayError when the run has no bytes left for it */
  print(stream: Stream, text: string): void;
  /** `json`: what happened, as JSON text. @throws GatewayError when the run has no bytes left for it */
  push(kind: 'result' | 'error', json: string): void;
  /** Sends what waits. */
  flush(): void;
  /** No more will come. */
  end(): void;
};

/** Whether a word goes on from one piece of output to the next. It may be a key. */
export const goesOn = (before: string, text: string): boolean => /\S$/.test(before.slice(-1)) && /^\S/.test(text);

/** Between two messages of one call: grows with their number, so that a run of a minute gets some hundreds. */
const FIRST_WAIT_MS = 10;
const MAX_WAIT_MS = 250;

/** What was printed, in pieces with no gap between them; or, of anything else, its JSON text. */
type Waiting = { readonly kind: EventKind | 'end'; readonly pieces: string[]; readonly json?: string };

export function createEvents(
  { emit, answer, principal }: Pick<CallContext, 'emit' | 'answer' | 'principal'>,
  wanted: readonly EventKind[],
): Events {
  const waiting: Waiting[] = [];
  let sent = 0;
  let sentAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  const waitMs = () => Math.min(FIRST_WAIT_MS + sent, MAX_WAIT_MS);
  /** All but the last `held`. */
  const send = (held: number) => {
    clearTimeout(timer);
    timer = undefined;
    const going = waiting.splice(0, waiting.length - held);
    if (going.length === 0) return;
    emit(`[${going.map(jsonOf).join(',')}]`);
    sent++;
    sentAt = performance.now();
  };
  const flush = () => send(0);
  /** What ends like the beginning of a key waits once more, for what comes after it. */
  const sendFinished = () => {
    if (!mayGoOn(waiting.at(-1)?.pieces.join('') ?? '', principal.apiKey)) return flush();
    send(1);
    timer = setTimeout(flush, waitMs()).unref();
  };
  const add = (event: Waiting) => {
    waiting.push(event);
    timer ??= setTimeout(sendFinished, sentAt + waitMs() - performance.now()).unref();
  };
  return {
    print(stream, text) {
      if (!wanted.includes(stream)) return;
      answer.take(JSON.stringify(text).length);
      const last = waiting.at(-1);
      if (last?.kind === stream && goesOn(last.pieces.at(-1) ?? '', text)) last.pieces.push(text);
      else add({ kind: stream, pieces: [text] });
    },
    push(kind, json) {
      if (!wanted.includes(kind)) return;
      answer.take(json.length);
      add({ kind, pieces: [], json });
    },
    flush,
    end() {
      waiting.push({ kind: 'end', pieces: [], json: 'null' });
      flush();
    },
  };
}

const jsonOf = ({ kind, pieces, json = JSON.stringify(pieces.join('')) }: Waiting): string => `["${kind}",${json}]`;
