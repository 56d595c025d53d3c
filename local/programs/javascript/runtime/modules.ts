// require() and what it finds: Node's modules as far as they are here, then the sandbox's files.
import path from 'path-browserify';
import { addBuiltin, builtin, isBuiltin, namesOf } from './builtins.ts';
import { fs } from './fs.ts';
import { call, worker } from './host.ts';

const loaded = new Map<string, { exports: unknown }>();

export function requireFrom(folder: string): (name: string) => unknown {
  return name => {
    if (isBuiltin(name)) return builtin(name);
    const file = find(folder, name);
    if (file === undefined) throw Object.assign(new Error(missing(name)), { code: 'MODULE_NOT_FOUND' });
    return load(file);
  };
}

function missing(name: string): string {
  const local = /^[./]/.test(name);
  return local
    ? `Cannot find module '${name}'`
    : `Cannot find module '${name}': local mode has Node's basic modules and the sandbox's own files, no packages`;
}

/** The file a name means, seen from a folder. */
function find(folder: string, name: string): string | undefined {
  if (/^[./]/.test(name)) return asFile(path.resolve(folder, name));
  for (let at = folder; ; at = path.dirname(at)) {
    const found = asFile(path.join(at, 'node_modules', name));
    if (found !== undefined || at === '/') return found;
  }
}

export function asFile(target: string): string | undefined {
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

export function sourceOf(file: string): string {
  const source = String(fs.readFileSync(file, 'utf8')).replace(/^#!.*/, '');
  return /\.[mc]?ts$/.test(file) ? worker.strip(source) : source;
}

/** Modules without a file of their own: what was typed at a command line. */
const given = new Map<string, string>();
export const giveSource = (file: string, source: string): void => void given.set(file, source);

/** `import` of a name, seen from the module of that file. */
export function resolveModule(from: string, name: string): string {
  if (isBuiltin(name)) return `node:${name.replace(/^node:/, '')}`;
  const found = given.has(name) ? name : find(path.dirname(from), name.replace(/^file:\/\//, ''));
  if (found === undefined) throw new Error(missing(name));
  return found;
}

export function moduleSource(file: string): string {
  if (file.startsWith('node:')) return builtinSource(file.slice(5));
  if (file.endsWith('.json')) return `export default ${sourceOf(file)}`;
  return (given.get(file) ?? sourceOf(file)).replaceAll('import.meta.url', JSON.stringify(`file://${file}`));
}

/** A builtin's parts, and the whole as default. */
function builtinSource(name: string): string {
  const names = namesOf(name);
  const parts = names.map((key, at) => `${key}: v${at}`).join(', ');
  const exported = names.map((key, at) => `v${at} as ${key}`).join(', ');
  return `const m = require(${JSON.stringify(name)}); const { ${parts} } = m; export { m as default, ${exported} };`;
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
  const run = worker.compile(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, file);
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
