import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Description } from '../../src/spec/description.ts';
import { prepare } from '../../src/spec/prepare.ts';
import { SpecSource, type SpecSourceOptions } from '../../src/spec/refresh.ts';
import { slim } from '../../src/spec/slim.ts';

const published = (version: string, ...paths: string[]) =>
  JSON.stringify({
    openapi: '3.0.0',
    info: { title: 'Published', version },
    paths: Object.fromEntries(paths.map(path => [path, { get: { summary: 'Theirs' } }])),
  });
const base = slim({
  openapi: '3.1.0',
  info: { title: 'Ours', version: '1' },
  paths: { '/ours': { get: { summary: 'Our words', 'x-keywords': ['a'] } } },
});

let server: Server | undefined;
let source: SpecSource | undefined;
afterEach(() => {
  source?.close();
  server?.closeAllConnections();
  server?.close();
});

async function serve(handler: RequestListener): Promise<string> {
  const listening = createServer(handler);
  server = listening;
  await new Promise<void>(done => listening.listen(0, '127.0.0.1', done));
  return `http://user:pass@127.0.0.1:${(listening.address() as AddressInfo).port}/spec.json?token=hidden`.replace(
    'user:pass@',
    '',
  );
}

function make(url: string, options: Partial<SpecSourceOptions> = {}) {
  const taken: Description[] = [];
  const log = { info: vi.fn(), warn: vi.fn() };
  const made = new SpecSource({
    url,
    refreshMs: 3_600_000,
    maxBytes: 100_000,
    base,
    onChange: next => void taken.push(next),
    log,
    ...options,
  });
  source = made;
  return { source: made, taken, log };
}
const idsOf = ({ operations }: Description) => operations.map(({ id }) => id);

describe('a published description', () => {
  it('is used from the start on: adds operations, keeps our texts, and removes nothing', async () => {
    const url = await serve((_, response) => response.end(published('2', '/ours', '/new')));
    const { source, taken } = make(url);
    expect(source.current()).toBe(base);
    await source.start();
    expect(taken).toHaveLength(1);
    expect(source.current()).toBe(taken[0]);
    expect(idsOf(source.current())).toEqual(['GET /new', 'GET /ours']);
    expect(source.current().operations[1]).toMatchObject({ summary: 'Our words', keywords: ['a'] });
    expect(source.status()).toMatchObject({
      source: url.replace(/\?.*/, ''),
      version: '2',
      operations: 2,
      revision: expect.stringMatching(/^[0-9a-f]{12}$/),
      error: undefined,
    });
  });

  it('is requested with its ETag and used again only if it has changed', async () => {
    let version = '2';
    const asked: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      const tag = `"v${version}"`;
      asked.push(request.headers['if-none-match']);
      if (request.headers['if-none-match'] === tag) response.writeHead(304).end();
      else response.setHeader('etag', tag).end(published(version, '/new'));
    });
    const { source, taken } = make(url);
    await source.start();
    await source.refresh();
    expect(asked).toEqual([undefined, '"v2"']);
    expect(taken).toHaveLength(1);
    version = '3';
    await source.refresh();
    expect(taken.map(({ version: seen }) => seen)).toEqual(['2', '3']);
  });

  it('without ETag is not used again if the text is the same', async () => {
    const { source, taken } = make(await serve((_, response) => response.end(published('2', '/new'))));
    await source.start();
    await source.refresh();
    expect(taken).toHaveLength(1);
  });

  it('is read again every refreshMs', async () => {
    let count = 0;
    const url = await serve((_, response) => response.end(published(String(++count), '/new')));
    const { source, taken } = make(url, { refreshMs: 5 });
    await source.start();
    await vi.waitFor(() => expect(taken.length).toBeGreaterThan(2), { timeout: 15_000 });
  });

  it('may be a file, JSON or YAML', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'spec-'));
    const path = join(folder, 'spec.yaml');
    await writeFile(path, 'openapi: 3.0.1\ninfo: { version: "9" }\npaths: { /new: { get: {} } }\n');
    const { source } = make(path);
    await source.start();
    expect(source.status().version).toBe('9');
    await writeFile(path, published('10', '/new'));
    await source.refresh();
    expect(source.status().version).toBe('10');
    await rm(folder, { recursive: true });
    await source.refresh();
    expect(source.status()).toMatchObject({ version: '10', error: expect.stringContaining('could not be read') });
  });
});

