// The names the agent's code finds, by surface. The engine's prelude makes them, a test pins them, errors list them.
import type { Surface } from '../engine/engine.ts';

const PLATFORM = [
  'console',
  'setTimeout',
  'setInterval',
  'clearTimeout',
  'clearInterval',
  'queueMicrotask',
  'URL',
  'URLSearchParams',
  'TextEncoder',
  'TextDecoder',
  'atob',
  'btoa',
  'structuredClone',
  'crypto',
  'Buffer',
] as const;

const EXECUTE = ['api', 'Sandbox', 'display'] as const;

/** Own names first: they are what an agent looks for. ECMAScript's own globals (JSON, Map …) are not listed. */
export const GLOBALS: Readonly<Record<Surface, readonly string[]>> = {
  search: ['spec', 'find', 'describe', ...PLATFORM],
  read: [...EXECUTE, ...PLATFORM],
  write: [...EXECUTE, ...PLATFORM],
};
