// A sandbox whose daemon the guest controls: the gateway follows no redirect of it and keeps little of its responses.
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LocalCloud } from '../../../local/server.ts';
import { Harness } from '../../contract/harness.ts';
import { PATIENT } from '../../local/support/control.ts';
import { microvmEngine, startProcessCloud } from '../../support/microvm.ts';

type Answer = (req: IncomingMessage, res: ServerResponse) => void;

async function listen(answer: Answer): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const guest = new Harness();
const opened: Server[] = [];
let cloud: LocalCloud;
beforeAll(async () => {
  cloud = await startProcessCloud();
});
afterAll(() => cloud.close());
afterEach(async () => {
  await guest.close();
  for (const server of opened.splice(0)) server.close().closeAllConnections();
  await expect.poll(() => cloud.cloud.all().length, PATIENT).toBe(0);
});

/** Passes requests on, except those that `evil` answers. */
async function openWith(hit: RegExp, evil: Answer): Promise<Harness> {
  const { server, url } = await listen((req, res) => {
    if (hit.test(`${req.method} ${req.url}`)) return evil(req, res);
    const { method, headers } = req;
    const forward = request(`${cloud.url}${req.url}`, { method, headers }, answer => {
      res.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(res);
    });
    forward.on('error', () => res.destroy());
    res.on('close', () => forward.destroy());
    req.pipe(forward);
  });
  opened.push(server);
  await guest.open(async () => microvmEngine({ url }, { startTimeoutMs: 10_000 }));
  return guest;
}

describe('a daemon that redirects', () => {
  it.each<[what: string, hit: RegExp, code: string]>([
    ['a file that is read', /^GET \/files\?.*out-1/, 'engine_lost'],
    ['the upload', /^POST \/files/, 'engine_unavailable'],
    ['the command', /Process\/Start$/, 'engine_unavailable'],
    ['a reply to the guest', /SendInput$/, 'engine_lost'],
  ])('%s: no redirect is followed', async (_what, hit, code) => {
    const asked: string[] = [];
    const inner = await listen((req, res) => {
      asked.push(`${req.method} ${req.url} ${req.headers['x-access-token']}`);
      res.end('"what only the gateway can read"'.padEnd(50_000));
    });
    opened.push(inner.server);
    const engine = await openWith(hit, (_req, res) => res.writeHead(303, { location: `${inner.url}/secret` }).end());
    const error = await engine.error('async () => { await api.request({}); return "x".repeat(50_000) }');
    expect(asked).toEqual([]);
    expect(error).toMatchObject({ code });
  });
});

describe('a daemon that sends without end', () => {
  const MEGABYTE = Buffer.alloc(1 << 20, ' ');
  const message = (event: object) => {
    const json = Buffer.from(JSON.stringify({ event }).padEnd(1_024));
    return Buffer.concat([Buffer.from([0, 0, 0, 4, 0]), json]);
  };
  const small = Buffer.concat(Array<Buffer>(1_000).fill(message({ keepalive: {} })));

  it.each<[what: string, first: Buffer, then: Buffer]>([
    ['one message', Buffer.from([0, 0x7f, 0xff, 0xff, 0xff]), MEGABYTE],
    ['small messages', message({ start: { pid: 1 } }), small],
  ])('%s: at most some megabytes are read', async (_what, first, then) => {
    let sentMegabytes = 0;
    const engine = await openWith(/Process\/Start$/, (_req, res) => {
      res.writeHead(200, { 'content-type': 'application/connect+json' });
      res.write(first);
      const send = () => {
        if (res.destroyed || sentMegabytes >= 300) return;
        sentMegabytes += then.length / MEGABYTE.length;
        res.write(then, send);
      };
      send();
    });
    expect(await engine.error('async () => 1')).toMatchObject({ code: 'engine_unavailable' });
    expect(sentMegabytes).toBeLessThan(40);
  });
});
