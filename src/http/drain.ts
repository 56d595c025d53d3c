// Counts what is under way on /mcp, refuses newcomers once the process is told to stop, and says when all is done.
import type { RequestHandler } from 'express';
import { GatewayError } from '../errors.ts';

export class Drain {
  #draining = false;
  #open = 0;
  #whenEmpty: (() => void) | undefined;

  get draining(): boolean {
    return this.#draining;
  }

  get open(): number {
    return this.#open;
  }

  readonly count: RequestHandler = (_request, response, next) => {
    if (this.#draining) throw new GatewayError('draining', undefined, { retryAfterMs: 1000 });
    this.#open++;
    response.once('close', () => {
      this.#open--;
      if (this.#open === 0) this.#whenEmpty?.();
    });
    next();
  };

  /** Resolves with the number of requests still open: 0, unless `timeoutMs` came first. */
  async finish(timeoutMs: number): Promise<number> {
    this.#draining = true;
    if (this.#open > 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>(resolve => {
        this.#whenEmpty = resolve;
        timer = setTimeout(resolve, timeoutMs);
      });
      clearTimeout(timer);
    }
    return this.#open;
  }
}
