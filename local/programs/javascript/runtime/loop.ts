// The event loop: timers, and what the host says has happened. Each turn blocks until there is something to do.
import type { HttpRequest, HttpResponse, LoopEvent, Ran } from '../../operations.ts';
import { call } from './host.ts';

type Timer = { id: number; atMs: number; everyMs: number | undefined; run: () => void; kept: boolean };

const timers = new Map<number, Timer>();
const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
const servers = new Map<number, (id: number, request: HttpRequest) => void>();
let stdinListener: ((bytes: Uint8Array | null) => void) | undefined;
let nextId = 1;

export class Timeout {
  readonly #id: number;
  constructor(id: number) {
    this.#id = id;
  }
  ref(): this {
    return this.#keep(true);
  }
  unref(): this {
    return this.#keep(false);
  }
  #keep(kept: boolean): this {
    const timer = timers.get(this.#id);
    if (timer !== undefined) timer.kept = kept;
    return this;
  }
  [Symbol.toPrimitive](): number {
    return this.#id;
  }
}

export function setTimer(
  run: (...args: unknown[]) => void,
  delayMs: unknown,
  args: unknown[],
  repeats: boolean,
): Timeout {
  if (typeof run !== 'function') throw new TypeError('the callback must be a function');
  const ms = Math.max(1, Number(delayMs) || 0);
  const id = nextId++;
  timers.set(id, { id, atMs: Date.now() + ms, everyMs: repeats ? ms : undefined, run: () => run(...args), kept: true });
  return new Timeout(id);
}

export function clearTimer(timer: unknown): void {
  if (timer !== undefined && timer !== null) timers.delete(Number(timer));
}

/** Asks the host for something whose answer comes by the loop. */
export function later<T extends HttpResponse | Ran>(ask: (id: number) => void): Promise<T> {
  const id = nextId++;
  return new Promise<T>((resolve, reject) => {
    waiting.set(id, { resolve: resolve as (value: never) => void, reject });
    ask(id);
  });
}

export function onRequest(server: number, listener: (id: number, request: HttpRequest) => void): () => void {
  servers.set(server, listener);
  return () => servers.delete(server);
}

export function onStdin(listener: ((bytes: Uint8Array | null) => void) | undefined): void {
  stdinListener = listener;
}

/** Does the next thing there is to do, waiting for it; false when there is nothing to wait for. */
export function turn(): boolean {
  const next = Array.from(timers.values()).sort((a, b) => a.atMs - b.atMs || a.id - b.id)[0];
  const keeps = Array.from(timers.values()).some(timer => timer.kept);
  const listens = waiting.size > 0 || servers.size > 0 || stdinListener !== undefined;
  if (!keeps && !listens) return false;
  const timeoutMs = next === undefined ? null : Math.max(0, next.atMs - Date.now());
  if (next !== undefined && timeoutMs === 0) fire(next);
  else happen(call('poll', { timeoutMs, stdin: stdinListener !== undefined }));
  return true;
}

function fire(timer: Timer): void {
  if (timer.everyMs === undefined) timers.delete(timer.id);
  else timer.atMs = Date.now() + timer.everyMs;
  timer.run();
}

function happen(event: LoopEvent): void {
  switch (event.kind) {
    case 'stdin':
      stdinListener?.(event.bytes);
      break;
    case 'request':
      servers.get(event.server)?.(event.id, event.request);
      break;
    case 'answer':
      settle(event);
      break;
    case 'timeout':
      break;
  }
}

function settle({ id, value, error }: LoopEvent & { kind: 'answer' }): void {
  const open = waiting.get(id);
  waiting.delete(id);
  if (value === undefined) open?.reject(new Error(error ?? 'failed'));
  else open?.resolve(value as never);
}
