// Fetches a client's document from an untrusted URL. Only public addresses are allowed; they are checked when the connection
// is made, so that the checked address is the one that is used. No redirects; time and size are limited.
import { lookup as resolve } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { Agent, buildConnector } from 'undici';
import { PACKAGE } from '../../ground/package.ts';
import { isPublicAddress } from './addresses.ts';

type FetchedDocument = {
  readonly json: string;
  /** The maximum age that the server sent; undefined: it sent none. */
  readonly maxAgeMs: number | undefined;
};

/** The message is for the log: it contains no text from the server, and no URL. */
export class DocumentUnreachable extends Error {
  override readonly name = 'DocumentUnreachable';
}

export type DocumentFetch = {
  /** @throws DocumentUnreachable */
  fetch(url: string): Promise<FetchedDocument>;
  close(): Promise<void>;
};

/** How connections are made. Tests replace parts of it. */
export type Network = {
  readonly lookup?: typeof resolve;
  readonly mayDial?: (address: string) => boolean;
  readonly connect?: buildConnector.BuildOptions;
  readonly port?: number;
  readonly timeoutMs?: number;
};

const TIMEOUT_MS = 5_000;
const MAX_BYTES = 8_192;

export function createDocumentFetch(network: Network = {}): DocumentFetch {
  const { mayDial = isPublicAddress, lookup = resolve, timeoutMs = TIMEOUT_MS } = network;
  const dial = buildConnector({ timeout: timeoutMs, ...network.connect, lookup: checkedLookup(lookup, mayDial) });
  const agent = new Agent({
    connections: 2,
    connect: (options, callback) =>
      dial(network.port === undefined ? options : { ...options, port: String(network.port) }, callback),
    maxHeaderSize: 16_384,
  });
  return {
    async fetch(url) {
      try {
        return await fetchFrom(agent, url, timeoutMs);
      } catch (caught) {
        if (caught instanceof DocumentUnreachable) throw caught;
        throw new DocumentUnreachable(reasonOf(caught, timeoutMs), { cause: caught });
      }
    },
    close: () => agent.destroy(),
  };
}

async function fetchFrom(agent: Agent, url: string, timeoutMs: number): Promise<FetchedDocument> {
  const { origin, pathname, search } = new URL(url);
  // undici follows no redirect unless an interceptor is added.
  const { statusCode, headers, body } = await agent.request({
    origin,
    path: pathname + search,
    method: 'GET',
    headers: { accept: 'application/json', 'accept-encoding': 'identity', 'user-agent': PACKAGE.name },
    signal: AbortSignal.timeout(timeoutMs),
  });
  const fault = faultOf(statusCode, headers);
  if (fault !== undefined) {
    // Destroying the body emits an error event, and without a listener it would end the process.
    body.on('error', () => {}).destroy();
    throw new DocumentUnreachable(fault);
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop early destroys the connection, so that the rest is never read.
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) throw new DocumentUnreachable(`larger than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return { json: Buffer.concat(chunks).toString('utf8'), maxAgeMs: maxAgeOf(single(headers['cache-control'])) };
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

function faultOf(status: number, headers: Headers): string | undefined {
  const blocked = headers['cf-mitigated'] === undefined ? '' : ', blocked by its edge';
  if (status !== 200) return `status ${status}${blocked}`;
  if (!/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(single(headers['content-type']))) return 'not JSON';
  const encoding = single(headers['content-encoding']);
  return encoding === '' || encoding === 'identity' ? undefined : 'compressed';
}

const single = (header: string | string[] | undefined): string => [header].flat()[0] ?? '';

/** All addresses of the name must be allowed: a single one that is not is a sign of DNS rebinding. */
function checkedLookup(lookup: typeof resolve, mayDial: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error) callback(error, '', 4);
      else if (first === undefined || !addresses.every(({ address }) => mayDial(address)))
        callback(new DocumentUnreachable('its host has an address that is not public'), '', 4);
      else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

function maxAgeOf(cacheControl: string): number | undefined {
  if (/\bno-(?:store|cache)\b/i.test(cacheControl)) return 0;
  const seconds = /\bmax-age=(\d{1,9})/i.exec(cacheControl)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

function reasonOf(caught: unknown, timeoutMs: number): string {
  const { name, code } = (caught ?? {}) as { name?: unknown; code?: unknown };
  if (name === 'TimeoutError') return `no response within ${timeoutMs} ms`;
  return typeof code === 'string' ? code : 'no connection';
}
