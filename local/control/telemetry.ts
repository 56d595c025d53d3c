// Metrics and logs of sandboxes. Metrics are computed when asked: one point each five seconds of running.
import { z } from 'zod';
import type { Cloud, LogEntry, LogLevel, Sandbox } from '../cloud.ts';
import { SHOWN_USAGE } from '../sandbox.ts';
import { ApiError } from './errors.ts';
import { parseQuery, queryInt, queryList, type Route, route } from './route.ts';
import { findSandbox, shortId } from './sandbox-access.ts';

const STEP_MS = 5_000;
const MAX_POINTS = 500;
const MIB = 1024 * 1024;
const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

const seconds = queryInt(0).optional();
const metricsQuery = z.object({ start: seconds, end: seconds });
const manyQuery = z.object({
  sandbox_ids: queryList.pipe(z.array(z.string()).min(1).max(100, 'maximum number of items is 100')),
});
const logsQuery = z.object({ start: queryInt(0).default(0), limit: queryInt(0).default(1000) });
const logsV2Query = z.object({
  cursor: queryInt(0).optional(),
  limit: queryInt(0, 1000).default(1000),
  direction: z.enum(['forward', 'backward']).default('forward'),
  level: z.enum(['debug', 'info', 'warn', 'error']).default('debug'),
  search: z.string().max(256).default(''),
});

export function telemetryRoutes(cloud: Cloud): Route[] {
  return [
    route('get', '/sandboxes/metrics', 200, ({ team, query }) => {
      const { sandbox_ids: ids } = parseQuery(manyQuery, query);
      if (new Set(ids).size < ids.length) throw new ApiError(400, 'validation error: duplicate items in sandbox_ids');
      const wanted = new Set(ids.map(shortId));
      const found = cloud
        .ofTeam(team.teamId)
        .filter(({ sandboxId, state }) => state === 'running' && wanted.has(sandboxId));
      const nowMs = cloud.clock.now();
      return { sandboxes: Object.fromEntries(found.map(each => [each.sandboxId, point(each, nowMs)])) };
    }),
    route('get', '/sandboxes/:sandboxID/metrics', 200, ({ team, param, query }) => {
      const { start, end } = parseQuery(metricsQuery, query);
      const sandbox = findSandbox(cloud, team, param('sandboxID'));
      if (start !== undefined && end !== undefined && start > end) {
        throw new ApiError(400, 'start time cannot be after end time');
      }
      return points(sandbox, cloud.clock.now(), start, end);
    }),
    route('get', '/sandboxes/:sandboxID/logs', 200, ({ team, param, query }) => {
      const { start, limit } = parseQuery(logsQuery, query);
      const sandbox = findSandbox(cloud, team, param('sandboxID'));
      const entries = sandbox.logs.filter(entry => entry.timestampMs >= start).slice(0, limit);
      return { logs: entries.map(viewLine), logEntries: entries.map(viewEntry) };
    }),
    route('get', '/v2/sandboxes/:sandboxID/logs', 200, ({ team, param, query: raw }) => {
      const query = parseQuery(logsV2Query, raw);
      const sandbox = findSandbox(cloud, team, param('sandboxID'));
      return { logs: selectLogs(sandbox.logs, query).map(viewEntry) };
    }),
  ];
}

/** From the cursor on, forwards or backwards, at most `limit`. */
function selectLogs(logs: readonly LogEntry[], query: z.output<typeof logsV2Query>): LogEntry[] {
  const { cursor, direction, level, search, limit } = query;
  const forward = direction === 'forward';
  const inReach = (entry: LogEntry): boolean =>
    cursor === undefined || (forward ? entry.timestampMs >= cursor : entry.timestampMs <= cursor);
  const matching = logs.filter(
    entry => inReach(entry) && LEVELS.indexOf(entry.level) >= LEVELS.indexOf(level) && entry.message.includes(search),
  );
  return (forward ? matching : matching.reverse()).slice(0, limit);
}

/** A line is a JSON object as text. */
const viewLine = (entry: LogEntry) => {
  const timestamp = new Date(entry.timestampMs).toISOString();
  const { level, message, fields } = entry;
  return { timestamp, line: JSON.stringify({ ...fields, timestamp, level, message, logger: 'sandbox' }) };
};

const viewEntry = (entry: LogEntry) => ({
  timestamp: new Date(entry.timestampMs).toISOString(),
  level: entry.level,
  message: entry.message,
  fields: entry.fields,
});

/** The newest MAX_POINTS of the interval, which ends where the sandbox was paused. */
function points(sandbox: Sandbox, nowMs: number, start: number | undefined, end: number | undefined) {
  const untilMs = Math.min(
    end === undefined ? Infinity : end * 1000,
    sandbox.state === 'paused' ? sandbox.endAtMs : nowMs,
  );
  const fromMs = start === undefined ? 0 : start * 1000;
  const first = Math.max(0, Math.ceil((fromMs - sandbox.startedAtMs) / STEP_MS));
  const last = Math.floor((untilMs - sandbox.startedAtMs) / STEP_MS);
  const length = Math.max(0, Math.min(MAX_POINTS, last - first + 1));
  return Array.from({ length }, (_, index) =>
    point(sandbox, sandbox.startedAtMs + (last - length + 1 + index) * STEP_MS),
  );
}

function point(sandbox: Sandbox, timeMs: number) {
  const { cpuCount, memoryMB, diskSizeMB } = sandbox.spec;
  return {
    timestamp: new Date(timeMs).toISOString(),
    timestampUnix: Math.floor(timeMs / 1000),
    cpuCount,
    cpuUsedPct: SHOWN_USAGE.cpuUsedPct,
    memUsed: SHOWN_USAGE.memUsedBytes,
    memTotal: memoryMB * MIB,
    memCache: 0,
    diskUsed: SHOWN_USAGE.diskUsedBytes,
    diskTotal: diskSizeMB * MIB,
  };
}
