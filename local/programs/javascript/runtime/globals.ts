// What every script finds without asking.
import { Event, EventTarget } from 'event-target-shim';
import { AbortController, AbortSignal, useTimers } from '../../../../src/guest/prelude/abort.ts';
import { Buffer } from './buffer.ts';
import { fetch, Response } from './fetch.ts';
import { setTimer, timerFunctions } from './loop.ts';
import { requireFrom } from './modules.ts';
import { console, guestProcess } from './process.ts';

useTimers((ms, run) => setTimer(run, ms, [], false).unref());

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
  ...timerFunctions,
});
