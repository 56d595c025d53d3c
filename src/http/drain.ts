// Shuts a replica down without failed requests. First /readyz returns 503 and each response closes its connection, while
// requests are still served. Then new requests are refused, and the open ones are waited for.
import type { RequestHandler, Response } from 'express';
import { GatewayError } from '../errors.ts';

export class Drain {
  #phase: 'serving' | 'leaving' | 'closed' = 'serving';
  readonly #open = new Set<Response>();
  #whenEmpty: (() => void) | undefined;

  /** True from the start of the shutdown: proxies should send requests to other replicas. */
  get draining(): boolean {
    return this.#phase !== 'serving';
  }

  get open(): number {
    return this.#open.size;
  }

  /** Runs before all other handlers: a proxy must not keep a connection that will soon be closed. */
  readonly closeConnections: RequestHandler = (_request, response, next) => {
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

  /** From now on /readyz returns 503, so that proxies send requests elsewhere. Requests that still arrive are served. */
  leave(): void {
    if (this.#phase !== 'serving') return;
    this.#phase = 'leaving';
    for (const response of this.#open) if (!response.headersSent) response.set('Connection', 'close');
  }

  /** Resolves with the number of requests that are still open: 0, unless `timeoutMs` has passed. */
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
