// What an agent reads after frequent mistakes, tested with a client, the gateway, the engine and local mode. Each hint
// must be there, and no wrong one.
import { expect, it } from 'vitest';
import { useGateway } from '../support/e2e.ts';

const e2e = useGateway();

type Case = {
  readonly code: string;
  readonly tool?: 'search' | 'execute_read' | 'execute_write';
  readonly expected: readonly (string | RegExp)[];
  readonly not?: readonly (string | RegExp)[];
};

async function expectAnswer({ code, tool = 'execute_write', expected, not = [] }: Case): Promise<void> {
  const { text } = await e2e.client.call(tool, code);
  for (const part of expected) expect(text).toMatch(part);
  for (const part of not) expect(text).not.toMatch(part);
}

const SANDBOX = 'const s = await Sandbox.create();\n';

it.each<[what: string, asked: Case]>([
  [
    "fetch of a sandbox's server",
    {
      code: `async () => { ${SANDBOX} return (await fetch(\`https://\${s.getHost(3000)}\`)).status }`,
      expected: ['sbx.fetch(port, path)', 'curl', 'api.request({ method'],
      not: ['Globals:'],
    },
  ],
  [
    'fetch in search',
    { tool: 'search', code: `async () => fetch('x')`, expected: ['find(query)'], not: ['sbx.fetch', 'Globals:'] },
  ],
  ['require', { code: `async () => require('fs')`, expected: ['There is no file system here'], not: ['Hint:'] }],
  ['CodeInterpreter', { code: 'async () => CodeInterpreter.create()', expected: ['Use Sandbox'], not: ['Globals:'] }],
  ['print', { code: 'print("hello")', expected: ['console.log', /runCode/], not: ['Globals:'] }],
  ['an unknown name', { code: 'async () => zork', expected: ['Globals: api'] }],
])('an undefined name gets a hint: %s', (_, asked) => expectAnswer(asked));

it.each(['sandbox', 'ctx', 'sbx'])('a parameter named %s is explained: the function gets no arguments', name =>
  expectAnswer({
    code: `async (${name}) => ${name}.commands.run('ls')`,
    expected: ['gets no arguments', `const ${name} = await Sandbox.create()`],
  }),
);

const API = "await api.request({ method: 'GET', path: '/v2/sandboxes' })";
const AWAIT = 'An `await` is missing';

it.each<[what: string, asked: Case]>([
  [
    'not what the answer of api.request has',
    {
      code: `async () => { ${SANDBOX} const r = await s.fetch(3000, '/'); return r.formData() }`,
      expected: ['r.formData is not a function', 'arrayBuffer'],
      not: ['api.request answers'],
    },
  ],
  [
    'what the answer of api.request has',
    {
      code: `async () => { const r = ${API};\n return await r.json() }`,
      expected: ['r.json is not a function', /no json\(\)/],
    },
  ],
  [
    'not that commands run as they do',
    {
      code: `async () => { ${SANDBOX} return (await s.commands.run('ls /')).stdout.lines() }`,
      expected: [/\.stdout\.lines is not a function/],
      not: ['Hint:'],
    },
  ],
  [
    'no await for what needs none',
    {
      code: `async () => { ${SANDBOX} const pager = Sandbox.list(); const files = await s.files.list('/'); return files[999].name }`,
      expected: ["cannot read property 'name'"],
      not: ['Hint:'],
    },
  ],
  [
    'nothing about api.request where a sandbox is at fault',
    {
      code: `async () => { const { data } = ${API}; ${SANDBOX}\n return s.zork.zork }`,
      expected: ["'zork'"],
      not: ['Hint:'],
    },
  ],
  [
    'await, by a name',
    { code: `async () => { const s = Sandbox.create();\n return s.commands.run('x') }`, expected: [AWAIT] },
  ],
  [
    'await, by a name in a pattern',
    { code: `async () => { const { data } = ${API.slice(6)};\n return data.map(x => x) }`, expected: [AWAIT] },
  ],
  ['await, on the spot', { code: `async () => ${API.slice(6)}.data.map(x => x)`, expected: [AWAIT] }],
  ['await, for a list', { code: 'async () => Sandbox.list().map(x => x.sandboxId)', expected: [AWAIT] }],
  ['.data', { code: `async () => { const r = ${API};\n return r.body.map(x => x) }`, expected: ['use .data'] }],
  [
    'to check ok',
    { code: `async () => { const { data } = ${API};\n return data.items.map(x => x) }`, expected: ['check ok'] },
  ],
  ['to look at what is no list', { code: `async () => { for (const x of ${API}) x }`, expected: ['check ok'] }],
  ['that api has one method', { code: `async () => api.get('/sandboxes')`, expected: ['api has one method'] }],
  ['that api is an object', { code: `async () => api('/sandboxes')`, expected: ['api is an object'] }],
])('the hint on a TypeError says %s', (_, asked) => expectAnswer(asked));

