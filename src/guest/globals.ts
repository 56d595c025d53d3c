// The globals that the agent's code can use, per tool. The prelude defines them, a test compares, error messages list them.
import type { Surface } from '../engine/engine.ts';

const TIMERS = ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'queueMicrotask'];
const TEXT = ['URL', 'URLSearchParams', 'TextEncoder', 'TextDecoder', 'atob', 'btoa'];
const PLATFORM = ['console', ...TIMERS, ...TEXT, 'structuredClone', 'crypto', 'Buffer'];

const EXECUTE = ['api', 'Sandbox', 'display'];

/** The gateway's own names come first, because agents look for those. ECMAScript's globals (JSON, Map …) are not listed. */
export const GLOBALS: Readonly<Record<Surface, readonly string[]>> = {
  search: ['spec', 'find', 'describe', ...PLATFORM],
  read: [...EXECUTE, ...PLATFORM],
  write: [...EXECUTE, ...PLATFORM],
};
