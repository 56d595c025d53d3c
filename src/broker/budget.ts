// Limits the calls of one run: their number, how many run at the same time, and their bytes. Counts and queues; does
// not know what the calls do.
import { GatewayError } from '../errors.ts';

export type BrokerLimits = {
  readonly maxCalls: number;
  /** Further calls wait in order. */
  readonly maxParallelCalls: number;
  readonly maxRequestBytes: number;
  readonly maxAnswerBytes: number;
  /** All responses of the run together. */
  readonly maxRunAnswerBytes: number;
  /** CPU time of the gateway's threads to read and check the data of one run. */
  readonly maxHostMs: number;
  /** For one call with its retries. Shorter than the run's limit, so that the guest can still handle the error. */
  readonly callTimeoutMs: number;
};

/** Charges the response of one call to the run's budget. */
export type AnswerBudget = {
  /** Charges a part of the response. Does not check the size of the response. @throws GatewayError `budget_exceeded` */
  take(bytes: number): void;
  /** Charges what is left of the whole response. @throws also `answer_too_large` if no part was taken before */
  settle(bytes: number): void;
};

export type Budget = {
  /** @throws GatewayError `budget_exceeded` */
  takeCall(): void;
  /** Undoes takeCall for a call that is not made. */
  giveCall(): void;
  /** @throws GatewayError `budget_exceeded` */
  checkRequest(bytes: number): void;
  answer(): AnswerBudget;
  /** Waits in order until the call may run; call the result when it is over. Rejects `cancelled` on abort. */
  place(signal: AbortSignal): Promise<() => void>;
};

/** `used`: what the run had used before it was interrupted. */
export function createBudget(limits: BrokerLimits, used = { calls: 0, answerBytes: 0 }): Budget {
  let { calls, answerBytes: answered } = used;
  let open = 0;
  const waiting: (() => void)[] = [];

  const leave = () => {
    const next = waiting.shift();
    if (next === undefined) open--;
    else next(); // the next call in the queue takes the place
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
      else await waitInLine(waiting, signal);
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

function waitInLine(waiting: (() => void)[], signal: AbortSignal): Promise<void> {
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
