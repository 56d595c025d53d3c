// require() and what it finds: Node's modules as far as they are here, then the sandbox's files.
import { Buffer } from './buffer.ts';
import { childProcess } from './child-process.ts';
import { EventEmitter } from './events.ts';
import { fs, promises } from './fs.ts';
import { call } from './host.ts';
import { http } from './http.ts';
import { format, inspect } from './inspect.ts';
import { clearTimer, setTimer } from './loop.ts';
import * as path from './path.ts';
import { console, guestProcess } from './process.ts';
import { TextDecoder, TextEncoder } from './text.ts';
import { URLSearchParams } from './url.ts';

const os = {
  platform: () => 'linux',
  arch: () => 'x64',
  type: () => 'Linux',
  release: () => '6.1.0',
  hostname: () => 'e2b.local',
  homedir: () => guestProcess.env.HOME ?? '/home/user',
  tmpdir: () => '/tmp',
  EOL: '\n',
  totalmem: () => 512e6,
  freemem: () => 448e6,
  cpus: () => [
    { model: 'virtual', speed: 0 },
    { model: 'virtual', speed: 0 },
  ],
  uptime: () => guestProcess.uptime(),
  userInfo: () => ({ username: 'user', homedir: '/home/user', uid: 1000, gid: 1000, shell: '/bin/bash' }),
};

class AssertionError extends Error {
  override readonly name = 'AssertionError';
  readonly code = 'ERR_ASSERTION';
}

function check(condition: unknown, message: unknown, fallback: string): void {
  if (condition) return;
  throw message instanceof Error ? message : new AssertionError(message === undefined ? fallback : String(message));
}

function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  return typeof a === 'object' && typeof b === 'object' && a !== null && b !== null && inspect(a) === inspect(b);
}

function throws(work: () => unknown, message?: unknown): void {
  try {
    work();
  } catch {
    return;
  }
  check(false, typeof message === 'string' ? message : undefined, 'Missing expected exception.');
}

const assert = Object.assign((value: unknown, message?: unknown) => check(value, message, 'The value is not truthy'), {
  ok: (value: unknown, message?: unknown) => check(value, message, 'The value is not truthy'),
  equal: (a: unknown, b: unknown, message?: unknown) => check(a === b, message, `${inspect(a)} == ${inspect(b)}`),
  notEqual: (a: unknown, b: unknown, message?: unknown) => check(a !== b, message, `${inspect(a)} != ${inspect(b)}`),
  strictEqual: (a: unknown, b: unknown, message?: unknown) =>
    check(Object.is(a, b), message, `${inspect(a)} !== ${inspect(b)}`),
  notStrictEqual: (a: unknown, b: unknown, message?: unknown) =>
    check(!Object.is(a, b), message, `${inspect(a)} === ${inspect(b)}`),
  deepEqual: (a: unknown, b: unknown, message?: unknown) =>
    check(same(a, b), message, `${inspect(a)} is not ${inspect(b)}`),
  deepStrictEqual: (a: unknown, b: unknown, message?: unknown) =>
    check(same(a, b), message, `${inspect(a)} is not ${inspect(b)}`),
  throws,
  fail: (message?: unknown) => check(false, message, 'Failed'),
});

function promisify(work: (...args: unknown[]) => unknown): (...args: unknown[]) => Promise<unknown> {
  return (...args) =>
    new Promise((resolve, reject) => {
      work(...args, (error: unknown, value: unknown) => (error ? reject(error) : resolve(value)));
    });
}

const timersPromises = {
  setTimeout: (ms: number, value?: unknown) =>
    new Promise(resolve => setTimer(resolve as () => void, ms, [value], false)),
};

const crypto = {
  randomUUID: () => globalThis.crypto.randomUUID(),
  getRandomValues: <T extends ArrayBufferView>(view: T) => globalThis.crypto.getRandomValues(view as never) as T,
  randomBytes: (size: number) => crypto.getRandomValues(new Buffer(size)),
  randomInt: (low: number, high?: number) =>
    Math.floor(Math.random() * (high === undefined ? low : high - low)) + (high === undefined ? 0 : low),
};

