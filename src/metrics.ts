// The metrics for Prometheus: counters and histograms with few, fixed labels. No label contains a key, an id or a path
// that a caller wrote. HTTP server, runs and API client report here; gateway.ts connects them.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { OAuthRecord } from './http/auth/events.ts';
import type { RequestRecord } from './http/observe.ts';
import type { ApprovalRecord } from './mcp/approvals/approvals.ts';
import type { RunRecord } from './mcp/run.ts';
import type { UpstreamRecord } from './upstream/observe.ts';

/** Current values of the engine and the server, read at each scrape. */
export type LiveGauges = () => {
  readonly workers: number;
  readonly running: number;
  readonly waiting: number;
  readonly queued: number;
  readonly openRequests: number;
};

export type Metrics = {
  request(record: RequestRecord): void;
  run(record: RunRecord): void;
  upstreamCall(record: UpstreamRecord): void;
  /** Counts a request that a limit refused. `unavailable`: it was let through because the limiter was down. */
  limited(limit: 'key' | 'global' | 'parallel' | 'unavailable' | 'address'): void;
  /** Counts calls that a person was asked to approve, and their answers. */
  approval(record: ApprovalRecord): void;
  /** Counts a step of a sign-in. */
  signIn(record: OAuthRecord): void;
  loopDelay(delayMs: number): void;
  readonly contentType: string;
  text(): Promise<string>;
};

/** Outcomes of runs that ended before the guest returned or threw. */
const KILLS = new Set([
  'time_exceeded',
  'cpu_exceeded',
  'memory_exceeded',
  'never_settles',
  'cancelled',
  'engine_lost',
]);

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export function createMetrics(live: LiveGauges): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const requests = new Histogram({
    name: 'codemode_http_request_duration_seconds',
    help: 'Duration of HTTP requests, from the first byte to the end of the response.',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS,
    registers,
  });
  const runs = new Histogram({
    name: 'codemode_run_duration_seconds',
    help: 'Duration of tool calls, time in the queue included, by outcome.',
    labelNames: ['tool', 'engine', 'outcome'],
    buckets: SECONDS,
    registers,
  });
  const queue = new Histogram({
    name: 'codemode_run_queue_seconds',
    help: 'Time a run waited for a worker.',
    labelNames: ['tool', 'engine'],
    buckets: SECONDS,
    registers,
  });
  const calls = new Histogram({
    name: 'codemode_upstream_call_duration_seconds',
    help: 'Duration of calls to the upstream API, by operation and status.',
    labelNames: ['operation', 'status'],
    buckets: SECONDS,
    registers,
  });
  const kills = new Counter({
    name: 'codemode_guest_kills_total',
    help: 'Runs that were ended before the guest had finished, by reason.',
    labelNames: ['engine', 'reason'],
    registers,
  });
  const limited = new Counter({
    name: 'codemode_limited_total',
    help: 'Requests refused by a limit. "unavailable": let through because the limiter did not respond.',
    labelNames: ['limit'],
    registers,
  });
  const loopDelay = new Histogram({
    name: 'codemode_event_loop_delay_seconds',
    help: 'Delay of the event loop, measured 50 times a second. Above 0.25 all callers wait for the work of one.',
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const approvals = new Counter({
    name: 'codemode_approvals_total',
    help: 'Calls that a person was asked to approve ("asked"), and the answers.',
    labelNames: ['answer'],
    registers,
  });
  const signIns = new Counter({
    name: 'codemode_oauth_events_total',
    help: 'Steps of OAuth sign-ins, by outcome and kind of client.',
    labelNames: ['step', 'outcome', 'client'],
    registers,
  });
  for (const [name, help] of [
    ['workers', 'Worker threads of the engine, or the sandboxes that it may have.'],
    ['running', 'Runs that have a worker or a sandbox.'],
    ['waiting', 'Runs that wait for a response from upstream and have given their worker to others.'],
    ['queued', 'Runs that wait for a worker or for their sandbox to start.'],
    ['openRequests', 'Open HTTP requests, for which a shutdown waits.'],
  ] as const) {
    new Gauge({
      name: `codemode_${name === 'openRequests' ? 'open_requests' : name}`,
      help,
      registers,
      collect() {
        this.set(live()[name]);
      },
    });
  }

  return {
    request: ({ method, route, status, durationMs }) => requests.observe({ method, route, status }, durationMs / 1000),
    run({ tool, engine, outcome, durationMs, queuedMs }) {
      runs.observe({ tool, engine, outcome }, durationMs / 1000);
      if (queuedMs !== undefined) queue.observe({ tool, engine }, queuedMs / 1000);
      if (KILLS.has(outcome)) kills.inc({ engine, reason: outcome });
    },
    upstreamCall: ({ operation, status, durationMs }) => calls.observe({ operation, status }, durationMs / 1000),
    limited: limit => limited.inc({ limit }),
    loopDelay: delayMs => loopDelay.observe(delayMs / 1000),
    approval: ({ answer, count }) => approvals.inc({ answer }, count),
    signIn: record => signIns.inc(record),
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}
