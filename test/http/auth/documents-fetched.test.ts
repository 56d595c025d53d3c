// Fetching the metadata documents of apps: from which addresses, when the fetch is given up, and how an app that
// has one signs in.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createDocumentFetch, type Network } from '../../../src/http/auth/document-fetch.ts';
import { askFor, newPkce, openPage, serveFront } from '../../support/front.ts';

const ID = 'https://app.test.example.com/client.json';
const CALLBACK = 'https://app.test.example.com/callback';
const DOCUMENT = { client_id: ID, client_name: 'Good app', redirect_uris: [CALLBACK, 'http://localhost/cb'] };

let server: Server;
let certificate: string;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let asked = 0;

const json = (response: ServerResponse, value: unknown, headers: Record<string, string> = {}) =>
  void response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cimd-'));
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=test',
      '-addext',
      'subjectAltName=DNS:app.test.example.com',
      '-keyout',
      join(folder, 'key.pem'),
      '-out',
      join(folder, 'cert.pem'),
    ],
    { stdio: 'ignore' },
  );
  certificate = readFileSync(join(folder, 'cert.pem'), 'utf8');
  server = createServer({ key: readFileSync(join(folder, 'key.pem')), cert: certificate }, (request, response) => {
    asked++;
    answer(request, response);
  });
  rmSync(folder, { recursive: true });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** Names resolve to the test server on loopback; with `real`, the rule about addresses applies. */
function network({ real = false, address = '127.0.0.1', timeoutMs = 5_000 } = {}): Network {
  const lookup = ((_name: string, _options: object, callback: (error: null, addresses: object[]) => void) =>
    callback(null, [{ address, family: address.includes(':') ? 6 : 4 }])) as unknown as NonNullable<Network['lookup']>;
  return {
    lookup,
    ...(!real && { mayDial: () => true }),
    connect: { ca: certificate },
    timeoutMs,
    port: (server.address() as AddressInfo).port,
  };
}

async function fetching(options: Parameters<typeof network>[0] = {}) {
  const documents = createDocumentFetch(network(options));
  onTestFinished(() => documents.close());
  return documents.fetch(ID);
}

describe('fetching', () => {
  it('returns a document and its maximum age', async () => {
    answer = (_request, response) => json(response, DOCUMENT, { 'cache-control': 'public, max-age=60' });
    expect(await fetching()).toEqual({ json: JSON.stringify(DOCUMENT), maxAgeMs: 60_000 });
  });
  it.each(['127.0.0.1', '10.0.0.1', '169.254.169.254', '::1', '::ffff:127.0.0.1'])(
    'a name that resolves to %s is not connected to',
    async address => {
      const before = asked;
      await expect(fetching({ real: true, address })).rejects.toThrow('its host has an address that is not public');
      expect(asked).toBe(before);
    },
  );
  it.each<[string, RegExp, typeof answer]>([
    ['redirects', /status 302/, (_q, s) => void s.writeHead(302, { location: 'https://127.0.0.1/' }).end()],
    ['is not there', /status 404/, (_q, s) => void s.writeHead(404).end('{}')],
    [
      'is blocked by a bot check',
      /status 403, blocked by its edge/,
      (_q, s) => void s.writeHead(403, { 'cf-mitigated': 'challenge' }).end(),
    ],
    [
      'is huge',
      /larger than/,
      (_q, s) => void s.writeHead(200, { 'content-type': 'application/json' }).end('x'.repeat(1_000_000)),
    ],
    [
      'never ends',
      /larger than/,
      (_q, s) => {
        s.writeHead(200, { 'content-type': 'application/json' });
        const pump = () => s.write('x'.repeat(1_000)) && setImmediate(pump);
        s.on('error', () => {});
        pump();
      },
    ],
    ['is a page', /not JSON/, (_q, s) => void s.writeHead(200, { 'content-type': 'text/html' }).end('{}')],
    [
      'is compressed',
      /compressed/,
      (_q, s) => void s.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end('x'),
    ],
    ['hangs up', /UND_ERR_SOCKET|ECONNRESET/, q => void q.socket.destroy()],
  ])('a document that %s is given up', async (_title, reason, how) => {
    answer = how;
    await expect(fetching()).rejects.toThrow(reason);
  });
  it('a document that comes too slowly is given up', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{');
    };
    await expect(fetching({ timeoutMs: 200 })).rejects.toThrow('no response within 200 ms');
  });
});

describe('an app named by a document, at /authorize', () => {
  const open = async (redirect: string, setUp: Parameters<typeof serveFront>[0] = {}) => {
    const front = await serveFront({ network: network(), ...setUp });
    const { challenge } = newPkce();
    const page = () => openPage(front.url, askFor(ID, challenge, { redirect_uri: redirect }));
    return { ...front, page };
  };

  it('is shown with its domain, and fetched once', async () => {
    answer = (_request, response) => json(response, DOCUMENT);
    const { page } = await open(CALLBACK);
    const before = asked;
    const [first, second] = [await page(), await page()];
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(first.html).toContain('described by <strong>app.test.example.com</strong>');
    expect(asked - before).toBe(1);
  });

  it('cannot use an https callback on another host, even if its document lists it', async () => {
    answer = (_request, response) => json(response, { ...DOCUMENT, redirect_uris: ['https://victim.example.com/cb'] });
    const { page } = await open('https://victim.example.com/cb');
    const refused = await page();
    expect(refused).toMatchObject({ status: 400, location: null });
  });

  it('cannot be loaded: a page with the error, no redirect, a reason in the log; an earlier copy is used', async () => {
    answer = (_request, response) => void response.writeHead(403, { 'cf-mitigated': 'challenge' }).end();
    const { page, world, entries } = await open(CALLBACK);
    const failed = await page();
    expect(failed).toMatchObject({ status: 503, location: null });
    expect(failed.html).toContain('could not be loaded');
    expect(failed.headers.get('retry-after')).toBe('30');
    expect(entries().some(({ reason }) => reason === 'status 403, blocked by its edge')).toBe(true);
    answer = (_request, response) => json(response, DOCUMENT);
    expect((await page()).status).toBe(200);
    world.nowMs += 48 * 3_600_000;
    answer = (_request, response) => void response.writeHead(500).end();
    expect((await page()).status).toBe(200);
  });

  it('is not fetched for an address over its rate limit', async () => {
    answer = (_request, response) => void response.writeHead(404).end();
    const { page } = await open(CALLBACK);
    const before = asked;
    const statuses = [];
    for (let at = 0; at < 12; at++) statuses.push((await page()).status);
    expect(statuses.slice(0, 10).every(status => status === 503)).toBe(true);
    expect(statuses.slice(10)).toEqual([429, 429]);
    expect(asked - before).toBe(10);
  });

  it('is unknown if the operator allows only built-in documents', async () => {
    const { page } = await open(CALLBACK, { documents: 'pinned' });
    const before = asked;
    expect((await page()).status).toBe(400);
    expect(asked).toBe(before);
  });
});
