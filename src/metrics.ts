// What Prometheus scrapes: counters and histograms with few, fixed labels. No label ever holds a key, an id or a path
// as a caller wrote it. Knows no HTTP server and no engine: they report here, gateway.ts joins them.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { OAuthRecord } from './http/auth/events.ts';
import type { RequestRecord } from './http/observe.ts';
import type { ApprovalRecord } from './mcp/approvals/approvals.ts';
import type { RunRecord } from './mcp/run.ts';
import type { UpstreamRecord } from './upstream/observe.ts';

/** What the engine has now; read when Prometheus asks. */
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
  /** Requests that the limits refused, by which limit; `unavailable`: let through because the limiter was down. */
  limited(limit: 'key' | 'global' | 'parallel' | 'unavailable' | 'address'): void;
  /** Calls that a person was asked about, and what they answered. */
  approval(record: ApprovalRecord): void;
  /** A step of a sign-in. */
  signIn(record: OAuthRecord): void;
  loopDelay(delayMs: number): void;
  readonly contentType: string;
  text(): Promise<string>;
};

/** Runs that the gateway ended: the guest did not get to its answer. */
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
    help: 'HTTP requests, from the first byte to the end of the answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS,
    registers,
  });
  const runs = new Histogram({
    name: 'codemode_run_duration_seconds',
    help: 'Tool calls, queue included, by how they ended.',
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
    help: 'Calls to the upstream API, by operation and status.',
    labelNames: ['operation', 'status'],
    buckets: SECONDS,
    registers,
  });
  const kills = new Counter({
    name: 'codemode_guest_kills_total',
    help: 'Runs that the gateway ended before the guest was done, by reason.',
    labelNames: ['engine', 'reason'],
    registers,
  });
  const limited = new Counter({
    name: 'codemode_limited_total',
    help: 'Requests refused by a limit; "unavailable": let through because the limiter did not answer.',
    labelNames: ['limit'],
    registers,
  });
  const loopDelay = new Histogram({
    name: 'codemode_event_loop_delay_seconds',
    help: 'How late the event loop was, looked at 50 times a second: above 0.25 all callers wait for one.',
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const approvals = new Counter({
    name: 'codemode_approvals_total',
    help: 'Calls put to a person before they were sent ("asked"), and what was answered to each.',
    labelNames: ['answer'],
    registers,
  });
  const signIns = new Counter({
    name: 'codemode_oauth_events_total',
    help: 'Steps of sign-ins by OAuth, by what they came to and what kind of client asked.',
    labelNames: ['step', 'outcome', 'client'],
    registers,
  });
  for (const [name, help] of [
    ['workers', 'Runs the engine works on at once: worker threads, or sandboxes it may have.'],
    ['running', 'Runs that have theirs.'],
    ['waiting', 'Runs put aside until an answer from upstream comes.'],
    ['queued', 'Runs that wait for a worker, or until their sandbox is ready.'],
    ['openRequests', 'Requests under way that a leaving process waits for.'],
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
