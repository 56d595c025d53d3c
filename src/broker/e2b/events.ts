// Sends the output of a command or of code to the agent's code while it runs: in order, in batches if it comes fast.
import { type JsonPart, sizeOf, wholeText } from '../../ground/json-text.ts';
import { mayGoOn } from '../../upstream/key-spellings.ts';
import type { CallContext } from '../capabilities.ts';

export const STREAMS = ['stdout', 'stderr'] as const;
type Stream = (typeof STREAMS)[number];
export const EVENT_KINDS = [...STREAMS, 'result', 'error'] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export type Events = {
  /** @throws GatewayError if the run has no bytes left */
  print(stream: Stream, text: string): void;
  /** `json`: the event as JSON text. @throws GatewayError if the run has no bytes left */
  push(kind: 'result' | 'error', json: JsonPart): void;
  /** Sends all waiting events now. */
  flush(): void;
  /** Tells the guest that no more events follow. */
  end(): void;
};

/** Whether a word continues from one piece of output to the next. The word may be a key. */
export const goesOn = (before: string, text: string): boolean => /\S$/.test(before.slice(-1)) && /^\S/.test(text);

/** Time between two messages of a call. It grows with their number, so that a run of a minute sends a few hundred. */
const FIRST_WAIT_MS = 10;
const MAX_WAIT_MS = 250;

/** An event that waits: pieces of output that belong together, or the JSON text of another event. */
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
  /** Sends all waiting events except for the last `held`. */
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
  /** Output that ends with what may be the beginning of a key waits once more for the rest of it. */
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
      answer.take(sizeOf(json));
      add({ kind, pieces: [], json: wholeText(json) });
    },
    flush,
    end() {
      waiting.push({ kind: 'end', pieces: [], json: 'null' });
      flush();
    },
  };
}

const jsonOf = ({ kind, pieces, json = JSON.stringify(pieces.join('')) }: Waiting): string => `["${kind}",${json}]`;
