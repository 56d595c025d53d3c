// What one caller can send that used to hold up everybody, each a function of the gateway it is sent to. Keys are
// invented: nothing of it needs an account.
import { gzipSync } from 'node:zlib';
import { newKey } from '../support/gateway.ts';
import { framed, HOSTILE, onSandbox, SANDBOX } from './hostile-sandbox.ts';
import { neverRead, post, type Target, times, toolCall } from './support/send.ts';

export type Answer = { readonly body: string | Buffer; readonly type?: string; readonly afterMs?: number };

export type Attack = {
  readonly name: string;
  /** Paths of the stand-in API, which is the daemon of its sandboxes as well, answered instead of 404. */
  readonly answers?: Readonly<Record<string, Answer>>;
  /** What the bystander runs, where it is not a search. */
  readonly bystander?: string;
  /** The gateway runs execute_read and execute_write in sandboxes of E2B; search stays embedded. */
  readonly microvm?: true;
  readonly send: (target: Target) => Promise<unknown>;
};

/** `count` requests of a run at once, each made by `request` (JavaScript text). */
const requests = (count: number, before: string, request: string) =>
  `async () => { ${before}; return (await Promise.all(Array.from({ length: ${count} }, () => api.request(${request}).catch(e => e.code)))).slice(0, 3) }`;

const execute = (tool: 'execute_read' | 'execute_write', code: string) => (target: Target) =>
  post(target, toolCall(tool, code));

/** As many callers, each with a run of this code. */
const eachOf = (count: number, code: string) => (target: Target) =>
  Promise.all(times(count, () => post(target, toolCall('execute_read', `async () => { ${code} }`))));

const EMPTY_OBJECTS = `[${'{},'.repeat(333_000)}{}]`;
const keys = (count: number) => Object.fromEntries(times(count, i => [`k${i}`, 1]));
const DEEP = `const s = '['.repeat(700000) + ']'.repeat(700000)`;
const OBJECTS = `const s = '[' + '{},'.repeat(450000) + '{}]'`;
const RAW = `const s = '{' + Array.from({ length: 110000 }, (_, i) => '"k' + i + '":1').join() + '}'`;
const METADATA = `const m = Object.fromEntries(Array.from({ length: 75000 }, (_, i) => ['k' + i, 'v']))`;
const MANY = `const q = Object.fromEntries(Array.from({ length: 100000 }, (_, i) => ['k' + i, '1']))`;
const REGEX = `async () => /${'(?<a>)|(?:'.repeat(738)}${')'.repeat(738)}/`;
const BAD_TEXT = `${'a?(b):(c='.repeat(40)}1${')=>1'.repeat(40)} as any`;
const ZEROS = `e2b_${'0'.repeat(40)}`;
const ALMOST_KEYS = `${'%30'.repeat(39)}%31`.repeat(50_000);
const toSandboxes = (fields: string) => `{ method: 'POST', path: '/sandboxes', ${fields} }`;

/** What answers as a run's sandbox: the runner's stdout, in messages of 30 kB. */
const microvmThatWrites = (text: string): Readonly<Record<string, Answer>> => {
  const stdout = Buffer.from(text);
  const pieces = times(Math.ceil(stdout.length / 30_000), i => stdout.subarray(i * 30_000, (i + 1) * 30_000));
  const output = pieces.map(piece => framed({ data: { stdout: piece.toString('base64') } }));
  return {
    '/sandboxes': SANDBOX,
    '/v2/sandboxes': SANDBOX,
    '/v3/sandboxes': SANDBOX,
    '/files': { body: '[{"name":"run.json","type":"file","path":"/tmp/run.json"}]' },
    '/process.Process/Start': {
      type: 'application/connect+json',
      body: Buffer.concat([framed({ start: { pid: 7 } }), ...output]),
    },
  };
};
const frame = (fields: object) => `#code-mode#${JSON.stringify(fields)}\n`;
const STARTED = frame({ t: 'started' });
const message = (kind: number, p: string) => frame({ t: 'message', kind, id: 1, p, cpuMs: 0 });
const inMicrovms = (target: Target) =>
  Promise.all(times(4, () => post(target, toolCall('execute_write', 'async () => 1'))));

