// Random programs for the fuzzer: well-formed JavaScript that mixes what agents write with what attackers try.
import fc from 'fast-check';

const names = fc.constantFrom('a', 'b', 'c', 'd');
const builtins = fc.constantFrom(
  ...['Object', 'Array', 'Promise', 'Map', 'Set', 'String', 'Number', 'RegExp', 'Error', 'Date', 'Symbol', 'Proxy'],
  ...['JSON', 'Reflect', 'Math', 'Function', 'globalThis', 'api', 'console', 'URL', 'Buffer', 'Uint8Array', 'BigInt'],
);
const members = fc.constantFrom(
  ...['prototype', 'constructor', '__proto__', 'then', 'toJSON', 'toString', 'valueOf', 'length', 'stringify', 'parse'],
  ...[
    'apply',
    'call',
    'get',
    'set',
    'slice',
    'keys',
    'defineProperty',
    'name',
    'message',
    'stack',
    'code',
    'request',
    'log',
  ],
);
const literals = fc.oneof(
  fc.integer().map(String),
  fc.double({ noNaN: false }).map(n => (Object.is(n, -0) ? '-0' : String(n))),
  fc.string({ maxLength: 12, unit: 'binary' }).map(s => JSON.stringify(s)),
  fc.constantFrom(
    'null',
    'undefined',
    'true',
    '[]',
    '({})',
    '10n',
    '/a+b/g',
    'new Map([[1, 2]])',
    'new Uint8Array(9)',
    'NaN',
    '"\\ud800"',
    'new Date(NaN)',
  ),
);

const odd = fc.constantFrom(
  'new Proxy({}, { get() { throw 1 } })',
  'new Proxy([], { ownKeys() { return ["x"] } })',
  '({ get x() { return this.x } })',
  '({ toJSON() { return this } })',
  '({ then(r) { r(1) } })',
  '({ then() {} })',
  '"x".repeat(3e6)',
  'new Array(4e9)',
  'new ArrayBuffer(9e7)',
  '(3n ** 20000n)',
  'structuredClone(new Map([[{}, new Set([1])]]))',
  'Object.create(null)',
  'Promise.reject(new Error("r"))',
  'new Promise(() => {})',
  'eval("1 +")',
  '(() => { const f = () => f() + 1; return f() })()',
  'JSON.parse("[".repeat(5000))',
  'Array.from({ length: 1e4 }, (_, i) => ({ i })).sort(() => 0.5 - Math.random())',
  '/^(a+)+$/.test("a".repeat(24) + "!")',
  'import("fs")',
  'crypto.getRandomValues(new Uint8Array(70000))',
);

const { expression, statement } = fc.letrec<{ expression: string; statement: string }>(tie => {
  const e = tie('expression');
  const s = tie('statement');
  return {
    expression: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      { arbitrary: literals, weight: 4 },
      { arbitrary: names, weight: 4 },
      { arbitrary: odd, weight: 2 },
      { arbitrary: builtins, weight: 1 },
      { arbitrary: fc.tuple(e, members).map(([x, m]) => `(${x})?.${m}`), weight: 2 },
      { arbitrary: fc.tuple(builtins, members, e).map(([b, m, x]) => `${b}.${m}?.(${x})`), weight: 2 },
      {
        arbitrary: fc
          .tuple(e, fc.constantFrom('+', '-', '*', '%', '&&', '??', '===', 'in', 'instanceof', ','), e)
          .map(([x, o, y]) => `((${x}) ${o} (${y}))`),
        weight: 2,
      },
      {
        arbitrary: fc.tuple(names, e, e).map(([n, x, y]) => `({ ${n}: ${x}, "k": ${y}, ["__proto__"]: 1 })`),
        weight: 2,
      },
      { arbitrary: fc.tuple(e, e).map(([x, y]) => `[${x}, ${y}]`), weight: 2 },
      { arbitrary: e.map(x => `await api.request(${x})`), weight: 2 },
      { arbitrary: e.map(x => `await (${x})`), weight: 1 },
      { arbitrary: fc.tuple(names, e).map(([n, x]) => `((${n} => ${x})(1))`.replaceAll('await ', '')), weight: 1 },
    ),
    statement: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      { arbitrary: fc.tuple(names, e).map(([n, x]) => `${n} = ${x};`), weight: 4 },
      { arbitrary: e.map(x => `console.log(${x});`), weight: 2 },
      { arbitrary: e.map(x => `display(${x});`), weight: 1 },
      { arbitrary: e.map(x => `return ${x};`), weight: 1 },
      { arbitrary: e.map(x => `throw ${x};`), weight: 1 },
      { arbitrary: fc.tuple(builtins, members, e).map(([b, m, x]) => `${b}.${m} = ${x};`), weight: 2 },
      {
        arbitrary: fc
          .tuple(builtins, members, e)
          .map(([b, m, x]) => `if (${b}?.prototype) ${b}.prototype.${m} = () => ${x.replaceAll('await ', '')};`),
        weight: 2,
      },
      {
        arbitrary: fc
          .tuple(members, e)
          .map(
            ([m, x]) =>
              `Object.defineProperty(Object.prototype, "${m}", { get() { return ${x.replaceAll('await ', '')} }, set() {}, configurable: true });`,
          ),
        weight: 1,
      },
      { arbitrary: fc.tuple(s, s).map(([x, y]) => `try { ${x} } catch (d) { ${y} }`), weight: 2 },
      {
        arbitrary: fc.tuple(e, s).map(([x, y]) => `for (let i = 0; i < 50; i++) { if (i && ${x}) break; ${y} }`),
        weight: 2,
      },
      { arbitrary: s.map(x => `while (true) { ${x} }`), weight: 1 },
      {
        arbitrary: fc
          .tuple(e, fc.nat(20))
          .map(([x, ms]) => `setTimeout(() => { ${x.replaceAll('await ', '')} }, ${ms});`),
        weight: 1,
      },
      { arbitrary: e.map(x => `api.request(${x}).catch(() => {});`), weight: 1 },
      { arbitrary: fc.tuple(s, s).map(([x, y]) => `${x} ${y}`), weight: 3 },
    ),
  };
});

/** An async function with a few statements. */
export const program: fc.Arbitrary<string> = fc
  .tuple(fc.array(statement, { minLength: 1, maxLength: 6 }), expression)
  .map(
    ([statements, last]) =>
      `async () => { let a = 1, b = "b", c = [1, 2], d = { x: 1 }; ${statements.join('\n')}\nreturn ${last} }`,
  );
