// Generated texts, and the places at which a caller, a guest, the API or a sandbox can send one.
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { Answer, Attack } from './attacks/attack.ts';
import { framed, HOSTILE, onSandbox } from './hostile-sandbox.ts';
import { askAndAnswer, falseStates, headed } from './support/approvals.ts';
import { post, rawHead, times, toolCall, writeRaw } from './support/send.ts';

/** A text that repeats one piece, so that its description is short. */
export type Shape = { readonly open: string; readonly piece: string; readonly close: string; readonly bytes: number };

const PIECES = [
  ...[
    '{},',
    '[],',
    '0,',
    '"",',
    '1e999,',
    '"\\u0000",',
    'null,',
    '{"a":',
    '[',
    '[[],',
    '"k":1,',
    '"\ud800",',
    '//',
    ' ',
  ],
  ...['GET / HTTP/1.1\r\n\r\n', 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n', 'a: b\r\n', '1\r\n \r\n', '\r\n'],
  ...['{"event":{"keepalive":{}}},', '\n', '{}\n', '{"type":"stdout","text":"x"}\n', '\\', '"', '\\u00e9', 'x', '€'],
];
const WRAPS = [
  ['[', '0]'],
  ['{"entries":[', '{}]}'],
  ['{"a":"', '"}'],
  ['{"type":"result","text":"', '"}\n'],
  ['', ''],
] as const;

export const shape: fc.Arbitrary<Shape> = fc
  .record({
    piece: fc.oneof(fc.constantFrom(...PIECES), fc.string({ minLength: 1, maxLength: 12 })),
    wrap: fc.constantFrom(...WRAPS),
    bytes: fc.constantFrom(10_000, 200_000, 900_000, 4_000_000),
  })
  .map(({ piece, wrap: [open, close], bytes }) => ({ open, piece, close, bytes }));

const textOf = ({ open, piece, close, bytes }: Shape): string =>
  open + piece.repeat(Math.ceil(bytes / Buffer.byteLength(piece))) + close;

/** The same text as an expression in the agent's code. */
const expressionOf = ({ open, piece, close, bytes }: Shape): string => {
  const count = Math.ceil(Math.min(bytes, 900_000) / Buffer.byteLength(piece));
  return `(${JSON.stringify(open)} + ${JSON.stringify(piece)}.repeat(${count}) + ${JSON.stringify(close)})`;
};

type Place = (shape: Shape) => Pick<Attack, 'answers' | 'send'>;

const AT_ONCE = 6;
const inBody =
  (encode: (body: string) => Buffer | string, encoding?: string): Place =>
  shape => ({
    send: target => {
      const call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"code":"1"},"_meta":${textOf(shape)}}}`;
      const body = encode(call);
      return Promise.all(times(AT_ONCE, () => post(target, body, encoding === undefined ? {} : { encoding })));
    },
  });
const CONNECTIONS = 20;
/** Raw bytes after `head`, on many connections, for a second. */
const onConnections =
  (head: string): Place =>
  shape => ({
    send: target => Promise.all(times(CONNECTIONS, () => writeRaw(target, head + textOf(shape), 1_000))),
  });
const inCode =
  (use: string): Place =>
  shape => ({
    send: target => {
      const code = `async () => { const s = ${expressionOf(shape)}; return await Promise.all(Array.from({ length: ${AT_ONCE} }, async () => { try { return ${use} } catch (e) { return e.code } })) }`;
      return post(target, toolCall('execute_write', code));
    },
  });
const answered =
  (path: string, act: string, body: (shape: Shape) => Answer): Place =>
  shape => ({
    answers: { ...HOSTILE, [path]: body(shape) },
    send: target => {
      const each = `Promise.all(Array.from({ length: ${AT_ONCE} }, () => ${act}.then(x => typeof x, e => e.code)))`;
      return post(target, toolCall('execute_write', onSandbox(each)));
    },
  });
const asText = (shape: Shape): Answer => ({ body: textOf(shape) });
const asFrames = (shape: Shape): Answer => {
  const message = framed(shape.piece);
  const count = Math.min(200_000, Math.ceil(shape.bytes / message.length));
  return {
    type: 'application/connect+json',
    body: Buffer.concat([framed({ start: { pid: 7 } }), ...times(count, () => message)]),
  };
};

export const PLACES: Readonly<Record<string, Place>> = {
  body: inBody(body => body),
  'gzip body': inBody(body => gzipSync(body), 'gzip'),
  'deflate body': inBody(body => deflateSync(body), 'deflate'),
  'brotli body': inBody(body => brotliCompressSync(body), 'br'),
  connection: onConnections(''),
  headers: onConnections('GET /healthz HTTP/1.1\r\nHost: localhost\r\n'),
  'chunks of a body': onConnections(rawHead('Transfer-Encoding: chunked')),
  code: shape => ({
    send: target =>
      Promise.all(
        times(AT_ONCE, () =>
          post(target, toolCall('search', textOf({ ...shape, bytes: Math.min(shape.bytes, 200_000) }))),
        ),
      ),
  }),
  'body of a call': inCode(`await api.request({ method: 'POST', path: '/sandboxes', body: s })`),
  'raw body of a call': inCode(
    `await api.request({ method: 'POST', path: '/sandboxes', rawBody: s, contentType: 'application/json' })`,
  ),
  'path of a call': inCode(`await api.request({ path: '/sandboxes/' + s })`),
  'query of a call': inCode(`await api.request({ path: '/v2/sandboxes', query: { state: s } })`),
  'arguments of a method': inCode(`await Sandbox.create({ metadata: { [s.slice(0, 1000)]: s } })`),
  'parsed arguments': inCode(`await Sandbox.create({ metadata: JSON.parse(s) })`),
  result: inCode('s'),
  'parsed result': inCode('JSON.parse(s)'),
  display: inCode('display(s)'),
  error: inCode('await Promise.reject(Object.assign(new Error(s), { name: s }))'),
  output: inCode('console.log(s)'),
  'answer of the API': answered('/v2/sandboxes', `api.request({ path: '/v2/sandboxes' })`, asText),
  'list of a sandbox': answered('/filesystem.Filesystem/ListDir', `sbx.files.list('/')`, asText),
  'file of a sandbox': answered('/files', `sbx.files.read('/x')`, asText),
  'bytes of a file': answered('/files', `sbx.files.read('/x', { format: 'bytes' })`, asText),
  'server in a sandbox': answered('/', `sbx.fetch(80, '/')`, asText),
  'messages of a command': answered('/process.Process/Start', `sbx.commands.run('true')`, asFrames),
  'state of a run': shape => ({ send: falseStates(textOf(shape), AT_ONCE) }),
  'head of a state': shape => ({ send: falseStates(headed(textOf(shape)), AT_ONCE) }),
  'recorded reply': shape => ({
    answers: { ...HOSTILE, '/files': asText({ ...shape, bytes: Math.min(shape.bytes, 900_000) }) },
    send: target => askAndAnswer(target, onSandbox(`sbx.files.read('/x').then(() => sbx.kill())`)),
  }),
  'events of code': answered('/execute', `sbx.runCode('1')`, asText),
};
