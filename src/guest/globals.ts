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

/** Names agents reach for that are absent on purpose -> what to use instead. */
export const ABSENT: Readonly<Record<string, string>> = {
  fetch: 'There is no network here. Use api.request({ method, path, query, body }) in execute_read or execute_write.',
  XMLHttpRequest: 'There is no network here. Use api.request({ method, path, query, body }).',
  axios: 'There are no packages here. Use api.request({ method, path, query, body }).',
  require: 'There are no modules here: what is available is global.',
  module: 'There are no modules here. Send the function itself: async () => { return … }.',
  exports: 'There are no modules here. Send the function itself: async () => { return … }.',
  process: 'There is no process, environment or key here: the gateway adds the key to every call.',
  Deno: 'This is not Deno: there is no network or file system here.',
  Bun: 'This is not Bun: there is no network or file system here.',
  window: 'This is no browser. Use globalThis.',
  document: 'This is no browser: there is no DOM.',
  fs: 'There is no file system here. Use sandbox.files.read and sandbox.files.write.',
  CodeInterpreter: 'Use Sandbox: it has runCode.',
};
