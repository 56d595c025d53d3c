// setTimeout, setInterval and their counterparts, with timers of the host, and queueMicrotask. An error in a callback ends
// the run, like any uncaught error.
import { clearTimer, startTimer } from './bridge.ts';
import * as is from './intrinsics.ts';
import { fail } from './outcome.ts';

const resolved = is.PromiseCtor.resolve();
/** The id of an interval (that of its first timer) -> the id of its current timer. */
const intervals = new is.MapCtor<number, number>();

function invoke(callback: unknown, args: unknown[]): void {
  if (typeof callback !== 'function') return;
  try {
    is.apply(callback as () => unknown, undefined, args);
  } catch (error) {
    fail(error);
  }
}

function delay(ms: unknown): number {
  const asked = is.NumberCtor(ms);
  return asked > 0 ? is.min(is.floor(asked), 2_147_483_647) : 0;
}

function setTimeout(callback: unknown, ms?: unknown, ...args: unknown[]): number {
  requireFunction('setTimeout', callback);
  return startTimer(delay(ms), () => invoke(callback, args));
}

function setInterval(callback: unknown, ms?: unknown, ...args: unknown[]): number {
  requireFunction('setInterval', callback);
  const period = delay(ms);
  const tick = () => {
    // The next timer starts before the callback runs, so that the callback can clear it.
    is.mapSet(intervals, id, startTimer(period, tick));
    invoke(callback, args);
  };
  const id = startTimer(period, tick);
  is.mapSet(intervals, id, id);
  return id;
}

function clear(id: unknown): void {
  if (typeof id !== 'number') return;
  const current = is.mapGet(intervals, id);
  is.mapDelete(intervals, id);
  clearTimer(current ?? id);
}

function queueMicrotask(callback: unknown): void {
  requireFunction('queueMicrotask', callback);
  is.promiseThen(resolved, () => invoke(callback, []));
}

function requireFunction(name: string, callback: unknown): void {
  if (typeof callback !== 'function') throw new is.TypeErrorCtor(`${name} needs a function as its first argument`);
}

export function installTimers(): void {
  is.defineGlobal('queueMicrotask', queueMicrotask);
  is.defineGlobal('setTimeout', setTimeout);
  is.defineGlobal('setInterval', setInterval);
  is.defineGlobal('clearTimeout', clear);
  is.defineGlobal('clearInterval', clear);
}
