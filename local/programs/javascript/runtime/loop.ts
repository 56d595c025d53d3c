// The event loop: timers, and what the host says has happened. Each turn blocks until there is something to do.
import type { LocalRequest } from '../../../machine/machine.ts';
import type { Answer } from '../../host-calls.ts';
import type { Args, LoopEvent } from '../../operations.ts';
import { call } from './host.ts';

const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
const servers = new Map<number, (id: number, request: LocalRequest) => void>();
let stdinListener: ((bytes: Uint8Array | null) => void) | undefined;
let nextId = 1;

type Timer = { readonly id: number; readonly run: () => void; readonly everyMs?: number; atMs: number; kept: boolean };

const timers = new Map<number, Timer>();

/** Gives what Node's setTimeout does: it can be let go of and held on to. */
export function setTimer(run: (...args: unknown[]) => void, delay: unknown, args: unknown[], repeats: boolean) {
  if (typeof run !== 'function') throw new TypeError('the callback must be a function');
  const delayMs = Math.max(1, Number(delay) || 0);
  const every = repeats ? { everyMs: delayMs } : {};
  const timer: Timer = { id: newId(), run: () => run(...args), ...every, atMs: Date.now() + delayMs, kept: true };
  timers.set(timer.id, timer);
  const keep = (kept: boolean) => {
    timer.kept = kept;
    return timeout;
  };
  const timeout = { ref: () => keep(true), unref: () => keep(false), [Symbol.toPrimitive]: () => timer.id };
  return timeout;
}

function clearTimer(timer: unknown): void {
  if (timer !== undefined && timer !== null) timers.delete(Number(timer));
}

export const timerFunctions = {
  setTimeout: (run: () => void, ms?: number, ...args: unknown[]) => setTimer(run, ms, args, false),
  setInterval: (run: () => void, ms?: number, ...args: unknown[]) => setTimer(run, ms, args, true),
  setImmediate: (run: () => void, ...args: unknown[]) => setTimer(run, 0, args, false),
  clearTimeout: clearTimer,
  clearInterval: clearTimer,
  clearImmediate: clearTimer,
};

/** For what the host is asked to start or to open. */
export const newId = (): number => nextId++;

/** Asks the host for something whose answer comes by the loop. */
export function later<O extends Args<'start'>['op']>(op: O, args: Args<O>, id = newId()): Promise<Answer<O>> {
  return new Promise((resolve, reject) => {
    call('start', { id, op, args });
    waiting.set(id, { resolve, reject });
  });
}

/** Opens a port; 0: any. Gives the port, and what closes it. */
export function serve(wanted: number, listener: (id: number, request: LocalRequest) => void) {
  const id = newId();
  const port = call('listen', { id, port: wanted });
  servers.set(id, listener);
  const close = (): void => {
    servers.delete(id);
    call('unlisten', { id });
  };
  return { port, close };
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
  if (event.kind === 'stdin') stdinListener?.(event.bytes);
  if (event.kind === 'request') servers.get(event.of)?.(event.id, event.request);
  if (event.kind !== 'answer') return;
  const open = waiting.get(event.of);
  waiting.delete(event.of);
  if (event.value === undefined) open?.reject(new Error(event.error ?? 'failed'));
  else open?.resolve(event.value as never);
}
