// The stand-ins for what the template's Node lacks, in a bare context as the runner makes it: all there before the late
// scripts are, and nothing of it noticed by who uses them.
import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import { describe, expect, it } from 'vitest';

const built = (path: string) => readFileSync(new URL(`../../dist/${path}`, import.meta.url), 'utf8');
const SCRIPTS: Record<string, string> = {
  newer: built('engine/microvm/runner/newer.js'),
  url: built('guest/prelude/url.js'),
};
const ground = built('engine/microvm/runner/ground.js');

/** What Node 18 has not got either, and so no Node that runs these tests would show. */
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

/** Paths of all that can be reached from the globals by plain names. */
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

describe('what this Node lacks', () => {
  it('has a stand-in for everything in the late scripts', () => {
    const bare = createContext(Object.create(null));
    runInContext(OLDER, bare);
    const before = new Set(runInContext(PATHS, bare) as string[]);
    for (const script of Object.values(SCRIPTS)) runInContext(script, bare);
    // What hangs on something new comes with it. A method of Node's that core-js makes anew, for a fault in it, has a
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

  it('is brought by nothing of the prelude itself', () => {
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
    ['is asked for by typeof', 'typeof Set.prototype.union + typeof URL', 'functionfunction', ['url']],
    ['works at once', 'new Set([1]).union(new Set([2])).size', 2, ['newer']],
    ['works as a global', 'new URL("https://x.y/z").pathname', '/z', ['url']],
    ['is loaded once', 'Object.groupBy([1], String)[1][0] + [3, 1].toSorted()[0]', 2, ['newer']],
    [
      'works where it was taken before',
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
    ['may be written over as a global', 'URL = 5; URL', 5, []],
    ['keeps its name', '[].toSorted.name + Object.keys(Set.prototype).length', 'toSorted0', []],
    ['hides the loader', 'typeof __late', 'undefined', []],
  ])('%s', (_what, code, value, loaded) => {
    const context = open(OLDER);
    expect(context.run(`(() => { ${code.replace(/([^;]+)$/, ' return $1')} })()`)).toEqual(value);
    expect(context.loaded).toEqual(loaded);
  });
});
