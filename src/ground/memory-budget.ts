// Limits the memory that the process uses for its callers, per caller and in total. Code that keeps data from a caller,
// a guest, a response or a sandbox must charge its bytes here first.
import { GatewayError } from '../errors.ts';

export type MemoryLimits = {
  readonly maxBytes: number;
  readonly maxBytesPerPrincipal: number;
};

/** The bytes of one owner (a request, a run, a response). Released as a whole at its end. */
export type Holding = {
  readonly bytes: number;
  /** @throws GatewayError `busy`; then nothing is taken, and earlier bytes stay charged */
  take(bytes: number): void;
  /** Returns a part. */
  give(bytes: number): void;
  /** Returns everything. May be called more than once. */
  release(): void;
};

/** The part of a holding for code that may take and return bytes but must not release it. */
export type Hold = {
  /** Returns false if there is not enough left; then nothing is taken. */
  take(bytes: number): boolean;
  give(bytes: number): void;
};

/** Has no limit. Used where there is only one caller. */
export const HOLD_ANYTHING: Hold = { take: () => true, give: () => undefined };

const RETRY_AFTER_MS = 1_000;

export class MemoryBudget {
  readonly #limits: MemoryLimits;
  readonly #perPrincipal = new Map<string, number>();
  #bytes = 0;

  constructor(limits: MemoryLimits) {
    this.#limits = limits;
  }

  /** Bytes currently charged, for all callers. */
  get bytes(): number {
    return this.#bytes;
  }

  bytesOf(principalId: string): number {
    return this.#perPrincipal.get(principalId) ?? 0;
  }

  /** Opens an empty holding for the principal. */
  open(principalId: string): Holding {
    return new Held({
      check: bytes => this.#check(principalId, bytes),
      move: bytes => this.#move(principalId, bytes),
    });
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

/** What the budget does for one principal. `check` throws if the bytes are too many. */
type Account = { check(bytes: number): void; move(bytes: number): void };

/** A class: V8 would keep a holding that is a literal with a getter, and its request, until a full garbage collection. */
class Held implements Holding {
  readonly #account: Account;
  #bytes = 0;

  constructor(account: Account) {
    this.#account = account;
  }

  get bytes(): number {
    return this.#bytes;
  }

  take(bytes: number): void {
    this.#account.check(bytes);
    this.#move(bytes);
  }

  give(bytes: number): void {
    this.#move(-Math.min(bytes, this.#bytes));
  }

  release(): void {
    this.#move(-this.#bytes);
  }

  #move(bytes: number): void {
    this.#bytes += bytes;
    this.#account.move(bytes);
  }
}

function refused(whose: string, maxBytes: number): GatewayError {
  return new GatewayError(
    'busy',
    `The memory of the gateway ${whose} is used up (${Math.floor(maxBytes / 1_000_000)} MB). Wait for running calls to end, or ask for less at a time.`,
    { retryAfterMs: RETRY_AFTER_MS },
  );
}
