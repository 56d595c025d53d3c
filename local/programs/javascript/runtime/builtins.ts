// The modules of Node that are here: those of the runtime, and those of library.ts, which is loaded when first asked for.
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
import { console, guestProcess, os } from './process.ts';

type Modules = Record<string, unknown>;

const later = (ms: number, value?: unknown): Promise<unknown> =>
  new Promise(resolve => loop.setTimer(resolve as () => void, ms, [value], false));

const modules: Modules = {
  fs,
  'fs/promises': promises,
  path,
  'path/posix': path,
  os,
  events: EventEmitter,
  buffer: { Buffer, SlowBuffer: Buffer, constants: { MAX_LENGTH: 2 ** 31 }, kMaxLength: 2 ** 31, atob, btoa },
  process: guestProcess,
  console,
  child_process: childProcess,
  crypto,
  timers: loop.timerFunctions,
  'timers/promises': { setTimeout: later, setImmediate: (value?: unknown) => later(0, value) },
  perf_hooks: { performance: globalThis.performance },
};
/** Parts of the runtime that the library shares. */
const SHARED: Modules = {
  'runtime:inspect': inspect,
  'runtime:fetch': fetch,
  'runtime:host': host,
  'runtime:loop': loop,
};
const FROM_LIBRARY = 'assert assert/strict http querystring stream stream/promises string_decoder url util'.split(' ');
/** Web classes that are part of the library. */
const FROM_WEB = ['URL', 'URLSearchParams'];

let loaded: Modules | undefined;

function library(): Modules {
  if (loaded !== undefined) return loaded;
  // It looks whether there are such classes, and makes its own.
  for (const name of FROM_WEB) Reflect.deleteProperty(globalThis, name);
  const module = { exports: {} as { modules: Modules } };
  const source = `(function (exports, require, module) {${host.worker.library('library')}\n})`;
  host.worker.compile(source, 'runtime/library.js')(
    module.exports,
    (name: string) => SHARED[name] ?? builtin(name),
    module,
  );
  loaded = module.exports.modules;
  return loaded;
}

/** There when first used. */
function lazily(target: object, name: string, get: () => unknown): void {
  const set = (value: unknown) => Object.defineProperty(target, name, { value, writable: true, configurable: true });
  Object.defineProperty(target, name, { configurable: true, get, set });
}
for (const name of FROM_LIBRARY) lazily(modules, name, () => library()[name]);
for (const name of FROM_WEB) lazily(globalThis, name, () => library() && Reflect.get(globalThis, name));

export function addBuiltin(name: string, whole: unknown): void {
  modules[name] = whole;
}

const plain = (name: string): string => name.replace(/^node:/, '');
export const isBuiltin = (name: string): boolean => Object.hasOwn(modules, plain(name));
export const builtin = (name: string): unknown => modules[plain(name)];

/** As `import` sees a builtin: its parts, and the whole as default. */
export function namesOf(name: string): string[] {
  const whole = builtin(name) as object;
  return Object.keys(whole).filter(key => /^[A-Za-z_$][\w$]*$/.test(key) && key !== 'default');
}
