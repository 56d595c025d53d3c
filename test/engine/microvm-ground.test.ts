// The stand-ins for built-ins that the template's Node lacks, in a context like the runner's: all exist before the late
// scripts are loaded, and code that uses them notices no difference.
import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import { describe, expect, it } from 'vitest';

const built = (path: string) => readFileSync(new URL(`../../dist/${path}`, import.meta.url), 'utf8');
const SCRIPTS: Record<string, string> = {
  newer: built('engine/microvm/runner/newer.js'),
  url: built('guest/prelude/url.js'),
};
const ground = built('engine/microvm/runner/ground.js');

/** Built-ins that Node 18 lacks, but every Node that runs these tests has. */
const OLDER = `
  for (const name of ['toReversed', 'toSorted', 'toSpliced', 'with']) delete Array.prototype[name];
  for (const name of ['union', 'intersection']) delete Set.prototype[name];
  delete Object.groupBy; delete Promise.withResolvers; delete Uint8Array.prototype.toBase64;`;

function open(before = '') {
  const context = createContext(Object.create(null));
  const run = (code: string): unknown => runInContext(code, context);
  run(before);
  const loaded: string[] = [];
  Object.assign(run('globalThis') as object, {
    __late(script: string) {
      loaded.push(script);
      run(SCRIPTS[script] ?? '');
    },
    __send: () => undefined,
  });
  run(ground);
  return { run, loaded };
}

/** The paths of everything that can be reached from the globals by names. */
const PATHS = `(() => {
  const seen = new Set(), paths = [];
  const walk = (value, path) => {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) return;
    seen.add(value);
    for (const name of Object.getOwnPropertyNames(value)) {
      if (['name', 'length', 'arguments', 'caller', 'constructor'].includes(name)) continue;
      paths.push(path + '.' + name);
      const { value: next } = Object.getOwnPropertyDescriptor(value, name);
      walk(next, path + '.' + name);
    }
  };
  const iterator = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
  walk({ global: globalThis, iterator, typed: Object.getPrototypeOf(Uint8Array) }, '');
  return paths;
})()`;

describe('a built-in that this Node lacks', () => {
  it('has a stand-in if the late scripts define it', () => {
    const bare = createContext(Object.create(null));
    runInContext(OLDER, bare);
    const before = new Set(runInContext(PATHS, bare) as string[]);
    for (const script of Object.values(SCRIPTS)) runInContext(script, bare);
    // Members of a new object come with it. A method that core-js replaces because of a fault in Node's has a
    // prototype, which the native one does not have; no code depends on it.
    const old = (path: string): boolean => before.has(path) || path.split('.').length === 2;
    const brought = (runInContext(PATHS, bare) as string[]).filter(
      path => !before.has(path) && old(path.slice(0, path.lastIndexOf('.'))) && !path.endsWith('.prototype'),
    );

    const { run, loaded } = open(OLDER);
    const standing = new Set(run(PATHS) as string[]);
    expect(loaded).toEqual([]);
    expect(brought.length).toBeGreaterThan(10);
    expect(brought.filter(path => !standing.has(path))).toEqual([]);
  });

  it('is not loaded by the prelude', () => {
    for (const surface of ['execute', 'search']) {
      const { run, loaded } = open(OLDER);
      Object.assign(run('globalThis') as object, {
        __send: () => undefined,
        __description: JSON.stringify({ title: '', version: '', operations: [], capabilities: [], synonyms: {} }),
      });
      run(built(`guest/prelude/${surface}.js`));
      expect(loaded).toEqual([]);
    }
  });

  it.each<[what: string, code: string, value: unknown, loaded: string[]]>([
    ['is found by typeof', 'typeof Set.prototype.union + typeof URL', 'functionfunction', ['url']],
    ['works at once', 'new Set([1]).union(new Set([2])).size', 2, ['newer']],
    ['works as a global', 'new URL("https://x.y/z").pathname', '/z', ['url']],
    ['is loaded once', 'Object.groupBy([1], String)[1][0] + [3, 1].toSorted()[0]', 2, ['newer']],
    [
      'works through a reference that was kept before',
      'const { union } = Set.prototype; union.call(new Set([1]), new Set()).size',
      1,
      ['newer'],
    ],
    [
      'may be wrapped',
      'const was = Set.prototype.union; Set.prototype.union = function (o) { return was.call(this, o).size }; new Set([1]).union(new Set([2]))',
      2,
      ['newer'],
    ],
    ['may be replaced', 'Object.groupBy = () => 7; [2, 1].toSorted(); Object.groupBy()', 7, ['newer']],
    ['may be deleted', 'delete Object.groupBy; [2, 1].toSorted(); typeof Object.groupBy', 'undefined', ['newer']],
    ['may be overwritten as a global', 'URL = 5; URL', 5, []],
    ['keeps its name', '[].toSorted.name + Object.keys(Set.prototype).length', 'toSorted0', []],
    ['hides the loader', 'typeof __late', 'undefined', []],
  ])('%s', (_what, code, value, loaded) => {
    const context = open(OLDER);
    expect(context.run(`(() => { ${code.replace(/([^;]+)$/, ' return $1')} })()`)).toEqual(value);
    expect(context.loaded).toEqual(loaded);
  });
});