describe('the last good description stays in use after', () => {
  it.each<[string, RequestListener, RegExp]>([
    ['an error status', (_, response) => response.writeHead(500).end('oops'), /answered 500/],
    ['garbage', (_, response) => response.end('<html>{'), /neither JSON nor YAML|no paths|not an OpenAPI/],
    ['no operation', (_, response) => response.end(published('3')), /no operation/],
    ['too many bytes, unannounced', (_, response) => response.end(' '.repeat(200_000)), /larger than 100000 bytes/],
    ['a cut connection', (_, response) => response.destroy(), /could not be read/],
    [
      'a cut body',
      (_, response) => void response.writeHead(200, { 'content-length': '5000' }).write('{', () => response.destroy()),
      /could not be read/,
    ],
  ])('%s', async (_, failing, message) => {
    let fail = false;
    const url = await serve((request, response) =>
      fail ? failing(request, response) : response.end(published('2', '/new')),
    );
    const { source, taken, log } = make(url);
    await source.start();
    const good = source.current();
    fail = true;
    await source.refresh();
    expect(source.current()).toBe(good);
    expect(taken).toHaveLength(1);
    expect(source.status().error).toMatch(message);
    expect(log.warn).toHaveBeenCalledOnce();
    expect(JSON.stringify(log.warn.mock.calls)).not.toContain('hidden');
    fail = false;
    await source.refresh();
    expect(source.status().error).toBeUndefined();
  });

  it('an unreachable source at the start, then it is our own', async () => {
    const { source } = make('http://127.0.0.1:1/spec.json');
    await source.start();
    expect(source.current()).toBe(base);
    expect(source.status()).toMatchObject({ revision: undefined, checkedMsAgo: undefined, error: expect.any(String) });
  });

  it('a failure to use a new one, which is then fetched again despite its ETag', async () => {
    const url = await serve((request, response) => {
      if (request.headers['if-none-match'] !== undefined) response.writeHead(304).end();
      else response.setHeader('etag', '"a"').end(published('2', '/new'));
    });
    let broken = true;
    const { source } = make(url, {
      onChange: async () => {
        if (broken) throw new Error('no image');
      },
    });
    await source.start();
    expect(source.current()).toBe(base);
    broken = false;
    await source.refresh();
    expect(source.status().version).toBe('2');
  });

  it('close(), which also ends a pending fetch', async () => {
    let arrived = () => {};
    const asked = new Promise<void>(done => {
      arrived = done;
    });
    const { source, log } = make(await serve(() => arrived()));
    const starting = source.start();
    await asked;
    source.close();
    await starting;
    expect(log.warn).not.toHaveBeenCalled();
  });
});

describe('a description that keeps the parser busy', () => {
  const never = new AbortController().signal;

  it.each([
    ['two kilobytes that take very long', '? '.repeat(1_000), /too long/],
    ['100,000 errors', `"${'\\x'.repeat(100_000)}`, /too long|neither JSON nor YAML/],
  ])('is refused at the deadline without blocking the event loop: %s', async (_, text, message) => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    await expect(prepare({ text, base }, never, 700)).rejects.toMatchObject({
      code: 'spec_invalid',
      message: expect.stringMatching(message),
    });
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(10);
  });

  it('is refused if it is nested too deeply', async () => {
    for (const text of ['[', '{"a":', '- '].map(part => part.repeat(50_000))) {
      await expect(prepare({ text, base }, never, 2_000)).rejects.toMatchObject({ code: 'spec_invalid' });
    }
  });

  it('is abandoned when the signal aborts', async () => {
    const closing = new AbortController();
    const preparing = prepare({ text: '? '.repeat(1_000), base }, closing.signal);
    closing.abort();
    await expect(preparing).rejects.toMatchObject({ code: 'spec_invalid' });
  });
});

describe('a source that redirects', () => {
  it('within its own origin is followed', async () => {
    const url = await serve((request, response) => {
      if (request.url?.startsWith('/spec.json')) response.writeHead(302, { location: '/v2.json' }).end();
      else response.end(published('2', '/new'));
    });
    const { source } = make(url);
    await source.start();
    expect(source.status()).toMatchObject({ version: '2', error: undefined });
  });

  it.each([
    ['to another origin', (port: number) => `http://localhost:${port}/elsewhere`, /another origin/],
    ['without end', () => '/again', /without end/],
  ])('%s is refused with the reason', async (_what, location, reason) => {
    const asked: string[] = [];
    const url = await serve((request, response) => {
      asked.push(request.headers.host ?? '');
      response.writeHead(307, { location: location(request.socket.localPort ?? 0) }).end(published('2', '/new'));
    });
    const { source, taken } = make(url);
    await source.start();
    expect(taken).toEqual([]);
    expect(source.status().error).toMatch(reason);
    expect(asked.every(host => host.startsWith('127.0.0.1'))).toBe(true);
    expect(asked.length).toBeLessThan(10);
  });
});

it('a description with too many values is refused before it is parsed', async () => {
  const url = await serve((_, response) => response.end(`{"paths":[${'{},'.repeat(600_000)}{}]}`));
  const { source, taken } = make(url, { maxBytes: 10_000_000 });
  await source.start();
  expect(taken).toEqual([]);
  expect(source.status().error).toMatch(/more than 500000 values/);
});
