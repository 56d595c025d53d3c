// The modules of Node that are here, each made when first asked for.
import EventEmitter from 'events/';
import path from 'path-browserify';
import { Buffer } from './buffer.ts';
import { childProcess } from './child-process.ts';
import { crypto } from './crypto.ts';
import * as fetch from './fetch.ts';
import { fs, promises } from './fs.ts';
import * as host from './host.ts';
import * as inspect from './inspect.ts';
import * as loop from './loop.ts';
import { os } from './os.ts';
import { console, guestProcess } from './process.ts';

declare global {
  /** Given by the worker: evaluates a script that bears a file's name. */
  var __compile: (source: string, file: string) => (...args: unknown[]) => void;
  /** Given by the worker: the text of a part of the runtime that is loaded when asked for. */
  var __library: (name: string) => string;
}
export const compile = globalThis.__compile;
Reflect.deleteProperty(globalThis, '__compile');
const source = globalThis.__library;
Reflect.deleteProperty(globalThis, '__library');

/** Web classes that are part of the library. */
const FROM_WEB = ['URL', 'URLSearchParams'];

const { clearTimer, setTimer } = loop;

type Modules = Readonly<Record<string, unknown>>;
let loaded: Modules | undefined;

/** The libraries of library.ts. */
function library(): Modules {
  if (loaded !== undefined) return loaded;
  // It looks whether there are such classes, and makes its own.
  for (const name of FROM_WEB) Reflect.deleteProperty(globalThis, name);
  const module = { exports: {} as { modules: Modules } };
  compile(`(function (exports, require, module) {${source('library')}\n})`, 'runtime/library.js')(
    module.exports,
    builtin,
    module,
  );
  loaded = module.exports.modules;
  return loaded;
}

/** There when first used. */
for (const name of FROM_WEB) {
  const get = (): unknown => {
    library();
    return (globalThis as Record<string, unknown>)[name];
  };
  const set = (value: unknown): void => {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  };
  Object.defineProperty(globalThis, name, { configurable: true, get, set });
}

const later = (ms: number, value?: unknown): Promise<unknown> =>
  new Promise(resolve => setTimer(resolve as () => void, ms, [value], false));

const MADE: Readonly<Record<string, () => unknown>> = {
  fs: () => fs,
  'fs/promises': () => promises,
  path: () => path,
  'path/posix': () => path,
  os: () => os,
  events: () => EventEmitter,
  buffer: () => ({ Buffer, SlowBuffer: Buffer, constants: { MAX_LENGTH: 2 ** 31 }, kMaxLength: 2 ** 31, atob, btoa }),
  process: () => guestProcess,
  console: () => console,
  child_process: () => childProcess,
  crypto: () => crypto,
  timers: () => ({ setTimeout, setInterval, setImmediate, clearTimeout: clearTimer, clearInterval: clearTimer }),
  'timers/promises': () => ({ setTimeout: later, setImmediate: (value?: unknown) => later(0, value) }),
  url: () => ({
    URL: globalThis.URL,
    URLSearchParams: globalThis.URLSearchParams,
    fileURLToPath: (url: unknown) => decodeURIComponent(new globalThis.URL(String(url)).pathname),
    pathToFileURL: (file: string) => new globalThis.URL(`file://${encodeURI(path.resolve(file))}`),
  }),
  perf_hooks: () => ({ performance: globalThis.performance }),
  'runtime:inspect': () => inspect,
  'runtime:fetch': () => fetch,
  'runtime:host': () => host,
  'runtime:loop': () => loop,
};
const FROM_LIBRARY = [
  'assert',
  'assert/strict',
  'http',
  'querystring',
  'stream',
  'stream/promises',
  'string_decoder',
  'util',
] as const;

const made = new Map<string, unknown>();

export function addBuiltin(name: string, whole: unknown): void {
  made.set(name, whole);
}

export function isBuiltin(name: string): boolean {
  const plain = name.replace(/^node:/, '');
  return Object.hasOwn(MADE, plain) || (FROM_LIBRARY as readonly string[]).includes(plain) || made.has(plain);
}

export function builtin(name: string): unknown {
  const plain = name.replace(/^node:/, '');
  if (!made.has(plain)) made.set(plain, Object.hasOwn(MADE, plain) ? MADE[plain]?.() : library()[plain]);
  return made.get(plain);
}

/** As `import` sees a builtin: its parts, and the whole as default. */
export function namesOf(name: string): string[] {
  const whole = builtin(name) as object;
  return Object.keys(whole).filter(key => /^[A-Za-z_$][\w$]*$/.test(key) && key !== 'default');
}
