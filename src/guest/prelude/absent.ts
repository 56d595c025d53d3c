// Names models reach for that do not exist here, and what to use instead. They are truly absent (`typeof fetch` is
// "undefined", so feature tests work); the answer is added to the ReferenceError on its way out.
import { IMPORT_MESSAGE } from '../../engine/protocol.ts';
import * as is from './intrinsics.ts';

const FILES =
  'There is no file system here. In execute_read and execute_write, work on files of a sandbox: sandbox.files.read(path).';
const NETWORK =
  "There is no network here. A server inside a sandbox: sbx.fetch(port, path). The internet: sbx.commands.run('curl …'). The API itself: api.request({ method, path, query, body }).";
const NETWORK_IN_SEARCH = 'There is no network here. Use find(query) and describe(operation).';
const ENVIRONMENT = 'There is no process and there are no environment variables here; the gateway adds the API key.';

const INSTEAD: Readonly<Record<string, string>> = is.freeze({
  __proto__: null,
  fetch: NETWORK,
  XMLHttpRequest: NETWORK,
  WebSocket: NETWORK,
  axios: NETWORK,
  require: IMPORT_MESSAGE,
  module: IMPORT_MESSAGE,
  exports: IMPORT_MESSAGE,
  process: ENVIRONMENT,
  Deno: ENVIRONMENT,
  Bun: ENVIRONMENT,
  fs: FILES,
  print: "Use console.log('…'). Python goes into sbx.runCode('…').",
  CodeInterpreter: 'Use Sandbox: it has runCode.',
  setImmediate: 'Use setTimeout(fn, 0) or queueMicrotask(fn).',
  WebAssembly: 'Run it in a sandbox instead.',
  window: 'There is no page here; globals are on globalThis.',
  document: 'There is no page here.',
} as unknown as Record<string, string>);

const SUFFIX = ' is not defined';

const inSearch = (): boolean => is.getOwnPropertyDescriptor(globalThis, 'api') === undefined;

export function explainAbsent(errorName: string, message: string): string {
  if (errorName !== 'ReferenceError') return message;
  const end = is.indexOf(message, SUFFIX);
  if (end < 1) return message;
  const instead = INSTEAD[is.slice(message, 0, end)];
  if (instead === undefined) return message;
  return `${message}. ${instead === NETWORK && inSearch() ? NETWORK_IN_SEARCH : instead}`;
}
