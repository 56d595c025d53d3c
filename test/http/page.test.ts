// The page's files over HTTP: what is served, how it may be cached, and what it must not contain.
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.close());

/** Does not decompress the response, as fetch would. */
async function get(path: string, headers: Record<string, string> = {}) {
  const { request } = await import('node:http');
  return new Promise<{ status: number; headers: Record<string, string>; body: Buffer }>((resolve, reject) => {
    request(new URL(path, gateway.url), { headers }, response => {
      const chunks: Buffer[] = [];
      response.on('data', chunk => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers as Record<string, string>,
          body: Buffer.concat(chunks),
        }),
      );
    })
      .on('error', reject)
      .end();
  });
}

const html = async () => (await get('/')).body.toString();
const assetsOf = (page: string): string[] =>
  [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path ?? '');

describe('the HTML', () => {
  it('has a strict policy, is revalidated, and is not sent again when it is unchanged', async () => {
    const { status, headers } = await get('/');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['cache-control']).toBe('no-cache');
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
    expect(headers['content-security-policy']).toContain("connect-src 'self'");
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers['content-security-policy']).not.toMatch(/unsafe|https?:|data:|\*/);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['referrer-policy']).toBe('no-referrer');
    expect(headers['permissions-policy']).toContain('camera=()');
    const again = await get('/', { 'if-none-match': headers['etag'] ?? '' });
    expect(again.status).toBe(304);
    expect(again.body).toHaveLength(0);
  });

  it('loads nothing from another origin and has no inline script or style', async () => {
    const page = await html();
    expect(page).not.toMatch(/(?:src|href)="(?!\/)/);
    expect(page).not.toMatch(/<style|<script(?! type="application\/json"| type="module" src=)| on\w+=/);
  });

  it('contains no key outside local mode', async () => {
    expect(await html()).not.toMatch(/e2b_[0-9a-f]/);
  });

  it('is served without a key, for HEAD too, and not for POST', async () => {
    expect((await fetch(gateway.url, { method: 'HEAD' })).status).toBe(200);
    const posted = await fetch(gateway.url, { method: 'POST' });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});

describe('assets', () => {
  it.each([
    ['br', brotliDecompressSync],
    ['gzip', gunzipSync],
  ] as const)('are served in %s, may be cached for a year, and have the same content', async (encoding, decompress) => {
    const assets = assetsOf(await html());
    expect(assets).toHaveLength(2);
    for (const asset of assets) {
      const [plain, small] = [await get(asset), await get(asset, { 'accept-encoding': encoding })];
      expect(plain.headers['content-encoding']).toBeUndefined();
      expect(small.headers['content-encoding']).toBe(encoding);
      expect(small.headers['vary']).toBe('Accept-Encoding');
      expect(small.headers['cache-control']).toBe('public, max-age=31536000, immutable');
      expect(small.headers['x-content-type-options']).toBe('nosniff');
      expect(small.headers['etag']).not.toBe(plain.headers['etag']);
      expect(decompress(small.body).equals(plain.body)).toBe(true);
      expect((await get(asset, { 'if-none-match': plain.headers['etag'] ?? '' })).status).toBe(304);
    }
  });

  it('of the first load have at most 250 kB when compressed', async () => {
    const sizes = await Promise.all(
      ['/', ...assetsOf(await html())].map(async path => (await get(path, { 'accept-encoding': 'gzip' })).body.length),
    );
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(250_000);
  });

  it('share one label in the metrics', async () => {
    const [asset = ''] = assetsOf(await html());
    await get(asset);
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(metrics).toContain('"/assets"');
    expect(metrics).not.toContain(asset);
  });

  it.each(['/assets/', '/assets/../package.json', '/assets/%2e%2e/files.json', '/assets/nope.js'])(
    '404 for %s',
    async path => {
      expect((await get(path)).status).toBe(404);
    },
  );

  it.each([
    ['/icon.svg', 'image/svg+xml'],
    ['/icon.png', 'image/png'],
  ])('%s is an icon', async (path, type) => {
    const { status, headers } = await get(path);
    expect([status, headers['content-type'], headers['content-security-policy']]).toEqual([
      200,
      type,
      "default-src 'none'",
    ]);
  });
});

describe('GET /mcp', () => {
  it('from a browser gets a short page with a link to /, with status 405', async () => {
    const { status, headers, body } = await get('/mcp', { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' });
    expect([status, headers['allow']]).toEqual([405, 'POST']);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(body.toString()).toContain('<a href="/">');
  });

  it.each(['application/json', 'text/event-stream', '*/*'])('from a client that accepts %s gets JSON', async accept => {
    const { status, headers } = await get('/mcp', { accept });
    expect([status, headers['content-type']]).toEqual([405, 'application/json; charset=utf-8']);
  });
});

it("the page's own origin may call /mcp, another may not", async () => {
  const other = await startTestGateway({ env: { ALLOWED_HOSTS: 'gateway.example' } });
  const from = async (origin: string) => {
    const { request } = await import('node:http');
    return new Promise<number>((resolve, reject) => {
      const headers = { host: 'gateway.example', origin, 'content-type': 'application/json' };
      request(other.mcpUrl, { method: 'POST', headers }, response => {
        response.resume();
        resolve(response.statusCode ?? 0);
      })
        .on('error', reject)
        .end('{}');
    });
  };
  expect(await from('https://gateway.example')).toBe(401);
  expect(await from('https://evil.example')).toBe(403);
  await other.close();
});

it('PAGE=false: 404 at /, no assets, and GET /mcp returns JSON to every client', async () => {
  const bare = await startTestGateway({ env: { PAGE: 'false' } });
  const answers = await Promise.all(
    ['/', '/icon.svg', ...assetsOf(await html())].map(async path => (await fetch(bare.url + path)).status),
  );
  expect(answers).toEqual([404, 404, 404, 404]);
  const mcp = await fetch(bare.mcpUrl, { headers: { accept: 'text/html' } });
  expect([mcp.status, mcp.headers.get('content-type')]).toEqual([405, 'application/json; charset=utf-8']);
  await bare.close();
});
