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
const FROM_LIBRARY = new Set(
  'assert assert/strict http querystring stream stream/promises string_decoder url util'.split(' '),
);
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

export function addBuiltin(name: string, whole: unknown): void {
  modules[name] = whole;
}

export function isBuiltin(name: string): boolean {
  const plain = name.replace(/^node:/, '');
  return Object.hasOwn(modules, plain) || FROM_LIBRARY.has(plain);
}

export function builtin(name: string): unknown {
  const plain = name.replace(/^node:/, '');
  return Object.hasOwn(modules, plain) ? modules[plain] : library()[plain];
}

/** As `import` sees a builtin: its parts, and the whole as default. */
export function namesOf(name: string): string[] {
  const whole = builtin(name) as object;
  return Object.keys(whole).filter(key => /^[A-Za-z_$][\w$]*$/.test(key) && key !== 'default');
}
