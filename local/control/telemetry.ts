// Metrics and logs of sandboxes. Metrics are computed when asked: one point each five seconds of running.
import type { paths } from 'e2b';
import type { Cloud, LogEntry, Sandbox } from '../cloud.ts';
import { SHOWN_USAGE } from '../sandbox.ts';
import type { Handlers } from './operation.ts';
import { ApiError, findSandbox, shortId } from './team.ts';

const STEP_MS = 5_000;
const MAX_POINTS = 500;
const MIB = 1024 * 1024;
const LEVELS: readonly LogEntry['level'][] = ['debug', 'info', 'warn', 'error'];

type LogQuery = NonNullable<paths['/v2/sandboxes/{sandboxID}/logs']['get']['parameters']['query']>;

export function telemetryHandlers(cloud: Cloud): Handlers {
  return {
    'GET /sandboxes/metrics': ({ team, query }) => {
      const wanted = new Set(query.sandbox_ids.map(shortId));
      const found = cloud.ofTeam(team.teamId).filter(each => each.state === 'running' && wanted.has(each.sandboxId));
      const nowMs = cloud.clock.now();
      return { sandboxes: Object.fromEntries(found.map(each => [each.sandboxId, point(each, nowMs)])) };
    },
    'GET /sandboxes/{sandboxID}/metrics': ({ team, param, query: { start, end } }) => {
      const sandbox = findSandbox(cloud, team, param('sandboxID'));
      if (start !== undefined && end !== undefined && start > end) {
        throw new ApiError(400, 'start time cannot be after end time');
      }
      return points(sandbox, cloud.clock.now(), start, end);
    },
    'GET /sandboxes/{sandboxID}/logs': ({ team, param, query: { start = 0, limit } }) => {
      const { logs } = findSandbox(cloud, team, param('sandboxID'));
      const entries = logs.filter(entry => Date.parse(entry.timestamp) >= start).slice(0, limit);
      return { logs: entries.map(viewLine), logEntries: entries };
    },
    'GET /v2/sandboxes/{sandboxID}/logs': ({ team, param, query }) => ({
      logs: selectLogs(findSandbox(cloud, team, param('sandboxID')).logs, query),
    }),
  };
}

/** From the cursor on, forwards or backwards, at most `limit`. */
function selectLogs(logs: readonly LogEntry[], query: LogQuery): LogEntry[] {
  const { cursor, direction = 'forward', level = 'debug', search = '', limit } = query;
  const forward = direction === 'forward';
  const inReach = ({ timestamp }: LogEntry): boolean =>
    cursor === undefined || (forward ? Date.parse(timestamp) >= cursor : Date.parse(timestamp) <= cursor);
  const matching = logs.filter(
    entry => inReach(entry) && LEVELS.indexOf(entry.level) >= LEVELS.indexOf(level) && entry.message.includes(search),
  );
  return (forward ? matching : matching.reverse()).slice(0, limit);
}

/** A line is a JSON object as text. */
const viewLine = ({ fields, ...shown }: LogEntry) => ({
  timestamp: shown.timestamp,
  line: JSON.stringify({ ...fields, ...shown, logger: 'sandbox' }),
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
