// Lines that clients and people send over stdio, tested with the transport alone and with a server.
import { PassThrough } from 'node:stream';
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { LineTransport } from '../../src/stdio-transport.ts';

const initialize = {
  ...{ jsonrpc: '2.0', id: 1, method: 'initialize' },
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};
const call = (id: number) => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'wait', arguments: {} } });
const line = (message: unknown) => `${JSON.stringify(message)}\n`;

/** A server with one tool that answers when `release` is called. */
function serve(maxLineBytes = 100_000) {
  const [input, output] = [new PassThrough(), new PassThrough()];
  let release: () => void = () => {};
  const released = new Promise<void>(resolve => (release = resolve));
  const transport = new LineTransport({ input, output }, maxLineBytes);
  const errors: Error[] = [];
  const handle = serveStdio(
    () => {
      const server = new McpServer({ name: 'test', version: '1' });
      server.registerTool('wait', { description: 'x'.repeat(4_000), inputSchema: z.object({}) }, async () => {
        await released;
        return { content: [{ type: 'text', text: 'answered' }] };
      });
      return server;
    },
    { transport, onerror: error => errors.push(error) },
  );
  let written = '';
  output.on('data', chunk => (written += chunk));
  const answers = () =>
    written
      .split('\n')
      .filter(Boolean)
      .map(text => JSON.parse(text));
  return { input, output, transport, release, answers, errors, handle };
}

describe('a line', () => {
  it.each([
    ['no JSON', 'hello\n', -32700],
    ['JSON cut off', '{"jsonrpc":\n', -32700],
    ['JSON that is not a message', '{"hello":"world"}\n', -32600],
    ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"ping"}]\n', -32600],
    ['a message with params as text', '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":"x"}\n', -32602],
    [
      'a message nested without end',
      `{"jsonrpc":"2.0","id":1,"method":"ping","params":${'['.repeat(3000)}${']'.repeat(3000)}}\n`,
      -32600,
    ],
  ])('with %s is answered with an error, and the next one is served', async (_title, text, code) => {
    const { input, answers } = serve();
    input.write(text);
    input.write(line(initialize));
    await expect.poll(() => answers().length).toBe(2);
    expect(answers()[0]).toMatchObject({ jsonrpc: '2.0', error: { code } });
    expect(answers()[1]).toMatchObject({ id: 1, result: {} });
  });

  it('that is too long is answered with an error and reported, whatever its pieces', async () => {
    const { input, answers, errors } = serve(1000);
    for (let i = 0; i < 50; i++) input.write('x'.repeat(100));
    await expect.poll(() => answers().length).toBe(1);
    expect(answers()[0]).toMatchObject({ id: null, error: { message: expect.stringContaining('1000 bytes') } });
    expect(errors[0]?.message).toContain('1000 bytes');
    input.write(`xx\n${line(initialize)}`);
    await expect.poll(() => answers().length).toBe(2);
    expect(answers()[1]).toMatchObject({ id: 1, result: {} });
  });

  it.each([
    ['a byte order mark', `\ufeff${line(initialize)}`],
    ['Windows line ends and empty lines', `\r\n\r\n${JSON.stringify(initialize)}\r\n`],
    ['nulls for what is absent', line({ ...initialize, params: { ...initialize.params, _meta: null } })],
  ])('with %s is served', async (_title, text) => {
    const { input, answers } = serve();
    input.write(text);
    await expect.poll(() => answers().length).toBe(1);
    expect(answers()[0]).toMatchObject({ id: 1, result: { protocolVersion: '2025-06-18' } });
  });

  it('is joined from any pieces, even if they split characters', async () => {
    const { input, answers } = serve();
    const bytes = Buffer.from(
      line({ ...initialize, params: { ...initialize.params, clientInfo: { name: 'Zoë 🦊', version: '1' } } }),
    );
    for (const byte of bytes) input.write(Buffer.of(byte));
    await expect.poll(() => answers().length).toBe(1);
  });
});

it('responses are still written after the client has closed its end, and then the server ends', async () => {
  const { input, transport, release, answers } = serve();
  let finished = false;
  void transport.finished.then(() => (finished = true));
  input.write(line(initialize));
  input.end(line(call(2)) + JSON.stringify(call(3)));
  await expect.poll(() => answers().length).toBe(1);
  expect(finished).toBe(false);
  release();
  await transport.finished;
  expect(answers().map(({ id }) => id)).toEqual([1, 2, 3]);
});

it('the server does not wait for a client that has stopped reading', async () => {
  const { input, output, transport } = serve();
  input.write(line(initialize));
  input.end(line(call(2)));
  output.destroy(new Error('EPIPE'));
  await transport.finished;
});

describe('a client', () => {
  it('that has cancelled its request and disconnected is not waited for', async () => {
    const { input, transport, answers } = serve();
    input.write(line(initialize) + line(call(2)) + line(call(3)));
    for (const requestId of [2, 3, 4, {}, undefined])
      input.write(line({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } }));
    input.end();
    await transport.finished;
    expect(answers().map(({ id }) => id)).toEqual([1]);
  });

  it('that uses an id twice gets both responses', async () => {
    const { input, transport, release, answers } = serve();
    input.end(line(initialize) + line(call(2)) + line(call(2)));
    release();
    await transport.finished;
    expect(answers().map(({ id }) => id)).toEqual([1, 2, 2]);
  });

  it('that does not read its responses is not read from until it does', async () => {
    const { input, output, transport, answers } = serve();
    input.write(line(initialize));
    await expect.poll(() => answers().length).toBe(1);
    output.pause();
    const list = line({ jsonrpc: '2.0', id: 5, method: 'tools/list' });
    const before = input.writableLength + input.readableLength;
    for (let i = 0; i < 40; i++) input.write(list.repeat(100));
    await expect.poll(() => input.isPaused()).toBe(true);
    expect(output.readableLength + output.writableLength).toBeLessThan(8_000_000);
    expect(input.writableLength + input.readableLength).toBeGreaterThan(before);
    output.resume();
    input.end();
    await transport.finished;
    expect(answers()).toHaveLength(4_001);
  });

  it('that sends bytes that are not UTF-8 gets an error', async () => {
    const { input, answers } = serve();
    input.write(Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"\xff"}}\n', 'latin1'));
    await expect.poll(() => answers()).toMatchObject([{ id: null, error: { data: { code: 'body_invalid' } } }]);
  });
});
