// What one run may use of the outside: calls, calls at a time, bytes. Counts and queues; knows nothing of what the
// calls do.
import { GatewayError } from '../errors.ts';

export type BrokerLimits = {
  readonly maxCalls: number;
  /** More wait in order. */
  readonly maxParallelCalls: number;
  readonly maxRequestBytes: number;
  readonly maxAnswerBytes: number;
  /** All answers of the run together. */
  readonly maxRunAnswerBytes: number;
  /** What the gateway may work to read what is sent to one run. */
  readonly maxHostMs: number;
  /** One call, retries included. Less than a run has, so that the guest can still return what its first call did. */
  readonly callTimeoutMs: number;
};

/** The bytes one call's answer takes of the run's. */
export type AnswerBudget = {
  /** A piece of an answer whose size is limited elsewhere. @throws GatewayError `budget_exceeded` for the run. */
  take(bytes: number): void;
  /** The whole answer: what it has not taken in pieces. @throws also `answer_too_large` if it took none. */
  settle(bytes: number): void;
};

export type Budget = {
  /** @throws GatewayError `budget_exceeded` */
  takeCall(): void;
  /** The call was not made after all. */
  giveCall(): void;
  /** @throws GatewayError `budget_exceeded` */
  checkRequest(bytes: number): void;
  answer(): AnswerBudget;
  /** Waits for one of the parallel places, in order; call the result to give it back. Rejects `cancelled` on abort. */
  place(signal: AbortSignal): Promise<() => void>;
};

/** `used`: by the run before it was interrupted. */
export function createBudget(limits: BrokerLimits, used = { calls: 0, answerBytes: 0 }): Budget {
  let { calls, answerBytes: answered } = used;
  let open = 0;
  const waiting: (() => void)[] = [];

  const leave = () => {
    const next = waiting.shift();
    if (next === undefined) open--;
    else next(); // the place goes on to the next in line
  };

  return {
    takeCall() {
      if (calls >= limits.maxCalls) {
        throw exceeded(
          `This run has made its ${limits.maxCalls} calls. Return what you have and go on in another run.`,
        );
      }
      calls++;
    },
    giveCall() {
      calls--;
    },
    checkRequest(bytes) {
      if (bytes <= limits.maxRequestBytes) return;
      throw exceeded(`The request body has ${bytes} bytes, and ${limits.maxRequestBytes} are allowed. Send less.`);
    },
    answer() {
      let taken = 0;
      const take = (bytes: number) => {
        if (answered + bytes > limits.maxRunAnswerBytes) {
          throw exceeded(
            `The answers of this run are larger than ${limits.maxRunAnswerBytes} bytes together. Ask for less.`,
          );
        }
        taken += bytes;
        answered += bytes;
      };
      const settle = (bytes: number) => {
        if (taken === 0 && bytes > limits.maxAnswerBytes) throw tooLarge(limits.maxAnswerBytes);
        take(Math.max(0, bytes - taken));
      };
      return { take, settle };
    },
    async place(signal) {
      if (signal.aborted) throw new GatewayError('cancelled');
      if (open < limits.maxParallelCalls) open++;
      else await inLine(waiting, signal);
      return leave;
    },
  };
}

const tooLarge = (maxBytes: number) =>
  new GatewayError(
    'answer_too_large',
    `The answer is larger than ${maxBytes} bytes. Ask for less: use limit, filters or a narrower path.`,
  );

const exceeded = (detail: string) => new GatewayError('budget_exceeded', detail);

function inLine(waiting: (() => void)[], signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const enter = () => {
      signal.removeEventListener('abort', cancel);
      resolve();
    };
    const cancel = () => {
      waiting.splice(waiting.indexOf(enter), 1);
      reject(new GatewayError('cancelled'));
    };
    waiting.push(enter);
    signal.addEventListener('abort', cancel, { once: true });
  });
}
