// How much memory the process holds for its callers: for each of them and for all. Whoever keeps bytes that a caller, a
// guest, an answer or a sandbox sent takes them here first. Knows nothing of what the bytes are.
import { GatewayError } from '../errors.ts';

export type MemoryLimits = {
  readonly maxBytes: number;
  readonly maxBytesPerPrincipal: number;
};

/** What one owner (a request, a run, an answer) holds. Released once, as a whole. */
export type Holding = {
  readonly bytes: number;
  /** @throws GatewayError `busy`: nothing is taken then, and what was held before stays held. */
  take(bytes: number): void;
  /** Gives a part back. */
  give(bytes: number): void;
  /** Gives all of it back. May be called more than once. */
  release(): void;
};

/** What may be added to a holding and given back, by code that must not end it. */
export type Hold = {
  /** False: there is not so much left, and nothing was taken. */
  take(bytes: number): boolean;
  give(bytes: number): void;
};

/** Where there is only one caller. */
export const HOLD_ANYTHING: Hold = { take: () => true, give: () => undefined };

const RETRY_AFTER_MS = 1_000;

export class MemoryBudget {
  readonly #limits: MemoryLimits;
  readonly #perPrincipal = new Map<string, number>();
  #bytes = 0;

  constructor(limits: MemoryLimits) {
    this.#limits = limits;
  }

  /** Held now, for everybody. */
  get bytes(): number {
    return this.#bytes;
  }

  bytesOf(principalId: string): number {
    return this.#perPrincipal.get(principalId) ?? 0;
  }

  /** An empty holding of this principal. */
  open(principalId: string): Holding {
    let held = 0;
    const move = (bytes: number): void => {
      held += bytes;
      this.#move(principalId, bytes);
    };
    return {
      get bytes() {
        return held;
      },
      take: bytes => {
        this.#check(principalId, bytes);
        move(bytes);
      },
      give: bytes => move(-Math.min(bytes, held)),
      release: () => move(-held),
    };
  }

  #move(principalId: string, bytes: number): void {
    if (bytes === 0) return;
    this.#bytes += bytes;
    const left = this.bytesOf(principalId) + bytes;
    if (left > 0) this.#perPrincipal.set(principalId, left);
    else this.#perPrincipal.delete(principalId);
  }

  #check(principalId: string, bytes: number): void {
    const { maxBytes, maxBytesPerPrincipal } = this.#limits;
    if (this.bytesOf(principalId) + bytes > maxBytesPerPrincipal) throw refused('for this key', maxBytesPerPrincipal);
    if (this.#bytes + bytes > maxBytes) throw refused('for all callers', maxBytes);
  }
}

function refused(whose: string, maxBytes: number): GatewayError {
  return new GatewayError(
    'busy',
    `The gateway holds as much data ${whose} as it may (${Math.floor(maxBytes / 1_000_000)} MB). Wait for running calls to end, or ask for less at a time.`,
    { retryAfterMs: RETRY_AFTER_MS },
  );
}
