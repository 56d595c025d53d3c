// A local cloud for one test file, keys made up at run time, a clock the test moves, and plain fetch.
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect } from 'vitest';
import { type LocalCloud, type LocalCloudOptions, startLocalCloud } from '../../../local/server.ts';
import type { Clock } from '../../../local/time.ts';

export const newKey = (): string => `e2b_${randomBytes(20).toString('hex')}`;

/** For `expect.poll`: how long a condition may take on a busy machine. */
export const PATIENT = { timeout: 10_000, interval: 5 };

/** Time does not pass until `advance`, which runs what falls due on the way, in order. */
export class ManualClock implements Clock {
  #nowMs = Date.parse('2026-01-01T00:00:00.000Z');
  readonly #timers = new Set<{ readonly dueMs: number; readonly then: () => void }>();

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, then: () => void): () => void {
    const timer = { dueMs: this.#nowMs + delayMs, then };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (let timer = this.#due(untilMs); timer !== undefined; timer = this.#due(untilMs)) {
      this.#timers.delete(timer);
      this.#nowMs = Math.max(this.#nowMs, timer.dueMs);
      timer.then();
    }
    this.#nowMs = untilMs;
  }

  get pending(): number {
    return this.#timers.size;
  }

  #due(untilMs: number) {
    return [...this.#timers].filter(({ dueMs }) => dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs)[0];
  }
}

const started: LocalCloud[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map(local => local.close()));
});

/** Closed after the test. */
export async function startForTest(options: Partial<LocalCloudOptions> = {}): Promise<LocalCloud> {
  const local = await startLocalCloud({ port: 0, ...options });
  started.push(local);
  return local;
}

// biome-ignore lint/suspicious/noExplicitAny: what a foreign API answers is looked at field by field
type Reply = { status: number; headers: Headers; body: any };
export type Send = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Reply>;

/** Calls as one team. A string body is sent as it is. */
export function callerOf(local: LocalCloud, key: string = newKey()): Send {
  return async (method, path, body, headers = {}) => {
    const response = await fetch(`${local.url}${path}`, {
      method,
      headers: { 'x-api-key': key, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
  };
}

type Control = {
  readonly local: LocalCloud;
  /** Two callers, of different teams. */
  readonly send: Send;
  readonly stranger: Send;
  /** Creates a sandbox of `send`'s team; its id. */
  create(body?: object, path?: string): Promise<string>;
};

/** A new local mode for each test of the file. */
export function useControl(): Control {
  const parts = {} as { -readonly [part in keyof Control]: Control[part] };
  beforeEach(async () => {
    parts.local = await startForTest();
    parts.send = callerOf(parts.local);
    parts.stranger = callerOf(parts.local);
  });
  parts.create = async (body = {}, path = '/v2/sandboxes') => {
    const reply = await parts.send('POST', path, { templateID: 'base', ...body });
    expect(reply.status).toBe(201);
    return reply.body.sandboxID;
  };
  return parts;
}
