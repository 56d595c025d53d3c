// Node's modules and globals in the virtual `node`: what a script prints there is what it prints in Node.
import { execFileSync } from 'node:child_process';
import type { Sandbox as E2BSandbox } from 'e2b';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Sandbox, startCloud } from './support/data.ts';

const OUTCOME = `const outcome = work => {
  try { return work() ?? 'passes' } catch (error) { return error.name + (error.code ? ' ' + error.code : '') }
};
const show = value => console.log(require('util').inspect(value));`;

/** Each shows one value or several. */
const SCRIPTS: Readonly<Record<string, string>> = {
  'assert.deepEqual and deepStrictEqual of every kind': `const a = require('assert');
const pairs = [[new Map([[{ a: 1 }, 1]]), new Map([[{ a: 1 }, 1]])], [new Map([[1, 1]]), new Map([[1, 2]])],
  [new Set([{ a: 1 }]), new Set([{ a: 1 }])], [new Set([1]), new Set([2])], [new Date(1), new Date(1)],
  [new Date(1), new Date(2)], [/a/g, /a/g], [/a/g, /a/i], [[1, [2, { b: 3 }]], [1, [2, { b: 3 }]]],
  [[1, [2, { b: 3 }]], [1, [2, { b: 4 }]]], [[1], ['1']], [{ a: undefined }, {}], [NaN, NaN], [0, -0],
  [new Uint8Array([1, 2]), new Uint8Array([1, 2])], [new Uint8Array([1]), new Uint8Array([2])],
  [Buffer.from('a'), Buffer.from('a')], [new Error('a'), new Error('b')], [[1, , 3], [1, undefined, 3]],
  [Object.create(null), {}], [{ a: 1, b: 2 }, { b: 2, a: 1 }], ['a', new String('a')], [1n, 1n], [null, undefined],
  [{ deep: { er: { er: { er: { er: { er: 1 } } } } } }, { deep: { er: { er: { er: { er: { er: 2 } } } } } }],
  [Array.from({ length: 200 }, (_, i) => i), Array.from({ length: 200 }, (_, i) => i === 150 ? -1 : i)]];
for (const [x, y] of pairs) show([outcome(() => a.deepEqual(x, y)), outcome(() => a.deepStrictEqual(x, y)),
  outcome(() => a.notDeepStrictEqual(x, y)), require('util').isDeepStrictEqual(x, y)]);`,
  'assert.throws with a class, a pattern, an object, a function': `const a = require('assert');
const fails = () => { throw new TypeError('bad value') };
show([outcome(() => a.throws(fails)), outcome(() => a.throws(fails, TypeError)), outcome(() => a.throws(fails, /bad/)),
  outcome(() => a.throws(fails, /good/)) === 'passes', outcome(() => a.throws(fails, { name: 'TypeError', message: 'bad value' })),
  outcome(() => a.throws(fails, { message: /bad/ })), outcome(() => a.throws(fails, { message: 'good' })),
  outcome(() => a.throws(fails, error => error.message === 'bad value')), outcome(() => a.throws(() => {})),
  outcome(() => a.throws(() => {}, TypeError)), outcome(() => a.doesNotThrow(() => {})),
  outcome(() => a.throws(fails, RangeError)) === 'passes']);
module.exports = a.rejects(Promise.reject(new RangeError('r')), RangeError).then(() => show('rejected as expected'));`,
  'the rest of assert': `const a = require('node:assert/strict');
show([outcome(() => a.equal(1, '1')), outcome(() => a(0)), outcome(() => a.ok('x')), outcome(() => a.match('abc', /b/)),
  outcome(() => a.doesNotMatch('abc', /b/)), outcome(() => a.fail('no')), outcome(() => a.ifError(null)),
  outcome(() => a.notEqual(1, 2)), a.AssertionError.name]);`,
  'inspect of nested values': `show([{ a: { b: { c: { d: 1 } } } }, [undefined, null, , 3], new Map([[{ k: 1 }, new Set(['v'])]]), Symbol('s'),
  class A {}, class B extends Array {}, function named() {}, () => {}, -0, 10n, "it's", 'a\\nb', new Date(0), /x/g,
  Object.create(null), new (class Point { constructor() { this.x = 1 } })(), Buffer.from('hi'), new Uint8Array(3),
  new Array(150).fill(7), { get g() { return 1 }, set s(v) {} }, [['nested', ['deep', ['er', ['est']]]]]]);
const loop = { name: 'loop' }; loop.self = loop; console.log(loop); console.log('%s is %d and %j %o', 'a', 42, { b: 1 }, [1], 'rest');`,
  events: `const E = require('events'); const e = new E(); const seen = [];
e.once('a', x => seen.push(['once', x])); e.on('a', x => seen.push(['on', x])); e.prependListener('a', () => seen.push('first'));
e.emit('a', 1); e.emit('a', 2); show([seen, e.listenerCount('a'), e.eventNames(), e.emit('none'), outcome(() => e.emit('error', new RangeError('x')))]);
module.exports = E.once(e, 'later').then(value => show(value)); e.emit('later', 'value');`,
  path: `const p = require('path');
show([p.join('/a', '..', 'b', './c'), p.resolve('/x', 'y', '../z'), p.relative('/a/b/c', '/a/d'), p.parse('/home/u/file.tar.gz'),
  p.format({ dir: '/d', name: 'n', ext: '.e' }), p.normalize('/a//b/../c/'), p.extname('.bashrc'), p.basename('a/b.js', '.js'), p.isAbsolute('a')]);`,
  'querystring, URL and URLSearchParams': `const q = require('querystring');
show([q.parse('a=1&a=2&b=%20x'), q.stringify({ a: [1, 2], b: 'x y' }), q.escape('ä&')]);
const u = new URL('../p?q=1&q=2#h', 'https://user:pw@example.com:8080/a/b/c'); u.searchParams.append('n', 'ü +');
show([u.href, u.host, u.searchParams.getAll('q'), new URLSearchParams({ a: 'b c' }).toString(), [...new URLSearchParams([['x', '1']])],
  outcome(() => { try { new URL('nonsense') } catch (error) { return error.name } }), require('url').fileURLToPath('file:///tmp/a%20b')]);`,
  'buffer and string_decoder': `const b = Buffer.from('grüße');
show([b, b.toString('base64'), b.toString('hex'), Buffer.from('aGk', 'base64url').toString(), b.subarray(2, 4), b.indexOf('ß'),
  Buffer.concat([b, Buffer.alloc(2, 'x')]).length, b.readUInt16BE(1), Buffer.compare(Buffer.from('a'), Buffer.from('b')), b.equals(Buffer.from('grüße'))]);
const { StringDecoder } = require('string_decoder'); const d = new StringDecoder('utf8');
show([d.write(b.subarray(0, 3)), d.write(b.subarray(3)), d.end(b.subarray(2, 3))]);`,
  streams: `const { Readable, Transform, pipeline, PassThrough } = require('stream'); const { pipeline: promised } = require('stream/promises');
const upper = new Transform({ transform(chunk, _, done) { done(null, String(chunk).toUpperCase()) } }); const out = [];
module.exports = (async () => {
  await promised(Readable.from(['a', 'b', 'c']), upper, async function* (source) { for await (const part of source) out.push(String(part)) });
  show(out);
  await new Promise(done => pipeline(Readable.from(['x']), new PassThrough(), error => done(show(error ?? 'no error'))).resume());
  await promised(Readable.from((async function* () { throw new RangeError('broken') })()), new PassThrough()).catch(error => show(error.name));
})();`,
  util: `const u = require('util'); const sleep = u.promisify((ms, done) => setTimeout(() => done(null, 'slept ' + ms), ms));
module.exports = sleep(1).then(show).then(() => new Promise(done => u.callbackify(async x => x * 2)(21, (error, value) => done(show([error, value])))));
function Old() {} function Base() {} Base.prototype.hello = () => 'hello'; u.inherits(Old, Base);
show([new Old().hello(), u.types.isRegExp(/a/), u.types.isPromise(Promise.resolve()), u.stripVTControlCharacters('\\u001b[1mb\\u001b[0m'), u.format('%i', 4.7)]);`,
  crypto: `const c = require('crypto');
show([c.createHash('sha256').update('a').update('b').digest('hex'), c.createHash('md5').update('x').digest('base64'),
  c.createHmac('sha1', 'key').update('data').digest('hex'), c.randomBytes(8).length, c.randomUUID().length, c.randomInt(5) < 5,
  c.timingSafeEqual(Buffer.from('a'), Buffer.from('a')), outcome(() => c.createHash('none'))]);`,
  'web globals': `const h = new Headers({ 'X-A': '1' }); h.append('x-a', '2');
const c = new AbortController(); c.signal.addEventListener('abort', () => show('aborted')); c.abort();
show([h.get('X-a'), new TextDecoder().decode(new TextEncoder().encode('ü😀')), c.signal.aborted, c.signal.reason.name,
  structuredClone(new Map([[1, { d: new Date(0) }]])), btoa('a'), atob('YQ=='), outcome(() => AbortSignal.abort().throwIfAborted())]);`,
  'stacks of errors': `function inner() { throw new TypeError('bad') }
try { inner() } catch (error) { show([error.stack.split('\\n')[0], /at inner/.test(error.stack), String(error), error instanceof TypeError]) }`,
};