it.each<[what: string, asked: Case]>([
  [
    'a method of a sandbox',
    {
      code: `async () => { ${SANDBOX} await s.openBrowser(3000) }`,
      expected: ['s.openBrowser is not a function', /A sandbox has: .*isRunning/, /describe\("Sandbox"\)/],
    },
  ],
  [
    'a method of files',
    {
      code: `async () => { ${SANDBOX} return s.files.readText('/x') }`,
      expected: ['s.files.readText is', 'files has: read'],
    },
  ],
  [
    'a method of commands, over several lines',
    {
      code: `async () => { ${SANDBOX} return s\n  .commands\n  .spawn('ls', x => x.y) }`,
      expected: ['s.commands.spawn is not a function', 'commands has: run'],
    },
  ],
  [
    'a static method',
    { code: 'async () => Sandbox.spawn(1)', expected: ['Sandbox.spawn is not a function', 'Sandbox has: create'] },
  ],
  [
    'a handle in a loop',
    {
      code: `async () => { ${SANDBOX} const cmd = await s.commands.run('true', { background: true });\n for await (const c of cmd) c; }`,
      expected: ['cmd is not async iterable', /cmd\.output\(\)/, /cmd\.wait\(\)/],
    },
  ],
  [
    'an item of a list',
    {
      code: `async () => { ${SANDBOX} for (const x of await Sandbox.list()) await x.kill(); }`,
      expected: ['x.kill is not a function', /Sandbox\.kill\(x\.sandboxId\)/],
    },
  ],
  [
    'an array',
    {
      code: `async () => { ${SANDBOX} return (await s.files.list('/')).entries.map(e => e.name) }`,
      expected: [/\.entries\.map is not a function/],
    },
  ],
  [
    'a call around one that is fine',
    {
      code: `async () => { ${SANDBOX} return s.zork(Math.max(1), parseInt('2')) }`,
      expected: [' s.zork is not a function'],
      not: ['max is'],
    },
  ],
  [
    'one of two',
    {
      code: 'async () => { const o = {};\n return o.a(o.b()) }',
      expected: ['o.b is not a function, or o.a is not a function'],
    },
  ],
  [
    'nothing for what a built-in was given',
    { code: 'async () => [1].map(5)', expected: ['TypeError: not a function'] },
  ],
])('"not a function" names %s', (_, asked) => expectAnswer(asked));

it.each([
  ['A sandbox has', 's.zork()', 's'],
  ['Sandbox has', 'Sandbox.zork()', 'Sandbox'],
  ['files has', 's.files.zork()', 's.files'],
  ['commands has', 's.commands.zork()', 's.commands'],
  ['A command in the background has', 'c.zork()', 'c'],
  ['A response of fetch has', 'r.zork()', 'r'],
])('%s every name that the hint lists', async (says, wrong, owner) => {
  const start = `${SANDBOX} const c = await s.commands.run('true', { background: true }); const r = await s.fetch(3000, '/');`;
  const { text: answer } = await e2e.client.call('execute_write', `async () => { ${start} ${wrong} }`);
  const names = new RegExp(`${says}: ([^.]*)\\.`).exec(answer)?.[1]?.split(', ') ?? [];
  expect(names.length).toBeGreaterThan(3);
  const missing = `${JSON.stringify(names)}.filter(name => ${owner}[name] === undefined)`;
  const { text } = await e2e.client.call('execute_write', `async () => { ${start} return ${missing} }`);
  expect(text).toContain('\n[]\n');
});

it.each<[what: string, asked: Case]>([
  [
    'request_invalid',
    {
      code: `async () => { ${SANDBOX}
  return await api.request({ method: 'POST', path: '/sandboxes', body: {} }) }`,
      expected: [/at line 3, column \d+: return await api\.request/],
    },
  ],
  [
    'method_refused',
    {
      tool: 'execute_read',
      code: 'async () => {\n  await Sandbox.kill("i") }',
      expected: [/at line 2, column \d+: await Sandbox/],
    },
  ],
  [
    'FileNotFoundError',
    {
      code: `async () => { ${SANDBOX} return await s.files.read('/nope') }`,
      expected: [/at line 2, column \d+: return await s\.f/],
    },
  ],
  [
    'SandboxNotFoundError',
    {
      code: `async () => {\n  return await Sandbox.connect('i0') }`,
      expected: [/at line 2, column \d+: return await S/],
    },
  ],
])('the error %s shows the line of the call', (_, asked) => expectAnswer(asked));

it.each<[what: string, asked: Case]>([
  [
    'a missing field',
    {
      code: `async () => { ${SANDBOX} const ran = await s.runCode('print(1)'); return ran.text }`,
      expected: ['return the whole object once', /runCode printed is in logs\.stdout/],
    },
  ],
  [
    'nothing returned, no code run',
    { code: 'async () => { 1 }', expected: ['either `return` is missing'], not: ['runCode'] },
  ],
  [
    'calls not awaited before a failure',
    {
      code: `async () => { ${SANDBOX}
        [1, 2, 3].forEach(async () => { await s.commands.run('sleep 5') });
        return await s.files.read('/tmp/x') }`,
      expected: ['FileNotFoundError', /note: 3 calls were still open .*`await` before each/],
    },
  ],
  [
    'a refused option',
    {
      code: 'async () => Sandbox.create({ timeout: 60 })',
      expected: [/describe\('Sandbox\.create'\)/],
      not: ['Hint:'],
    },
  ],
])('notes and hints on %s', (_, asked) => expectAnswer(asked));

it('arrayBuffer() of a response returns an ArrayBuffer', async () => {
  const { text } = await e2e.client.call(
    'execute_write',
    `async () => { ${SANDBOX} const response = await s.fetch(3000, '/');
      const buffer = await response.arrayBuffer();
      return buffer instanceof ArrayBuffer && buffer.byteLength === (await response.bytes()).length }`,
  );
  expect(text).toContain('\ntrue\n');
});
