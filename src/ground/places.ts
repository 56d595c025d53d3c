// A semaphore with limits in total and per principal. Principals take turns; within one principal, the first to ask
// goes first.
import { GatewayError } from '../errors.ts';
import { FairQueue } from './fair-queue.ts';

export type PlaceLimits = { readonly max: number; readonly maxPerPrincipal: number };

type Waiting = { readonly enter: () => void };

export class Places {
  readonly #limits: PlaceLimits;
  readonly #waiting = new FairQueue<Waiting>();
  readonly #takenBy = new Map<string, number>();
  #taken = 0;

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  /** Waits for a place. Call the returned function to give it back. Rejects `cancelled` if the signal aborts first. */
  async take(principalId: string, signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) throw new GatewayError('cancelled');
    // Nobody is skipped: those who wait have used up their own share, or all places are taken.
    if (this.#mayEnter(principalId)) this.#enter(principalId);
    else await this.#wait(principalId, signal);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#leave(principalId);
    };
  }

  #wait(principalId: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        enter: () => {
          signal.removeEventListener('abort', cancel);
          this.#enter(principalId);
          resolve();
        },
      };
      const cancel = () => {
        this.#waiting.remove(other => other === waiting);
        reject(new GatewayError('cancelled'));
      };
      this.#waiting.pushStart(principalId, waiting);
      signal.addEventListener('abort', cancel, { once: true });
    });
  }

  #mayEnter(principalId: string): boolean {
    const own = this.#takenBy.get(principalId) ?? 0;
    return this.#taken < this.#limits.max && own < this.#limits.maxPerPrincipal;
  }

  #enter(principalId: string): void {
    this.#taken += 1;
    this.#takenBy.set(principalId, (this.#takenBy.get(principalId) ?? 0) + 1);
  }

  #leave(principalId: string): void {
    this.#taken -= 1;
    const own = (this.#takenBy.get(principalId) ?? 1) - 1;
    if (own === 0) this.#takenBy.delete(principalId);
    else this.#takenBy.set(principalId, own);
    this.#waiting
      .shift(
        () => false,
        waiting => this.#mayEnter(waiting),
      )
      ?.enter();
  }
}