const BUILTIN: Readonly<Record<string, () => unknown>> = {
  fs: () => fs,
  'fs/promises': () => promises,
  path: () => ({ ...path, posix: path }),
  'path/posix': () => path,
  os: () => os,
  events: () => Object.assign(EventEmitter, { EventEmitter }),
  util: () => ({ inspect, format, promisify, TextEncoder, TextDecoder, types: {}, isDeepStrictEqual: same }),
  buffer: () => ({ Buffer }),
  process: () => guestProcess,
  console: () => console,
  child_process: () => childProcess,
  http: () => http,
  assert: () => assert,
  'assert/strict': () => assert,
  crypto: () => crypto,
  timers: () => ({ setTimeout, setInterval, clearTimeout: clearTimer, clearInterval: clearTimer }),
  'timers/promises': () => timersPromises,
  url: () => ({
    URL: globalThis.URL,
    URLSearchParams,
    fileURLToPath: (url: unknown) => new globalThis.URL(String(url)).pathname,
    pathToFileURL: (file: string) => new globalThis.URL(`file://${path.resolve(file)}`),
  }),
  module: () => ({
    createRequire: (from: unknown) => requireFrom(path.dirname(String(from).replace(/^file:\/\//, ''))),
  }),
  perf_hooks: () => ({ performance: globalThis.performance }),
};

export function isBuiltin(name: string): boolean {
  return Object.hasOwn(BUILTIN, name.replace(/^node:/, ''));
}

const made = new Map<string, unknown>();
const loaded = new Map<string, { exports: unknown }>();

function builtin(name: string): unknown {
  if (!made.has(name)) made.set(name, BUILTIN[name]?.());
  return made.get(name);
}

/** As `import` sees a builtin: its parts, and the whole as default. */
export function namesOf(name: string): string[] {
  const whole = builtin(name.replace(/^node:/, ''));
  return Object.keys(whole as object).filter(key => /^[A-Za-z_$][\w$]*$/.test(key) && key !== 'default');
}

export function requireFrom(folder: string): (name: string) => unknown {
  return name => {
    const plain = name.replace(/^node:/, '');
    if (isBuiltin(plain)) return builtin(plain);
    const file = find(folder, name);
    if (file === undefined) throw Object.assign(new Error(missing(name)), { code: 'MODULE_NOT_FOUND' });
    return load(file);
  };
}

export function missing(name: string): string {
  const local = /^[./]/.test(name);
  return local
    ? `Cannot find module '${name}'`
    : `Cannot find module '${name}': local mode has Node's basic modules and the sandbox's own files, no packages`;
}

/** The file a name means, seen from a folder. */
export function find(folder: string, name: string): string | undefined {
  if (/^[./]/.test(name)) return asFile(path.resolve(folder, name));
  for (let at = folder; ; at = path.dirname(at)) {
    const found = asFile(path.join(at, 'node_modules', name));
    if (found !== undefined || at === '/') return found;
  }
}

function asFile(target: string): string | undefined {
  for (const ending of ['', '.js', '.json', '.cjs', '.mjs', '.ts']) if (isFile(target + ending)) return target + ending;
  const description = isFile(`${target}/package.json`)
    ? JSON.parse(String(fs.readFileSync(`${target}/package.json`, 'utf8')))
    : {};
  const main = typeof description.main === 'string' ? path.join(target, description.main) : `${target}/index`;
  for (const ending of ['', '.js', '.ts']) if (isFile(main + ending)) return main + ending;
  return undefined;
}

function isFile(target: string): boolean {
  try {
    return call('stat', { path: target }).type === 'file';
  } catch {
    return false;
  }
}

declare global {
  /** Given by the worker: types out, the rest in its place. */
  var __strip: (source: string) => string;
  /** Given by the worker: evaluates a script that bears a file's name. */
  var __compile: (source: string, file: string) => (...args: unknown[]) => void;
}
const compile = globalThis.__compile;
Reflect.deleteProperty(globalThis, '__compile');
const strip = globalThis.__strip;
Reflect.deleteProperty(globalThis, '__strip');

export function sourceOf(file: string): string {
  const source = String(fs.readFileSync(file, 'utf8')).replace(/^#!.*/, '');
  return /\.[mc]?ts$/.test(file) ? strip(source) : source;
}

function load(file: string): unknown {
  const known = loaded.get(file);
  if (known !== undefined) return known.exports;
  const module = { exports: {} as unknown, filename: file, id: file };
  loaded.set(file, module);
  if (file.endsWith('.json')) module.exports = JSON.parse(String(fs.readFileSync(file, 'utf8')));
  else runCommon(sourceOf(file), file, module);
  return module.exports;
}

export function runCommon(source: string, file: string, module: { exports: unknown }): void {
  const folder = path.dirname(file);
  const run = compile(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, file);
  const require = Object.assign(requireFrom(folder), {
    main: module,
    resolve: (name: string) => find(folder, name) ?? name,
  });
  run.call(module.exports, module.exports, require, module, file, folder);
}
