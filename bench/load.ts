// Sends one kind of request for some time and records durations and failures.
import { Pool } from 'undici';
import type { Contender } from './processes.ts';

const KEY = `e2b_${'b'.repeat(40)}`;

export type Load = { readonly method: 'tools/list' } | { readonly tool: string; readonly code: string };
export type Sample = { requests: number; seconds: number; cpuSeconds: number; readonly ms: number[] };

export const emptySample = (): Sample => ({ requests: 0, seconds: 0, cpuSeconds: 0, ms: [] });
/** How a client sends its requests: credential, headers, and `_meta`. */
export type Caller = {
  readonly credential?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly meta?: object;
};

const pools = new Map<string, Pool>();

/** Sends requests to the contenders in turn and adds the measurements to `into`. */
export async function drive(
  contenders: readonly Contender[],
  load: Load,
  { callers, ms, into, ...caller }: { callers: number; ms: number; into: Sample } & Caller,
): Promise<void> {
  const { meta } = caller;
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    ...('method' in load
      ? { method: load.method }
      : { method: 'tools/call', params: { name: load.tool, arguments: { code: load.code }, _meta: meta } }),
  });
  const cpu = () => contenders.reduce((sum, contender) => sum + contender.cpuSeconds(), 0);
  const cpuBefore = cpu();
  const startedAt = performance.now();
  let turn = 0;
  const call = async () => {
    while (performance.now() - startedAt < ms) {
      const contender = contenders[turn++ % contenders.length];
      if (contender === undefined) return;
      const sentAt = performance.now();
      await post(contender.url, body, caller);
      into.ms.push(performance.now() - sentAt);
      into.requests++;
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  into.seconds += (performance.now() - startedAt) / 1000;
  into.cpuSeconds += cpu() - cpuBefore;
}

export async function post(url: string, body: string, { credential = KEY, headers }: Caller = {}): Promise<string> {
  const pool = pools.get(url) ?? new Pool(url, { connections: 512 });
  pools.set(url, pool);
  const answer = await pool.request({
    method: 'POST',
    path: '/mcp',
    headers: {
      authorization: `Bearer ${credential}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body,
  });
  const text = await answer.body.text();
  if (answer.statusCode !== 200 || text.includes('"isError":true')) throw new Error(`${url}: ${text.slice(0, 300)}`);
  return text;
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}
