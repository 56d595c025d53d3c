// What every script finds without asking.
import { AbortController, AbortSignal, Event, EventTarget } from './abort.ts';
import { Buffer } from './buffer.ts';
import { fetch, Response } from './fetch.ts';
import { clearTimer, setTimer } from './loop.ts';
import { requireFrom } from './modules.ts';
import { console, guestProcess } from './process.ts';

Object.assign(globalThis, {
  global: globalThis,
  self: globalThis,
  console,
  process: guestProcess,
  Buffer,
  fetch,
  Response,
  AbortController,
  AbortSignal,
  Event,
  EventTarget,
  require: (name: string) => requireFrom(guestProcess.cwd())(name),
  setTimeout: (run: () => void, ms?: number, ...args: unknown[]) => setTimer(run, ms, args, false),
  setInterval: (run: () => void, ms?: number, ...args: unknown[]) => setTimer(run, ms, args, true),
  setImmediate: (run: () => void, ...args: unknown[]) => setTimer(run, 0, args, false),
  clearTimeout: clearTimer,
  clearInterval: clearTimer,
  clearImmediate: clearTimer,
});
