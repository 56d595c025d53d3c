// Keeps the description current from a published one (file or URL), read at the start and every refreshMs, with our own
// texts. After a failure the last good one stays in use and the reason is logged. Sends no credentials.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { GatewayError, toGatewayError } from '../errors.ts';
import { describeExcess, type JsonLimits, judgeJson } from '../ground/json-size.ts';
import { readCapped } from '../ground/read-capped.ts';
import type { Description } from './description.ts';
import { prepare } from './prepare.ts';

const FETCH_TIMEOUT_MS = 30_000;

type Log = { info(fields: object, message: string): void; warn(fields: object, message: string): void };

export type SpecSourceOptions = {
  /** http(s) URL, file URL or path. */
  readonly url: string;
  readonly refreshMs: number;
  /** Maximum size of the document. */
  readonly maxBytes: number;
  /** Our own description: used first, and the source of the texts for all later ones. */
  readonly base: Description;
  /** Makes a new description effective everywhere. If it rejects, the old one stays. */
  readonly onChange: (description: Description) => void | Promise<void>;
  readonly log: Log;
};

export type SpecStatus = {
  /** Without credentials and query. */
  readonly source: string;
  readonly version: string;
  readonly operations: number;
  /** First digits of the document's SHA-256; undefined while our own description is in use. */
  readonly revision: string | undefined;
  /** Milliseconds since the current one came into use, and since the source last answered. */
  readonly ageMs: number;
  readonly checkedMsAgo: number | undefined;
  /** Why the last refresh failed, if it did. */
  readonly error: string | undefined;
};

/** Undefined: unchanged since `etag`. */
type Fetched = { text: string; etag: string | undefined } | undefined;

export class SpecSource {
  readonly #options: SpecSourceOptions;
  readonly #source: string;
  readonly #closing = new AbortController();
  #current: Description;
  #revision: string | undefined;
  #etag: string | undefined;
  #changedAt = Date.now();
  #checkedAt: number | undefined;
  #error: string | undefined;
  #underWay: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SpecSourceOptions) {
    this.#options = options;
    this.#source = shownUrl(options.url);
    this.#current = options.base;
  }

  current(): Description {
    return this.#current;
  }

  status(): SpecStatus {
    return {
      source: this.#source,
      version: this.#current.version,
      operations: this.#current.operations.length,
      revision: this.#revision,
      ageMs: Date.now() - this.#changedAt,
      checkedMsAgo: this.#checkedAt === undefined ? undefined : Date.now() - this.#checkedAt,
      error: this.#error,
    };
  }

  /** Refreshes now and then every refreshMs. Resolves when the first refresh has succeeded or failed. */
  async start(): Promise<void> {
    await this.refresh();
    if (this.#closing.signal.aborted || this.#timer !== undefined) return;
    this.#timer = setInterval(() => void this.refresh(), this.#options.refreshMs);
    this.#timer.unref();
  }

  /** Refreshes now, or waits for a refresh in progress. Never rejects. */
  refresh(): Promise<void> {
    this.#underWay ??= this.#readAndUse()
      .catch(caught => {
        if (this.#closing.signal.aborted) return;
        this.#error = caught instanceof GatewayError ? caught.message : 'The description could not be used.';
        this.#options.log.warn(
          { source: this.#source, err: toGatewayError(caught) },
          'API description not refreshed; the last good one stays',
        );
      })
      .finally(() => {
        this.#underWay = undefined;
      });
    return this.#underWay;
  }

  close(): void {
    this.#closing.abort();
    clearInterval(this.#timer);
  }

  async #readAndUse(): Promise<void> {
    const { signal } = this.#closing;
    const fetched = await readSource(this.#options, this.#etag, signal);
    const digest = fetched && createHash('sha256').update(fetched.text).digest('hex').slice(0, 12);
    if (fetched !== undefined && digest !== this.#revision) {
      refuseTooLarge(fetched.text);
      const { base, onChange, log } = this.#options;
      const next = await prepare({ text: fetched.text, base }, signal);
      await onChange(next);
      this.#current = next;
      this.#revision = digest;
      this.#changedAt = Date.now();
      log.info(
        { source: this.#source, version: next.version, revision: digest, operations: next.operations.length },
        'API description updated',
      );
    }
    // Set after success only, so that a document that could not be used is fetched again.
    if (fetched !== undefined) this.#etag = fetched.etag;
    this.#checkedAt = Date.now();
    this.#error = undefined;
  }
}

async function readSource(options: SpecSourceOptions, etag: string | undefined, closed: AbortSignal): Promise<Fetched> {
  const { url, maxBytes } = options;
  if (!/^https?:/i.test(url)) return { text: await readFileCapped(url, maxBytes), etag: undefined };
  const signal = AbortSignal.any([closed, AbortSignal.timeout(FETCH_TIMEOUT_MS)]);
  try {
    const headers: Record<string, string> = etag === undefined ? {} : { 'if-none-match': etag };
    const response = await fetchFrom(new URL(url), { headers, signal });
    if (response.status === 304 && etag !== undefined) return undefined;
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new GatewayError('spec_invalid', `The source of the description answered ${response.status}.`);
    }
    return { text: await readText(response.body ?? [], maxBytes), etag: response.headers.get('etag') ?? undefined };
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw new GatewayError('spec_invalid', 'The source of the description could not be read.', { cause });
  }
}

const MAX_REDIRECTS = 5;

/** Follows redirects only within the origin that the operator configured. */
async function fetchFrom(url: URL, init: RequestInit, hops = 0): Promise<Response> {
  const response = await fetch(url, { ...init, redirect: 'manual' });
  const location = response.headers.get('location');
  if (response.status < 300 || response.status >= 400 || location === null) return response;
  await response.body?.cancel();
  const next = new URL(location, url);
  if (next.origin !== url.origin)
    throw new GatewayError(
      'spec_invalid',
      'The source of the description redirects to another origin, which is not followed.',
    );
  if (hops === MAX_REDIRECTS)
    throw new GatewayError('spec_invalid', 'The source of the description redirects without end.');
  return fetchFrom(next, init, hops + 1);
}

async function readFileCapped(url: string, maxBytes: number): Promise<string> {
  try {
    return await readText(createReadStream(url.startsWith('file:') ? fileURLToPath(url) : url), maxBytes);
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw new GatewayError('spec_invalid', 'The file of the description could not be read.', { cause });
  }
}

async function readText(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, maxBytes: number): Promise<string> {
  const tooLarge = () => new GatewayError('spec_invalid', `The description is larger than ${maxBytes} bytes.`);
  return (await readCapped(chunks, { maxBytes, tooLarge })).toString('utf8');
}

/** Descriptions of the largest public APIs stay far below these limits. */
const LIMITS: JsonLimits = {
  maxBytes: Number.POSITIVE_INFINITY, // limited while it was read
  maxValues: 500_000,
  maxKeys: 500_000,
  maxDepth: 200,
  maxKeyBytes: 10_000,
};

/** Checks JSON only. The size of YAML is known only after parsing, which has its own thread, deadline and heap. */
function refuseTooLarge(text: string): void {
  const verdict = /^\s*[[{]/.test(text) ? judgeJson(text, LIMITS) : undefined;
  if (verdict?.fits === false)
    throw new GatewayError('spec_invalid', `The description holds ${describeExcess(verdict.excess)}.`);
}

function shownUrl(url: string): string {
  if (!URL.canParse(url)) return url;
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
