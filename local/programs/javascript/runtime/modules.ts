// require() and what it finds: Node's modules as far as they are here, then the sandbox's files.
import path from 'path-browserify';
import { addBuiltin, builtin, compile, isBuiltin } from './builtins.ts';
import { fs } from './fs.ts';
import { call } from './host.ts';

const loaded = new Map<string, { exports: unknown }>();

export function requireFrom(folder: string): (name: string) => unknown {
  return name => {
    if (isBuiltin(name)) return builtin(name);
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
}
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

addBuiltin('module', {
  createRequire: (from: unknown) => requireFrom(path.dirname(String(from).replace(/^file:\/\//, ''))),
  isBuiltin,
});
