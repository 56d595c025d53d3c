// Messages with invalid parameters, in every revision, over HTTP and stdio: each is answered with a JSON-RPC error with
// the id of the message and a sentence.
import { PassThrough } from 'node:stream';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServerFactory } from '../../src/mcp/server.ts';
import { createTools } from '../../src/mcp/tools.ts';
import { E2B_PRODUCT } from '../../src/product.ts';
import { LineTransport } from '../../src/stdio-transport.ts';
import { newKey, startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.close());

type Params = Readonly<Record<string, unknown>> | undefined;
type Answer = { readonly id: unknown; readonly error?: { readonly code: number; readonly message: string } };

const MODERN = '2026-07-28';
const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': MODERN,
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
const messageOf = (revision: string, id: unknown, method: string, params: Params) => ({
  ...{ jsonrpc: '2.0', id, method },
  params: revision === MODERN ? { ...params, _meta: ENVELOPE } : params,
});

const WRONG: [string, Params, RegExp][] = [
  ['prompts/get', undefined, /`params/],
  ['prompts/get', {}, /`params\.name`/],
  ['prompts/get', { name: 3 }, /`params\.name`/],
  ['prompts/get', { name: 'x', arguments: { y: 3 } }, /`params\.arguments\.y`/],
  ['resources/read', undefined, /`params/],
  ['resources/read', { uri: {} }, /`params\.uri`/],
  ['tools/call', undefined, /`params/],
  ['tools/call', { arguments: { code: 'async () => 1' } }, /`params\.name`/],
  ['tools/call', { name: ['search'] }, /`params\.name`/],
];
const WRONG_INITIALIZE: [string, Params, RegExp][] = [
  ['initialize', undefined, /`params`/],
  ['initialize', {}, /`params\.protocolVersion`/],
  ['initialize', { protocolVersion: '2025-06-18', capabilities: 1, clientInfo: {} }, /`params\.capabilities`/],
  ['initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: 'x' }, /`params\.clientInfo`/],
];
const UNKNOWN: [string, Params][] = [
  ['completion/complete', {}],
  ['logging/setLevel', { level: 3 }],
  ['resources/subscribe', {}],
  ['nope', { x: [] }],
  ['constructor', undefined],
];

function expectSentence(answer: Answer | undefined, id: unknown, named: RegExp): void {
  expect(answer).toMatchObject({ id, error: { code: -32602, message: expect.stringMatching(named) } });
  expect(answer?.error?.message).toMatch(/^[^\n{}"]{10,300}\.$/);
}

describe.each(['', '2025-03-26', '2025-06-18', '2025-11-25', MODERN])('over HTTP, revision "%s"', revision => {
  function post(body: unknown, headers: Record<string, string> = {}) {
    return request(gateway.url)
      .post('/mcp')
      .set({ 'Content-Type': 'application/json', Authorization: `Bearer ${newKey()}`, ...headers })
      .send(JSON.stringify(body));
  }
  const headersOf = (method: string, params: Params): Record<string, string> => {
    const named = params?.['name'] ?? params?.['uri'];
    return {
      ...(revision !== '' && { 'MCP-Protocol-Version': revision }),
      ...(revision === MODERN && { 'Mcp-Method': method, ...(typeof named === 'string' && { 'Mcp-Name': named }) }),
    };
  };
  const send = (method: string, params: Params) =>
    post(messageOf(revision, 'mine', method, params), headersOf(method, params));

  it.each([...WRONG, ...(revision === MODERN ? [] : WRONG_INITIALIZE)])(
    '%s with %j is -32602',
    async (method, params, named) => {
      expectSentence((await send(method, params)).body, 'mine', named);
    },
  );

  it('the error is the same in an event stream', async () => {
    const answer = await post(messageOf(revision, 'mine', 'prompts/get', {}), {
      ...headersOf('prompts/get', {}),
      Accept: 'text/event-stream',
    });
    const data = answer.text.split('\n').find(line => line.startsWith('data: {')) ?? '';
    expectSentence(JSON.parse(data.slice('data: '.length)), 'mine', /`params\.name`/);
  });

  it.each(UNKNOWN)('the unknown method %s is answered with -32601, whatever the parameters', async (method, params) => {
    expect((await send(method, params)).body).toMatchObject({ id: 'mine', error: { code: -32601 } });
  });

  it('an empty list, and JSON that is not a message, are answered with -32600', async () => {
    for (const body of [[], {}, 3, 'x', null, [1]])
      expect((await post(body, headersOf('ping', {}))).body).toMatchObject({ id: null, error: { code: -32600 } });
  });
});

describe('over HTTP', () => {
  it('an empty MCP-Protocol-Version is refused', async () => {
    const ask = (body: object, revision: string) =>
      request(gateway.url)
        .post('/mcp')
        .set({
          'Content-Type': 'application/json',
          Authorization: `Bearer ${newKey()}`,
          'MCP-Protocol-Version': revision,
        })
        .send(JSON.stringify(body));
    for (const empty of ['', ' ']) {
      const list = { jsonrpc: '2.0', id: 7, method: 'tools/list' };
      expect((await ask(list, empty)).body).toMatchObject({ id: 7, result: { tools: expect.any(Array) } });
      expect((await ask([list, { ...list, id: 8 }], empty)).body).toMatchObject([{ id: 7 }, { id: 8 }]);
    }
  });
});

describe.each(['2025-06-18', MODERN])('over stdio, revision %s', revision => {
  async function exchange(messages: readonly unknown[]): Promise<Answer[]> {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const transport = new LineTransport({ input, output }, 100_000);
    const factory = createServerFactory({
      api: E2B_PRODUCT.api,
      tools: createTools(E2B_PRODUCT.api, { wallMs: 1_000, cpuMs: 1_000, resultChars: 1_000 }),
      runTool: () => Promise.reject(new Error('no tool is run here')),
      principalOf: () => ({ id: 'x', apiKey: newKey() }) as never,
    });
    serveStdio(factory, { transport, onerror: () => {} });
    let written = '';
    output.on('data', chunk => (written += chunk));
    for (const message of messages) input.write(`${JSON.stringify(message)}\n`);
    input.end();
    await transport.finished;
    return written
      .split('\n')
      .filter(Boolean)
      .map(text => JSON.parse(text));
  }

  it.each([...WRONG, ...(revision === MODERN ? [] : WRONG_INITIALIZE)])(
    '%s with %j is -32602',
    async (method, params, named) => {
      const [answer] = await exchange([messageOf(revision, 9, method, params)]);
      expectSentence(answer, 9, named);
    },
  );

  it.each(UNKNOWN)('the unknown method %s is answered with -32601', async (method, params) => {
    const [answer] = await exchange([messageOf(revision, 9, method, params)]);
    expect(answer).toMatchObject({ id: 9, error: { code: -32601 } });
  });

  it('an empty list is answered with -32600', async () => {
    expect((await exchange([[]]))[0]).toMatchObject({ id: null, error: { code: -32600 } });
  });
});
