// Requests that arrive together start in turns of the event loop, so that health checks are answered between them. Addresses
// take turns, and within an address keys do, by the time that each has used. Keys alone would not do: a client could send a
// new invented key with every request and get a turn for each.
import { createHash } from 'node:crypto';
import type { IncomingMessage, RequestListener } from 'node:http';
import { FairQueue } from '../ground/fair-queue.ts';
import { FairShares } from '../ground/fair-shares.ts';
import type { HostTurns } from '../ground/host-turns.ts';
import { addressGroup } from './auth/addresses.ts';
import { isPipelined, noteCaller, PROBES } from './connection.ts';

/** Shares of the main thread's time within an address. */
const SHARES = { newcomerMs: 4, maxAheadMs: 50, creditMs: 8 };

/** Pipelined requests share one caller's turns, so that they do not delay those of clients that wait for responses. */
const PIPELINED = 'pipelined';

type Waiting = { readonly request: object; readonly caller: string; readonly name: string; readonly begin: () => void };

export class RequestTurns {
  readonly #turns: HostTurns;
  readonly #shares = new FairShares(SHARES);
  /** The turn of the event loop in which each request began. */
  readonly #begunIn = new WeakMap<object, number>();
  /** Waiting requests by address. */
  readonly #waiting = new Map<string, FairQueue<Waiting>>();

  constructor(turns: HostTurns) {
    this.#turns = turns;
  }

  /** Whether a request would start at once. */
  get isFree(): boolean {
    return this.#turns.isFree;
  }

  /** See ground/pace.ts. */
  noteActive(principalId: string): void {
    this.#turns.activity.note(principalId);
  }

  /** `key`: a digest of it, which may not be checked yet. `name`: for the log. */
  pass(request: Pick<IncomingMessage, 'socket'>, key: string, name = 'a request'): Promise<void> {
    const address = addressGroup(request.socket.remoteAddress);
    const caller = isPipelined(request) ? PIPELINED : key;
    const owner = { principalId: `address ${address}`, name };
    noteCaller(request, this.#shares.isKnown(key));
    const begunIn = this.#begunIn.get(request);
    if (begunIn === this.#turns.turn) return this.#turns.pass(owner, ms => this.#shares.end(caller, ms), begunIn);
    const queue = this.#waiting.get(address) ?? new FairQueue<Waiting>(this.#shares);
    this.#waiting.set(address, queue);
    return new Promise(begin => {
      queue.pushStart(caller, { request, caller, name, begin });
      let next: Waiting | undefined;
      const onWorked = (ms: number) => queue.done(next?.caller ?? caller, ms);
      void this.#turns.pass(owner, onWorked).then(() => {
        // The turn belongs to the address, and goes to the key whose turn it is within the address.
        next = queue.shift(always, always);
        if (queue.size === 0) this.#waiting.delete(address);
        owner.name = next?.name ?? name;
        if (next === undefined) return;
        this.#begunIn.set(next.request, this.#turns.turn);
        next.begin();
      });
    });
  }
}

const always = (): boolean => true;

/** Callers are kept in memory for a while, so by digest instead of their keys. */
const digest = (credential: string): string => createHash('sha256').update(credential).digest('base64');

/** Runs before authentication: the key that a request claims to have decides whose turn it is. */
export function inTurns(listener: RequestListener, turns: RequestTurns): RequestListener {
  return (request, response) => {
    const begin = () => listener(request, response);
    if (PROBES.includes(request.url ?? '')) return begin();
    const { authorization, 'x-api-key': apiKey } = request.headers;
    void turns.pass(request, digest(authorization ?? String(apiKey ?? ''))).then(() => {
      // The client may have disconnected meanwhile.
      if (!response.destroyed) begin();
    });
  };
}
