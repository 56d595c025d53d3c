// A code interpreter that the agent has replaced: sizes, values and tokens in its responses.
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { readEvent } from '../../src/broker/e2b/read-event.ts';
import { wholeText } from '../../src/ground/json-text.ts';
import { startDataPlane, type TestDataPlane } from '../support/data-plane.ts';

import type { Made } from '../support/sandbox-methods.ts';

describe('a code interpreter that the agent has replaced', () => {
  let hostile: TestDataPlane | undefined;
  let answer: RequestListener;
  const server = createServer((req, res) => {
    req.resume();
    answer(req, res);
  });
  beforeAll(() => new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve)));
  afterAll(() => void server.close());
  let seen: string[] = [];
  const start = async (maxHeldBytes = 10_000_000) => {
    const sandboxUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    hostile = await startDataPlane({ connection: { sandboxUrl }, maxHeldBytes });
    seen = [];
    const run = hostile.openRun({ limits: { maxAnswerBytes: 2_000_000 }, progress: line => seen.push(line) });
    const { sandboxId } = await run.call<Made>('Sandbox.create', { opts: { network: { allowPublicTraffic: false } } });
    return { run, sandboxId, plane: hostile };
  };
  afterEach(async () => {
    server.closeAllConnections();
    await hostile?.close();
  });

  it('causes a reply no larger than its lines, and a line with too many values is not parsed', async () => {
    const { run, sandboxId } = await start();
    const many = `{"type":"result","x":[${'0,'.repeat(500_000)}0]}`;
    const lines = [
      `{"type":"result","is_main_result":true,"text":"${'[,{'.repeat(100_000)}\\"","n":[1e20,{}],"png":null,"extra":{"own":1}}`,
      many,
      `{"type":"result","x":[${'1e20,'.repeat(90_000)}0]}`,
      '{"type":"stdout","text":"end"}',
    ];
    answer = (_req, res) => void res.end(lines.join('\n'));
    const reply = await run.reply('Sandbox.runCode', { sandboxId, code: '' });
    if (!reply.ok) throw new Error(reply.error.message);
    const text = `${'[,{'.repeat(100_000)}"`;
    expect(JSON.parse(wholeText(reply.json))).toEqual({
      text,
      results: [{ text, n: [1e20, {}], own: 1, isMainResult: true }],
      logs: { stdout: ['end'], stderr: [expect.stringMatching(/^\[gateway: 2 results left out/)] },
    });
    const parse = vi.spyOn(JSON, 'parse');
    const read = readEvent(many, { apiKey: run.key, tokens: [] });
    const parses = parse.mock.calls.length;
    parse.mockRestore();
    expect(read).toEqual({ kind: 'too complex' });
    expect(parses).toBe(0);
  });

  it('makes the gateway keep only the text of a result, not the parsed value', async () => {
    const { run, sandboxId } = await start();
    const kept: WeakRef<object>[] = [];
    const parse = JSON.parse;
    vi.spyOn(JSON, 'parse').mockImplementation((text, reviver) => {
      const value = parse(text, reviver) as { x: object };
      if (text.startsWith('{"type":"result"')) kept.push(new WeakRef(value.x));
      return value;
    });
    let end = () => {};
    answer = (_req, res) => {
      res.write('{"type":"result","x":[{},{}]}\n'.repeat(20));
      end = () => res.end();
    };
    const replying = run.reply('Sandbox.runCode', { sandboxId, code: '' });
    await expect.poll(() => kept.length).toBe(20);
    vi.mocked(JSON.parse).mockRestore();
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    await expect
      .poll(() => {
        collectGarbage();
        return kept.filter(value => value.deref() !== undefined).length;
      })
      .toBe(0);
    end();
    expect(await replying).toMatchObject({ ok: true });
  });

  it('cannot exceed the limit on open responses, whose bytes are released when the run ends', async () => {
    const { run, sandboxId, plane } = await start(1_000_000);
    answer = (req, res) => {
      if (req.url === '/fetch') return res.end('x'.repeat(600_000));
      return res.write(`{"type":"result","text":"${'x'.repeat(500_000)}"}\n{"type":"stdout","text":"sent\\n"}\n`);
    };
    const drip = run.reply('Sandbox.runCode', { sandboxId, code: '' });
    await expect.poll(() => seen).toContain('sent');
    const other = plane.openRun({ key: run.key });
    const fetch = () => other.reply('Sandbox.fetch', { sandboxId, port: 80, path: '/fetch' });
    expect(await fetch()).toMatchObject({ ok: false, error: { code: 'busy', message: /open responses/ } });
    run.end();
    expect(await drip).toMatchObject({ ok: false, error: { code: 'cancelled' } });
    await expect.poll(async () => (await fetch()).ok).toBe(true);
    // The bytes of a response that was read to its end are released as well.
    for (let again = 0; again < 3; again++) await expect.poll(async () => (await fetch()).ok).toBe(true);
  });

  it('that echoes its tokens gets them masked', async () => {
    const { run, sandboxId, plane } = await start();
    const { envdAccessToken = '', trafficAccessToken = '' } = plane.cloud.cloud.find(sandboxId) ?? {};
    const tokens = `${envdAccessToken} ${trafficAccessToken}`;
    answer = (req, res) => {
      res.writeHead(req.url === '/fetch' ? 418 : 200, `echo ${tokens}`, { 'x-echo': tokens });
      if (req.url === '/contexts') res.end(JSON.stringify([tokens]));
      else if (req.url === '/fetch') res.end(`echo ${tokens}`);
      else
        res.end(
          ['stdout', 'stderr', 'result']
            .map(type => JSON.stringify({ type, text: tokens, json: { [tokens]: JSON.stringify([tokens]) } }))
            .concat(JSON.stringify({ type: 'error', name: tokens, value: tokens, traceback: tokens }))
            .join('\n'),
        );
    };
    for (const [id, args] of [
      ['runCode', { code: '' }],
      ['listCodeContexts', {}],
      ['createCodeContext', {}],
      ['fetch', { port: 49999, path: '/fetch' }],
    ] as const) {
      const reply = await run.reply(`Sandbox.${id}`, { sandboxId, ...args });
      if (!reply.ok) throw new Error(`${id}: ${reply.error.message}`);
      const { base64 = '' } = (JSON.parse(wholeText(reply.json)) ?? {}) as { base64?: string };
      seen.push(wholeText(reply.json), Buffer.from(base64, 'base64').toString());
    }
    const all = seen.join('\n');
    expect(all).toContain('echo ');
    expect(all).toContain('[redacted] [redacted]');
    expect([envdAccessToken, trafficAccessToken]).not.toContain('');
    expect(all).not.toContain(envdAccessToken);
    expect(all).not.toContain(trafficAccessToken);
  });

  it.each([
    ['short', 10],
    ['long', 100_000],
  ])('that answers with key and tokens in %s events gets them masked, and all else arrives', async (_kind, chars) => {
    const { run, sandboxId, plane } = await start();
    const { envdAccessToken = '' } = plane.cloud.cloud.find(sandboxId) ?? {};
    const escaped = [...run.key].map(char => `\\u00${char.charCodeAt(0).toString(16)}`).join('');
    const text = `${'ä'.repeat(chars)} ${run.key} ${envdAccessToken} ${escaped} end`;
    const events = [
      { type: 'number_of_executions', execution_count: 3 },
      { type: 'stdout', text: `${'x'.repeat(chars)} ${run.key} out` },
      { type: 'result', text, is_main_result: true, png: null },
      { type: 'result', html: text, is_main_result: false },
      { type: 'error', name: 'Error', value: `${text}\nlast ${run.key}`, traceback: text },
    ];
    answer = (_req, res) => void res.end(`${events.map(event => JSON.stringify(event)).join('\n')}\n`);
    const shown = `${'ä'.repeat(chars)} [redacted] [redacted] [redacted] end`;
    const value = await run.call('Sandbox.runCode', { sandboxId, code: '' });
    expect(value).toEqual({
      text: shown,
      results: [
        { text: shown, isMainResult: true },
        { html: shown, isMainResult: false },
      ],
      logs: { stdout: [expect.stringMatching(/^x+.*x \[redacted\] out$/s)], stderr: [] },
      error: { name: 'Error', value: `${shown}\nlast [redacted]`, traceback: shown },
      executionCount: 3,
    });
    expect(run.ledger.at(-1)?.ended).toEqual({ error: 'Error', detail: 'last [redacted]' });
  });

  it('that repeats the key anywhere in a long error reveals no part of it', async () => {
    const { run, sandboxId } = await start();
    const { key } = run;
    for (const before of [960, 970, 980, 990]) {
      answer = (_req, res) => res.writeHead(500).end('x'.repeat(before) + key);
      const reply = await run.reply('Sandbox.runCode', { sandboxId, code: '' });
      expect(JSON.stringify(reply)).toContain('x'.repeat(900));
      expect(JSON.stringify(reply)).not.toContain(key.slice(0, 8));
    }
  });
});