describe('the virtual node', () => {
  let sandbox: E2BSandbox;
  let close: () => Promise<void>;
  beforeAll(async () => {
    const { local, connection } = await startCloud('virtual');
    close = () => local.close();
    sandbox = await Sandbox.create(connection);
  });
  afterAll(() => close());

  /** What each prints, by its name, when `node` runs them one after the other. */
  const printed = (output: string): Record<string, string> => {
    const parts = output.split('## ').slice(1);
    return Object.fromEntries(parts.map(part => [part.split('\n', 1)[0], part.slice(part.indexOf('\n') + 1)]));
  };
  const RUN_ALL = `(async () => { for (const [name, script] of Object.entries(${JSON.stringify(SCRIPTS)})) {
    console.log('## ' + name);
    const module = { exports: {} };
    new Function('require', 'module', ${JSON.stringify(OUTCOME)} + script)(require, module);
    await module.exports;
  } })()`;
  const inNode = printed(execFileSync(process.execPath, ['-e', RUN_ALL], { encoding: 'utf8' }));
  let here: Record<string, string> = {};
  beforeAll(async () => {
    await sandbox.files.write('all.cjs', RUN_ALL);
    const { stdout, stderr } = await sandbox.commands.run('node all.cjs || true');
    expect(stderr).toBe('');
    here = printed(stdout);
  });

  test.each(Object.keys(SCRIPTS))('%s: as in Node', name => {
    expect(inNode[name]).toBeDefined();
    expect(here[name]).toBe(inNode[name]);
  });

  test('there is no Deno, and parts of Node that are absent throw an error that says so', async () => {
    const run = (code: string) => sandbox.commands.run(`node -e "${code}" || true`);
    expect((await run('console.log(typeof Deno)')).stdout).toBe('undefined\n');
    expect((await run("require('worker_threads')")).stderr).toContain("Cannot find module 'worker_threads'");
  });

  test.each([
    ['node -p "1 + 1"', '2\n'],
    ['node --print="6 * 7"', '42\n'],
    ['node -e "console.log(process.argv.slice(1).join())" a b', 'a,b\n'],
    ['node --no-warnings --env-file x.env args.cjs -e c', '/home/user/args.cjs,-e,c\n'],
    ['echo "console.log(process.argv.length)" | node - x y', '4\n'],
    ['echo "console.log(typeof require)" | node', 'function\n'],
  ])('%s', async (command, output) => {
    await sandbox.files.write('args.cjs', 'console.log(process.argv.slice(1).join())');
    expect((await sandbox.commands.run(command)).stdout).toBe(output);
  });
});
