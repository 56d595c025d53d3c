// What every script finds without asking.
import { Buffer } from './buffer.ts';
import { fetch, Headers, Response } from './http.ts';
import { clearTimer, setTimer } from './loop.ts';
import { requireFrom } from './modules.ts';
import { console, guestProcess } from './process.ts';
import { TextDecoder, TextEncoder } from './text.ts';
import { URLSearchParams } from './url.ts';

Object.assign(globalThis, {
  global: globalThis,
  console,
  process: guestProcess,
  Buffer,
  TextEncoder,
  TextDecoder,
  URLSearchParams,
  fetch,
  Headers,
  Response,
  require: (name: string) => requireFrom(guestProcess.cwd())(name),
  setTimeout: (run: () => void, ms?: number, ...args: unknown[]) => setTimer(run, ms, args, false),
  setInterval: (run: () => void, ms?: number, ...args: unknown[]) => setTimer(run, ms, args, true),
  setImmediate: (run: () => void, ...args: unknown[]) => setTimer(run, 0, args, false),
  clearTimeout: clearTimer,
  clearInterval: clearTimer,
  clearImmediate: clearTimer,
});