export const ATTACKS: readonly Attack[] = [
  {
    name: '200 string bodies of 700,000 levels, in execute_read',
    send: execute('execute_read', requests(200, DEEP, toSandboxes('body: s'))),
  },
  {
    name: '200 string bodies of 700,000 levels, in execute_write',
    send: execute('execute_write', requests(200, DEEP, toSandboxes('body: s'))),
  },
  {
    name: '100 string bodies of 450,000 empty objects',
    send: execute('execute_write', requests(100, OBJECTS, toSandboxes('body: s'))),
  },
  {
    name: '100 raw bodies of 110,000 keys',
    send: execute('execute_write', requests(100, RAW, toSandboxes(`rawBody: s, contentType: 'application/json'`))),
  },
  {
    name: '16 bodies of 75,000 metadata keys',
    send: execute('execute_write', requests(16, METADATA, toSandboxes(`body: { templateID: 'base', metadata: m }`))),
  },
  {
    name: '16 queries of 100,000 entries',
    send: execute('execute_read', requests(16, MANY, `{ path: '/v2/sandboxes', query: q }`)),
  },
  {
    name: '16 times 100,000 headers',
    send: execute('execute_read', requests(16, MANY, `{ path: '/v2/sandboxes', headers: q }`)),
  },
  {
    name: '10 regular expressions of 8 kB that take long to check',
    send: target => Promise.all(times(10, () => post(target, toolCall('search', REGEX)))),
  },
  {
    name: '64 texts of one key that take the parser too long',
    send: target => {
      const key = newKey();
      return Promise.all(times(64, () => post(target, toolCall('search', BAD_TEXT), { key, ms: 4_000 })));
    },
  },
  {
    name: '64 such texts of each of five keys',
    send: target => {
      const sent = (key: string) => times(64, () => post(target, toolCall('search', BAD_TEXT), { key, ms: 4_000 }));
      return Promise.all(times(5, newKey).flatMap(sent));
    },
  },
  {
    name: '16 texts of 20,000 nested templates',
    send: target => {
      const code = `async () => ${'`${'.repeat(20_000)}1${'}`'.repeat(20_000)}`;
      return Promise.all(times(16, () => post(target, toolCall('search', code))));
    },
  },
  {
    name: '30 batches of eight runs that compute',
    send: target => {
      const call: unknown = JSON.parse(toolCall('search', 'async () => { for (let i = 0; i < 3e5; i++); return 1 }'));
      const batch = JSON.stringify(times(8, i => ({ ...(call as object), id: i })));
      return Promise.all(times(30, () => post(target, batch)));
    },
  },
  {
    name: '100 bodies with a key of 900 kB',
    send: execute(
      'execute_write',
      requests(
        100,
        `const m = { ['k'.repeat(900_000)]: 'v' }`,
        toSandboxes(`body: { templateID: 'base', metadata: m }`),
      ),
    ),
  },
  {
    name: '16 runs that print 300,000 lines each',
    send: eachOf(16, `for (let i = 0; i < 300_000; i++) console.log('line', i, {})`),
  },
  {
    name: '6 runs that make formats of 20,000 locales each',
    send: eachOf(
      6,
      `for (let i = 0; i < 20_000; i++) try { new Intl.NumberFormat('de-x-' + i.toString(36), { minimumFractionDigits: i % 9 }).format(i) } catch {}`,
    ),
  },
  {
    name: '6 runs that normalize and compare long texts',
    send: eachOf(
      6,
      `const s = '\u1e9b\u0323e\u0301'.repeat(200_000); for (let i = 0; i < 40; i++) { s.normalize('NFKD'); s.localeCompare(s + i, 'de'); s.toLocaleUpperCase('tr') }`,
    ),
  },
  {
    name: '30 packed bodies of 1 MB of {}',
    send: target => {
      const meta = { padding: JSON.parse(EMPTY_OBJECTS) };
      const body = gzipSync(toolCall('search', 'async () => new Promise(done => setTimeout(done, 2000))', meta));
      return Promise.all(times(30, () => post(target, body, { encoding: 'gzip' })));
    },
  },
  {
    name: '10 bodies with 110,000 keys in _meta',
    send: target => {
      const body = gzipSync(toolCall('search', 'async () => 1', keys(110_000)));
      const plain = toolCall('search', 'async () => 1', keys(70_000));
      return Promise.all(times(5, () => Promise.all([post(target, body, { encoding: 'gzip' }), post(target, plain)])));
    },
  },
  {
    name: '16 runs that display 83,000 blocks each',
    send: target => {
      const code = `async () => { for (let i = 0; i < 83000; i++) display('x') }`;
      return Promise.all(times(16, () => post(target, toolCall('execute_read', code))));
    },
  },
  {
    name: '16 results of as many values as a result may hold',
    send: target => {
      const code = `async () => Array.from({ length: 130000 }, () => ({}))`;
      return Promise.all(times(16, () => post(target, toolCall('execute_read', code))));
    },
  },
  {
    name: '16 runs that display 4 MB each',
    send: target => {
      const code = `async () => { display(new Uint8Array(2_900_000)) }`;
      return Promise.all(times(16, () => post(target, toolCall('execute_read', code))));
    },
  },
  {
    name: '90 clients that never read',
    send: target => {
      const key = newKey();
      const body = toolCall('execute_read', `async () => 'x'.repeat(90000)`);
      return Promise.all(times(90, () => neverRead(target, body, key, 4_000)));
    },
  },
  {
    name: 'errors whose place is hard to find, 16 times',
    send: target => {
      const code = `async () => { const f = null; const r = '${'(?<a>)|(?:'.repeat(300)}'; f.g.h(); }`;
      return Promise.all(times(16, () => post(target, toolCall('search', code))));
    },
  },
  {
    name: '4 answers of the API of 7.8 MB of {}',
    answers: { '/v2/sandboxes': { body: `[${'{},'.repeat(2_600_000)}{}]` } },
    send: execute('execute_read', requests(4, '', `{ path: '/v2/sandboxes' }`)),
  },
  {
    name: 'a sandbox that lists 4 MB of {}, 8 times',
    answers: { ...HOSTILE, '/filesystem.Filesystem/ListDir': { body: `{"entries":[${'{},'.repeat(1_400_000)}{}]}` } },
    send: execute(
      'execute_read',
      onSandbox(`Promise.all(Array.from({ length: 8 }, () => sbx.files.list('/').catch(e => e.code)))`),
    ),
  },
  {
    name: 'files of 5 MB that spell the key with escapes as far as its last digit, 8 times',
    answers: { ...HOSTILE, '/files': { body: ALMOST_KEYS.slice(0, 4_900_000) } },
    send: target => {
      const reads = onSandbox(`Promise.all(Array.from({ length: 8 }, () => sbx.files.read('/x').catch(e => e.code)))`);
      return post(target, toolCall('execute_read', reads), { key: ZEROS });
    },
  },
  {
    name: 'a sandbox that answers a command with 16 MB of small messages, 4 times',
    answers: {
      ...HOSTILE,
      '/process.Process/Start': {
        type: 'application/connect+json',
        body: Buffer.concat([framed({ start: { pid: 7 } }), Buffer.alloc(16_000_000)]),
      },
    },
    send: target =>
      Promise.all(
        times(4, () =>
          post(target, toolCall('execute_write', onSandbox(`sbx.commands.run('true').catch(e => e.code)`))),
        ),
      ),
  },
  {
    name: 'a sandbox that answers a command with 90,000 keepalives, 4 times',
    answers: {
      ...HOSTILE,
      '/process.Process/Start': {
        type: 'application/connect+json',
        body: Buffer.concat([framed({ start: { pid: 7 } }), ...Array(90_000).fill(framed({ keepalive: {} }))]),
      },
    },
    send: target =>
      Promise.all(
        times(4, () =>
          post(target, toolCall('execute_write', onSandbox(`sbx.commands.run('true').catch(e => e.code)`))),
        ),
      ),
  },
  {
    name: 'a sandbox that answers code with 190,000 events, 4 times',
    answers: { ...HOSTILE, '/execute': { body: '{"type":"stdout","text":"x"}\n'.repeat(190_000) } },
    send: target =>
      Promise.all(
        times(4, () => post(target, toolCall('execute_write', onSandbox(`sbx.runCode('1').catch(e => e.code)`)))),
      ),
  },
  ...[
    { what: 'frames of a kind that the engine does not use', line: message(7, '8') },
    { what: 'pieces of log', line: message(5, 'x') },
    { what: 'calls with one id', line: message(0, 'api.request\n{}') },
    { what: 'lines that are no frames', line: 'x\n' },
  ].map(({ what, line }) => ({
    name: `a microVM that writes 8 MB of ${what}, 4 times`,
    microvm: true as const,
    answers: microvmThatWrites(STARTED + line.repeat(Math.floor(8_000_000 / line.length))),
    send: inMicrovms,
  })),
  {
    name: '40 keys with runs that fill their memory and wait for a slow call',
    answers: { '/v2/sandboxes': { body: '[]', afterMs: 3_000 } },
    send: target => {
      const code = `async () => { const held = new Uint8Array(50e6).fill(7); await api.request({ path: '/v2/sandboxes' }); return held[7] }`;
      return Promise.all(times(40, () => post(target, toolCall('execute_read', code))));
    },
  },
  {
    name: '100 runs of one key with 8 slow calls each, beside another key that reads',
    answers: { '/v2/sandboxes': { body: '[]', afterMs: 3_000 } },
    bystander: `async () => (await api.request({ path: '/sandboxes/inone' })).status`,
    send: target => {
      const key = newKey();
      const code = requests(8, '', `{ path: '/v2/sandboxes' }`);
      return Promise.all(times(100, () => post(target, toolCall('execute_read', code), { key })));
    },
  },
];
