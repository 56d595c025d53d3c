// Detects reuse of codes and refresh tokens. With Redis it works across replicas; without, each replica only knows the codes
// that it has redeemed itself. If Redis fails, sign-in continues without this check.
import type { Redis } from 'ioredis';
import type { Logger } from '../../log.ts';

export type Replay = {
  /** True the first time. Must be the last check, so that a failed attempt does not use up the code. */
  useCode(nonce: string): Promise<boolean>;
  /** Milliseconds since the first use; undefined: this is the first use, or it is not known. */
  useRefresh(nonce: string, lifeSeconds: number): Promise<number | undefined>;
  /** Ends a grant: its refresh tokens become invalid. */
  end(grantId: string, lifeSeconds: number): Promise<void>;
  hasEnded(grantId: string): Promise<boolean>;
  /** Whether `end` has any effect. */
  readonly canEnd: boolean;
};

const CODE_MEMORY_SECONDS = 120;
const MAX_CODES = 10_000;
const LOG_EVERY_MS = 10_000;
const PREFIX = 'codemode:oauth:';

export class MemoryReplay implements Replay {
  readonly canEnd = false;
  readonly #codes = new Set<string>();

  async useCode(nonce: string): Promise<boolean> {
    if (this.#codes.has(nonce)) return false;
    this.#codes.add(nonce);
    const [oldest] = this.#codes;
    if (this.#codes.size > MAX_CODES && oldest !== undefined) this.#codes.delete(oldest);
    return true;
  }

  async useRefresh(): Promise<undefined> {
    return undefined;
  }

  async end(): Promise<void> {}

  async hasEnded(): Promise<boolean> {
    return false;
  }
}

export class RedisReplay implements Replay {
  readonly canEnd = true;
  readonly #redis: Redis;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #memory = new MemoryReplay();
  #loggedAt = Number.NEGATIVE_INFINITY;

  constructor(redis: Redis, log: Logger, now: () => number) {
    this.#redis = redis;
    this.#log = log;
    this.#now = now;
  }

  async useCode(nonce: string): Promise<boolean> {
    if (!(await this.#memory.useCode(nonce))) return false;
    const set = this.#redis.set(`${PREFIX}code:${nonce}`, '1', 'EX', CODE_MEMORY_SECONDS, 'NX');
    return (await this.#ask(set, 'OK')) === 'OK';
  }

  async useRefresh(nonce: string, lifeSeconds: number): Promise<number | undefined> {
    const name = `${PREFIX}refresh:${nonce}`;
    const now = this.#now();
    if ((await this.#ask(this.#redis.set(name, String(now), 'EX', lifeSeconds, 'NX'), 'OK')) === 'OK') return undefined;
    const usedAt = Number(await this.#ask(this.#redis.get(name), null));
    return usedAt > 0 ? Math.max(0, now - usedAt) : undefined;
  }

  async end(grantId: string, lifeSeconds: number): Promise<void> {
    await this.#ask(this.#redis.set(`${PREFIX}ended:${grantId}`, '1', 'EX', lifeSeconds), null);
  }

  async hasEnded(grantId: string): Promise<boolean> {
    return (await this.#ask(this.#redis.get(`${PREFIX}ended:${grantId}`), null)) !== null;
  }

  async #ask<T>(answer: Promise<T>, otherwise: T): Promise<T> {
    try {
      return await answer;
    } catch (caught) {
      if (performance.now() - this.#loggedAt >= LOG_EVERY_MS) {
        this.#loggedAt = performance.now();
        this.#log.error({ err: caught }, 'Redis does not respond: reuse of codes and refresh tokens is not detected');
      }
      return otherwise;
    }
  }
}
