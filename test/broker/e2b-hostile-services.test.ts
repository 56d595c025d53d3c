// A sandbox in which the agent has replaced the services: redirects, endless responses, giant messages.
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { SANDBOX_METHODS } from '../../src/broker/e2b/sandbox.ts';
import { startDataPlane, type TestDataPlane } from '../support/data-plane.ts';

import { argsOf, type Made, OF_A_HANDLE } from '../support/sandbox-methods.ts';

describe('a sandbox in which the agent has replaced the services', () => {
  const servers: { close(): void; closeAllConnections(): void }[] = [];
  const serve = async (listener: RequestListener): Promise<string> => {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  let hostile: TestDataPlane | undefined;
  afterEach(async () => {
    await hostile?.close();
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });
  const inside = SANDBOX_METHODS.filter(id => /\.(?:files|commands)\.|Code|fetch|isRunning/.test(id)).filter(
    id => !OF_A_HANDLE.includes(id),
  );

  it.each([301, 302, 303, 307, 308])('cannot redirect the gateway to another server with a %i', async status => {
    let visits = 0;
    const victim = await serve((_req, res) => {
      visits++;
      res.end('the secret of another server');
    });
    const sandboxUrl = await serve((req, res) => {
      req.resume();
      res.writeHead(status, { location: `${victim}/secret` }).end();
    });
    hostile = await startDataPlane({ connection: { sandboxUrl } });
    const run = hostile.openRun({ limits: { maxCalls: 1_000 }, wallMs: 20_000 });
    const { sandboxId } = await run.call<Made>('Sandbox.create', {});
    for (const id of inside) {
      const answered = await run.reply(id, argsOf(id, sandboxId));
      expect(JSON.stringify(answered), id).not.toContain('secret of another');
    }
    expect(visits).toBe(0);
    expect(run.faults).toEqual([]);
  });

  it('cannot fill the memory with endless responses', async () => {
    let open = 0;
    const megabyte = Buffer.alloc(1_000_000, 'x');
    const sandboxUrl = await serve((req, res) => {
      req.resume();
      open++;
      res.once('close', () => open--);
      const types: Record<string, string> = { Start: 'application/connect+json', Connect: 'application/connect+json' };
      res.writeHead(200, { 'content-type': types[req.url?.split('/').at(-1) ?? ''] ?? 'application/json' });
      const more = () => {
        while (!res.destroyed && res.write(megabyte)) {}
      };
      res.on('drain', more);
      more();
    });
    hostile = await startDataPlane({ connection: { sandboxUrl } });
    const run = hostile.openRun({ limits: { maxCalls: 1_000, maxAnswerBytes: 2_000_000 } });
    const { sandboxId } = await run.call<Made>('Sandbox.create', {});
    for (const id of inside.filter(id => id !== 'Sandbox.isRunning')) {
      const answered = await run.reply(id, argsOf(id, sandboxId));
      expect(answered.ok, id).toBe(false);
    }
    run.end();
    await expect.poll(() => open).toBe(0);
  }, 20_000);

  it('cannot make the gateway decode a giant message at once', async () => {
    const sandboxUrl = await serve((req, res) => {
      req.resume();
      res.writeHead(200, { 'content-type': 'application/connect+json' });
      const start = Buffer.from('{"event":{"start":{"pid":7}}}');
      const message = (body: Buffer, length = body.length) =>
        Buffer.concat([
          Buffer.from([0, length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255]),
          body,
        ]);
      res.write(message(start));
      res.write(message(Buffer.alloc(10), 1_000_001));
    });
    hostile = await startDataPlane({ connection: { sandboxUrl } });
    const run = hostile.openRun();
    const { sandboxId } = await run.call<Made>('Sandbox.create', {});
    const refused = await run.refusal('Sandbox.commands.run', { sandboxId, cmd: 'true' });
    expect(refused).toMatchObject({ code: 'answer_too_large', message: expect.stringMatching(/1000000 bytes/) });
  });

  it.each([
    ['text that is not JSON', 200, 'not json'],
    ['other JSON', 200, '[[1,{"entries":7}]]'],
    ['an error page', 500, '<html>'],
    ['nothing', 204, ''],
    ['an error of its own making', 400, JSON.stringify({ code: 'not_found', message: 'x'.repeat(50_000) })],
  ])('that responds with %s causes an error that the guest can read', async (_title, status, body) => {
    const sandboxUrl = await serve((req, res) => {
      req.resume();
      res.writeHead(status, { 'content-type': 'application/json' }).end(status === 204 ? undefined : body);
    });
    hostile = await startDataPlane({ connection: { sandboxUrl } });
    const run = hostile.openRun({ limits: { maxCalls: 1_000 }, wallMs: 20_000 });
    const { sandboxId } = await run.call<Made>('Sandbox.create', {});
    for (const id of inside) {
      const answered = await run.reply(id, argsOf(id, sandboxId));
      if (!answered.ok) {
        expect(answered.error.code, `${id} ${answered.error.message}`).toBe('sandbox_failed');
        expect(answered.error.message.length).toBeLessThan(1_200);
      }
    }
  });
});
