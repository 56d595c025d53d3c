// Limits the bodies of responses from sandboxes: bytes of each and of all, messages of a stream, and values before the SDK
// decodes them.
import { GatewayError } from '../errors.ts';
import { describeExcess, type JsonLimits, JsonMeter } from '../ground/json-size.ts';
import type { wholeMessages } from './messages.ts';
import { mergeOutput } from './output-messages.ts';

/** Maximum number of messages in a stream. Some commands send one message per line. */
const MAX_MESSAGES = 100_000;
/** Number of messages that are merged in one turn, which takes about a millisecond. */
const MERGED_A_TURN = 200;
const HELD_RETRY_MS = 5_000;

/** Called with each chunk. @throws GatewayError if the limit is exceeded */
type Meter = (chunk: Uint8Array) => void;

export const tooLarge = (maxBytes: number) =>
  new GatewayError('answer_too_large', `The answer is larger than ${maxBytes} bytes. Ask for less.`);

const tooMuch = (what: string) =>
  new GatewayError('answer_too_large', `The sandbox answered with ${what}. Ask for less, or write it to a file.`);

export function countBytes(maxBytes: number): Meter {
  let bytes = 0;
  return chunk => {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
  };
}

export type OpenHold = () => { readonly take: Meter; release(): void };
/** Awaited before the SDK gets more data to decode, see HostTurns `pass`. If it throws, the response fails. */
export type Turn = (() => Promise<unknown>) | undefined;

/** Limits the size of all open responses together, so that endless responses cannot exhaust the memory. */
export function createHolds(maxBytes: number): OpenHold {
  let held = 0;
  return () => {
    let own = 0;
    return {
      take({ byteLength }) {
        if (held + byteLength > maxBytes) {
          throw new GatewayError(
            'busy',
            'The gateway cannot buffer more open responses now. Wait a few seconds, then send the same call again.',
            { retryAfterMs: HELD_RETRY_MS },
          );
        }
        own += byteLength;
        held += byteLength;
      },
      release() {
        held -= own;
      },
    };
  };
}

/** `onEnd` is called when the body was read to its end, failed, was aborted or was cancelled by its reader. */
export function metered(
  body: ReadableStream<Uint8Array>,
  meters: readonly Meter[],
  onFault: (error: unknown) => void,
  onEnd: () => void,
): ReadableStream<Uint8Array> {
  const counted = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      try {
        for (const meter of meters) meter(chunk);
        controller.enqueue(chunk);
      } catch (error) {
        onFault(error);
        controller.error(error);
      }
    },
  });
  body.pipeTo(counted.writable).then(onEnd, onEnd);
  return counted.readable;
}

/** Reads a body that is decoded at once. @throws GatewayError `answer_too_large` before anything is decoded */
export async function readWhole(
  body: AsyncIterable<Uint8Array>,
  meters: readonly Meter[],
  limits: JsonLimits,
  turn: Turn,
): Promise<Uint8Array> {
  const size = new JsonMeter(limits);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) {
    for (const meter of meters) meter(chunk);
    if (chunks.length > 0) await turn?.();
    const excess = size.push(chunk);
    if (excess !== undefined) throw tooMuch(describeExcess(excess));
    chunks.push(chunk);
  }
  const whole = size.end();
  if ('of' in whole) throw tooMuch(describeExcess(whole));
  await turn?.();
  return new Uint8Array(Buffer.concat(chunks));
}

/** Passes on whole messages, only as fast as they are read. */
export function paced(
  body: ReadableStream<Uint8Array>,
  meters: readonly Meter[],
  split: ReturnType<typeof wholeMessages>,
  turn: Turn,
  onFault: (error: unknown) => void,
  onEnd: () => void,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let count = 0;
  /** The messages of the last chunk. A chunk may hold thousands, so they are taken in turns. */
  let arrived: Iterator<Uint8Array> | undefined;
  let waiting: Uint8Array[] = [];

  const takeSome = (from: Iterator<Uint8Array>): Uint8Array[] => {
    const some: Uint8Array[] = [];
    for (let next = from.next(); ; next = from.next()) {
      if (next.done === true) arrived = undefined;
      else some.push(next.value);
      if (next.done === true || some.length === MERGED_A_TURN) break;
    }
    count += some.length;
    if (count > MAX_MESSAGES) throw tooMuch(`more than ${MAX_MESSAGES} messages`);
    return some;
  };

  /** Returns false at the end of the stream. */
  const fill = async (): Promise<boolean> => {
    while (waiting.length === 0) {
      if (arrived === undefined) {
        const { done, value } = await reader.read();
        if (done) return false;
        for (const meter of meters) meter(value);
        arrived = split(value);
      }
      await turn?.();
      waiting = mergeOutput(takeSome(arrived)).reverse();
    }
    return true;
  };

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          if (!(await fill())) {
            onEnd();
            return controller.close();
          }
          await turn?.();
          const message = waiting.pop();
          if (message !== undefined) controller.enqueue(message);
        } catch (error) {
          onFault(error);
          controller.error(error);
          onEnd();
          await reader.cancel().catch(() => {});
        }
      },
      async cancel(reason) {
        onEnd();
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
