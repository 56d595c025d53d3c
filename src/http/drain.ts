// Shuts a replica down without failed requests: first /readyz answers 503, and each connection is closed with
// its answer, while it still serves; then it refuses newcomers; then it waits for what is under way.
import type { RequestHandler, Response } from 'express';
import { GatewayError } from '../errors.ts';

export class Drain {
  #phase: 'serving' | 'leaving' | 'closed' = 'serving';
  readonly #open = new Set<Response>();
  #whenEmpty: (() => void) | undefined;

  /** Not ready for more: proxies should turn to other replicas. */
  get draining(): boolean {
    return this.#phase !== 'serving';
  }

  get open(): number {
    return this.#open.size;
  }

  /** Stands in front of everything: a proxy must not keep a connection on which we will soon not answer. */
  readonly letGo: RequestHandler = (_request, response, next) => {
    if (this.draining) response.set('Connection', 'close');
    next();
  };

  readonly count: RequestHandler = (_request, response, next) => {
    if (this.#phase === 'closed') throw new GatewayError('draining', undefined, { retryAfterMs: 1000 });
    this.#open.add(response);
    response.once('close', () => {
      this.#open.delete(response);
      if (this.#open.size === 0) this.#whenEmpty?.();
    });
    next();
  };

  /** From here on /readyz answers 503, so that proxies send requests elsewhere; requests that still come are served. */
  leave(): void {
    if (this.#phase !== 'serving') return;
    this.#phase = 'leaving';
    for (const response of this.#open) if (!response.headersSent) response.set('Connection', 'close');
  }

  /** Resolves with the number of requests still open: 0, unless `timeoutMs` came first. */
  async finish(timeoutMs: number): Promise<number> {
    this.leave();
    this.#phase = 'closed';
    if (this.#open.size > 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>(resolve => {
        this.#whenEmpty = resolve;
        timer = setTimeout(resolve, timeoutMs);
      });
      clearTimeout(timer);
    }
    return this.#open.size;
  }
}
