// Requests that arrive together begin in turns: the event loop turns between them, and whoever asks whether the process
// lives is answered meanwhile. Addresses take turns, and at one address keys do, by what each has had: a key may be
// invented, and whoever sends each request with another one must not get a turn for each.
import { createHash } from 'node:crypto';
import type { IncomingMessage, RequestListener } from 'node:http';
import { FairQueue } from '../ground/fair-queue.ts';
import { FairShares } from '../ground/fair-shares.ts';
import type { HostTurns } from '../ground/host-turns.ts';
import { addressGroup } from './auth/addresses.ts';

const PROBES = new Set(['/healthz', '/readyz']);

/** Of the main thread's time, at one address. */
const SHARES = { newcomerMs: 4, maxAheadMs: 50 };

type Waiting = { readonly caller: string; readonly name: string; readonly begin: () => void };

export class RequestTurns {
  readonly #turns: HostTurns;
  readonly #shares = new FairShares(SHARES);
  /** By address. */
  readonly #waiting = new Map<string, FairQueue<Waiting>>();

  constructor(turns: HostTurns) {
    this.#turns = turns;
  }

  /** Whether a request would begin at once. */
  get isFree(): boolean {
    return this.#turns.isFree;
  }

  /** `caller`: its key, checked or not. `name`: for the log. */
  pass({ socket }: Pick<IncomingMessage, 'socket'>, caller: string, name = 'a request'): Promise<void> {
    const address = addressGroup(socket.remoteAddress);
    const queue = this.#waiting.get(address) ?? new FairQueue<Waiting>(this.#shares);
    this.#waiting.set(address, queue);
    return new Promise(begin => {
      queue.pushStart(caller, { caller, name, begin });
      const owner = { principalId: `address ${address}`, name };
      let next: Waiting | undefined;
      const onWorked = (ms: number) => queue.done(next?.caller ?? caller, ms);
      void this.#turns.pass(owner, onWorked).then(() => {
        // The turn is the address's: it goes to the key whose turn it is there.
        next = queue.shift(always, always);
        if (queue.size === 0) this.#waiting.delete(address);
        owner.name = next?.name ?? name;
        next?.begin();
      });
    });
  }
}

const always = (): boolean => true;

/** Callers are remembered: not by their keys. */
const digest = (credential: string): string => createHash('sha256').update(credential).digest('base64');

/** Nothing of a request has been checked yet: what it calls itself decides whose turn it is. */
export function inTurns(listener: RequestListener, turns: RequestTurns): RequestListener {
  return (request, response) => {
    const begin = () => listener(request, response);
    if (turns.isFree || PROBES.has(request.url ?? '')) return begin();
    const { authorization, 'x-api-key': apiKey } = request.headers;
    void turns.pass(request, digest(authorization ?? String(apiKey ?? ''))).then(() => {
      // The client may have disconnected meanwhile.
      if (!response.destroyed) begin();
    });
  };
}
