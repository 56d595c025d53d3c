// Documents that apps are named by: which URLs can be names, what is fetched and from where, and what is believed.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { addressGroup, isPublicAddress } from '../../../src/http/auth/addresses.ts';
import { isDocumentUrl, readClientDocument } from '../../../src/http/auth/client-document.ts';
import { createDocumentFetch, type Network } from '../../../src/http/auth/document-fetch.ts';
import { askFor, newPkce, openPage, serveFront } from '../../support/front.ts';

const ID = 'https://app.test.example.com/client.json';
const CALLBACK = 'https://app.test.example.com/callback';
const DOCUMENT = { client_id: ID, client_name: 'Good app', redirect_uris: [CALLBACK, 'http://localhost/cb'] };

describe('names', () => {
  it.each([
    'http://app.example.com/c',
    'https://app.example.com',
    'https://app.example.com/',
    'https://app.example.com:443/c',
    'https://app.example.com:8443/c',
    'https://user@app.example.com/c',
    'https://app.example.com/c#f',
    'https://app.example.com/a/../c',
    'https://app.example.com/a/%2e%2e/c',
    'https://app.example.com\\c',
    'https://APP.example.com/c',
    'https://127.0.0.1/c',
    'https://[::1]/c',
    'https://2130706433/c',
    'https://0x7f.1/c',
    'https://localhost/c',
    'https://intranet/c',
    'https://metadata.google.internal/c',
    'https://printer.local/c',
    'https://x.localhost/c',
    'https://gateway.example.com/c',
    `https://app.example.com/${'x'.repeat(1_100)}`,
    'javascript:alert(1)',
    'app',
  ])('%.60s is none', id => expect(isDocumentUrl(id, 'gateway.example.com')).toBe(false));
  it.each([ID, 'https://claude.ai/oauth/claude-code-client-metadata', 'https://app.example.com/c?v=1'])(
    '%s is one',
    id => expect(isDocumentUrl(id, 'gateway.example.com')).toBe(true),
  );
});

describe('addresses', () => {
  it.each([
    '127.0.0.1',
    '127.255.1.2',
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '192.0.2.1',
    '198.18.0.1',
    '203.0.113.9',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b::7f00:1',
    'fc00::1',
    'fd12::1',
    'fe80::1',
    'ff02::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '2001::1',
    '',
    'localhost',
    '1.1.1',
    '0x7f.1',
  ])('%s is not dialled', address => expect(isPublicAddress(address)).toBe(false));
  it.each(['1.1.1.1', '160.79.104.10', '172.15.0.1', '172.32.0.1', '2606:4700::1111', '2a00:1450:4001::1'])(
    '%s may be',
    address => expect(isPublicAddress(address)).toBe(true),
  );
  it('limits count an IPv6 network as one, and a mapped address as what it is', () => {
    expect(addressGroup('2a00:1450:4001:1:2:3:4:5')).toBe(addressGroup('2a00:1450:4001:1::9'));
    expect(addressGroup('2a00:1450:4001:1::')).not.toBe(addressGroup('2a00:1450:4001:2::'));
    expect(addressGroup('::ffff:1.2.3.4')).toBe(addressGroup('1.2.3.4'));
    expect(addressGroup('1.2.3.4')).not.toBe(addressGroup('1.2.3.5'));
  });
});

describe('contents', () => {
  const read = (change: object) => readClientDocument(JSON.stringify({ ...DOCUMENT, ...change }), ID);
  it('a good document', () => {
    expect(read({ logo_uri: 'https://x/', unknown: [1] })).toEqual({
      name: 'Good app',
      callbacks: DOCUMENT.redirect_uris,
    });
  });
  it.each([
    ['lies about its id', { client_id: `${ID}/` }],
    ['has no name', { client_name: undefined }],
    ['has a name that is no text', { client_name: { toString: 'x' } }],
    ['has no callbacks', { redirect_uris: [] }],
    ['has only callbacks with two readings', { redirect_uris: ['https://a@b.example/', 'javascript:alert(1)'] }],
    [
      'has very many callbacks',
      { redirect_uris: Array.from({ length: 30 }, (_, i) => `https://app.test.example.com/${i}`) },
    ],
    ['holds a secret', { client_secret: 'x' }],
    ['wants to share one', { token_endpoint_auth_method: 'client_secret_basic' }],
    ['can only sign', { token_endpoint_auth_method: 'private_key_jwt' }],
  ])('one that %s is refused', (_title, change) => expect(read(change)).toHaveProperty('fault'));
  it.each(['', 'null', '[]', '"x"', '{', '<html>'])('%j is refused', json =>
    expect(readClientDocument(json, ID)).toHaveProperty('fault'),
  );
});

// --- Over the wire --------------------------------------------------------------------------------------------------

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

/** Names lead to our server on loopback; with `real`, the rule about addresses stays as it is. */
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
  it('takes a document and its age', async () => {
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
      'is hidden behind a bot check',
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
    await expect(fetching({ timeoutMs: 200 })).rejects.toThrow('no answer within 200 ms');
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

  it('is not answered at an https address that its document lists on another host', async () => {
    answer = (_request, response) => json(response, { ...DOCUMENT, redirect_uris: ['https://victim.example.com/cb'] });
    const { page } = await open('https://victim.example.com/cb');
    const refused = await page();
    expect(refused).toMatchObject({ status: 400, location: null });
  });

  it('cannot be loaded: a page that says so, no redirect, a reason in the log; the last good copy is used', async () => {
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

  it('is not fetched for whoever asks too often', async () => {
    answer = (_request, response) => void response.writeHead(404).end();
    const { page } = await open(CALLBACK);
    const before = asked;
    const statuses = [];
    for (let at = 0; at < 12; at++) statuses.push((await page()).status);
    expect(statuses.slice(0, 10).every(status => status === 503)).toBe(true);
    expect(statuses.slice(10)).toEqual([429, 429]);
    expect(asked - before).toBe(10);
  });

  it('is unknown where the operator allows pinned documents only', async () => {
    const { page } = await open(CALLBACK, { documents: 'pinned' });
    const before = asked;
    expect((await page()).status).toBe(400);
    expect(asked).toBe(before);
  });
});
