// V8 frees young objects in a fraction of a millisecond, but some forms of code put a function into the old generation,
// where it stays, with all that it refers to, until a full collection: an accessor in an object literal, and a function
// that is assigned to a property where it is written (`a.f = () => …`; with a variable between them it is a young one).
// With them each call of a tool left 50 kB.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from '@swc/wasm-typescript';
import { type AnyNode, parse } from 'acorn';
import { expect, test } from 'vitest';
import { nodesOf } from '../src/guest/accept/syntax.ts';

const isFunction = ({ type }: AnyNode) => type === 'ArrowFunctionExpression' || type === 'FunctionExpression';

/** The places in `code` where such a function is made. */
function keptFunctions(code: string): string[] {
  const found: string[] = [];
  for (const { node, inFunction } of nodesOf(parse(code, { ecmaVersion: 'latest', sourceType: 'module' }))) {
    const accessor =
      node.type === 'ObjectExpression' &&
      node.properties.find(property => property.type === 'Property' && property.kind !== 'init');
    const assigned =
      inFunction &&
      node.type === 'AssignmentExpression' &&
      node.left.type === 'MemberExpression' &&
      isFunction(node.right) &&
      node;
    for (const kept of [accessor, assigned])
      if (kept) found.push(code.slice(kept.start, kept.end).split('\n', 1)[0] ?? '');
  }
  return found.sort();
}

test('the rule finds both forms, and not those that V8 frees soon', () => {
  expect(
    keptFunctions(`
      const a = { get x() { return 1 } };
      a.f = () => 2;
      (() => { a.f = () => 3 })();
      class A { #f; constructor() { this.#f = function () {} } get y() { return 1 } g = () => 3 }
      const h = () => 4;
      a.h = h;
      const b = { k: () => 5, m() {} };
    `),
  ).toEqual(['a.f = () => 3', 'get x() { return 1 }', 'this.#f = function () {}']);
});

test('no code of the gateway makes a function that V8 keeps', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(
    // These run inside guests and microVMs, once each.
    file => /(?<!\.d)\.ts$/.test(file) && !/^(?:guest\/prelude|engine\/microvm\/runner)\//.test(file),
  );
  const kept = files.flatMap(file => {
    const { code = '' } = transformSync(readFileSync(join('src', file), 'utf8'), { mode: 'strip-only' });
    return keptFunctions(code).map(place => `${file}: ${place}`);
  });
  expect(kept).toEqual([]);
});
