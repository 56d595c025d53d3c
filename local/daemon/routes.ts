// In front of the sandboxes: decides which sandbox a request is for and whether it may, wakes it where that is
// asked for, and hands the request to the daemon, the code interpreter or a port.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Cloud, CloudError, type Sandbox } from '../cloud.ts';
import { type DataMachine, isDataMachine } from '../machine/machine.ts';
import { DEFAULT_USER, findUser } from '../machine/users.ts';
import { SHOWN_USAGE } from '../sandbox.ts';
import type { DataPlane } from '../server.ts';
import * as access from './access.ts';
import { sendJson, sendProxyError } from './answers.ts';
import { answerFiles } from './files-http.ts';
import { filesystemService } from './filesystem-service.ts';
import { processService } from './process-service.ts';
import { callService } from './rpc.ts';

/** What answers on the code interpreter's port. */
export type AnswerInterpreter = (
  machine: DataMachine,
  url: URL,
  req: IncomingMessage,
  res: ServerResponse,
) => Promise<void>;

type Request = {
  readonly sandboxId: string;
  readonly port: number;
  readonly url: URL;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
};

/** For `startLocalCloud({ dataPlane })`. */
export function createDataPlane(cloud: Cloud, answerInterpreter: AnswerInterpreter): DataPlane {
  return {
    handle(req, res) {
      // Not relative to an origin: `//name` would be taken for another one.
      const url = new URL(`http://sandbox${req.url?.startsWith('/') ? req.url : '/'}`);
      const target = access.targetOf(req);
      if (target !== undefined) return answer(cloud, answerInterpreter, { ...target, url, req, res });
      // A signed URL made under E2B_SANDBOX_URL names no sandbox: its signature does.
      if (url.pathname !== '/files' || !url.searchParams.has('signature')) return false;
      const sandboxId = signer(cloud, req, url)?.sandboxId;
      if (sandboxId === undefined) {
        const request = { sandboxId: '', port: access.ENVD_PORT, url, req, res };
        return refuse(request, { from: 'daemon', status: 401, message: 'invalid signature' });
      }
      return answer(cloud, answerInterpreter, { sandboxId, port: access.ENVD_PORT, url, req, res });
    },
  };
}

function signer(cloud: Cloud, req: IncomingMessage, url: URL): Sandbox | undefined {
  const signed = access.signedFile(req.method, url.searchParams);
  if (signed === undefined) return undefined;
  return cloud
    .all()
    .find(({ envdAccessToken }) => envdAccessToken !== undefined && access.signatureFits(signed, envdAccessToken));
}

async function answer(cloud: Cloud, answerInterpreter: AnswerInterpreter, request: Request): Promise<true> {
  const { sandboxId, port, url, req, res } = request;
  const sandbox = cloud.find(sandboxId);
  const refused = access.refusedRoute(port, url.pathname) ?? (sandbox && (await notRunning(cloud, sandbox, request)));
  if (refused !== undefined) return refuse(request, refused);
  if (sandbox?.state !== 'running' || !isDataMachine(sandbox.machine)) {
    sendProxyError(req, res, notFound(sandboxId), NOT_FOUND);
    return true;
  }
  const { machine } = sandbox;
  const denied =
    port === access.ENVD_PORT
      ? access.refusedByDaemon(sandbox, req, url, cloud.clock.now())
      : access.refusedTraffic(sandbox, port, req.headers);
  if (denied !== undefined) return refuse(request, denied);
  await whileRunning(machine, request, () => {
    if (port === access.ENVD_PORT) return answerDaemon(sandbox, machine, request);
    if (port === access.INTERPRETER_PORT) return answerInterpreter(machine, url, req, res);
    return answerPort(sandbox, machine, request);
  });
  return true;
}

const NOT_FOUND = { title: 'Sandbox Not Found' };
const notFound = (sandboxId: string) => ({ sandboxId, message: 'The sandbox was not found', code: 502 });

/** Wakes a paused sandbox that wakes on traffic. Refused traffic leaves it as it is. */
async function notRunning(cloud: Cloud, sandbox: Sandbox, { port, req }: Request): Promise<access.Refusal | undefined> {
  if (!cloud.wakes(sandbox)) return undefined;
  const refused = access.refusedWake(sandbox, port, req.headers);
  if (refused !== undefined) return refused;
  try {
    await cloud.wake(sandbox);
  } catch (caught) {
    if (!(caught instanceof CloudError) || caught.code !== 'too_many_running') throw caught;
    return { from: 'proxy', status: 429, title: 'Sandbox Limit Reached', message: 'Sandbox limit reached' };
  }
  return undefined;
}

function refuse({ sandboxId, req, res, url }: Request, refusal: access.Refusal): true {
  const { status, message } = refusal;
  if (refusal.from === 'proxy') {
    const about = status === 404 ? { path: url.pathname } : { sandboxId };
    sendProxyError(req, res, { ...about, message, code: status }, { title: refusal.title });
  } else {
    req.resume();
    sendJson(res, status, { code: status, message });
  }
  return true;
}

/**
 * A sandbox that is paused or killed takes its answers along: what has begun breaks off, what has not is no longer
 * found. What the work does afterwards is of no use to anybody.
 */
async function whileRunning(machine: DataMachine, request: Request, work: () => Promise<void>): Promise<void> {
  const { sandboxId, req, res } = request;
  const { streams } = machine;
  let stop = (): void => {};
  const stopped = new Promise<void>(resolve => {
    stop = () => {
      if (res.headersSent) res.destroy();
      else sendProxyError(req, res, notFound(sandboxId), NOT_FOUND);
      resolve();
    };
    streams.addEventListener('abort', stop, { once: true });
  });
  const done = work();
  done.catch(() => {});
  await Promise.race([done, stopped]);
  if (res.writableEnded || res.destroyed) streams.removeEventListener('abort', stop);
  else res.once('close', () => streams.removeEventListener('abort', stop));
}

async function answerDaemon(sandbox: Sandbox, machine: DataMachine, { url, req, res }: Request): Promise<void> {
  const [, room = '', method = ''] = url.pathname.split('/', 3);
  switch (room) {
    case 'process.Process':
    case 'filesystem.Filesystem': {
      const name = basicUser(req) ?? machine.defaults?.user ?? DEFAULT_USER;
      const service = room === 'process.Process' ? processService(machine) : filesystemService(machine);
      const known = await findUser(machine.files, name);
      return callService(service, method, req, res, { name, known }, machine.streams);
    }
    case 'files':
      return answerFiles(machine, req, res, url.searchParams);
    case 'health':
      res.writeHead(204).end();
      return;
    case 'envs':
      return sendJson(res, 200, machine.envVars);
    case 'metrics':
      return sendJson(res, 200, metrics(sandbox));
    default:
      req.resume();
      return sendJson(res, 404, { code: 404, message: 'not found' });
  }
}

function metrics({ spec }: Sandbox): object {
  const mib = 1024 * 1024;
  return {
    ts: Math.floor(Date.now() / 1000),
    cpu_count: spec.cpuCount,
    cpu_used_pct: SHOWN_USAGE.cpuUsedPct,
    mem_total_mib: spec.memoryMB,
    mem_used_mib: Math.round(SHOWN_USAGE.memUsedBytes / mib),
    mem_total: spec.memoryMB * mib,
    mem_used: SHOWN_USAGE.memUsedBytes,
    mem_cache: 0,
    disk_total: spec.diskSizeMB * mib,
    disk_used: SHOWN_USAGE.diskUsedBytes,
  };
}

function basicUser(req: IncomingMessage): string | undefined {
  const basic = /^Basic (.+)$/i.exec(req.headers.authorization ?? '')?.[1];
  return basic === undefined ? undefined : Buffer.from(basic, 'base64').toString('utf8').split(':', 1)[0];
}

async function answerPort(sandbox: Sandbox, machine: DataMachine, request: Request): Promise<void> {
  const { sandboxId, port, url, req, res } = request;
  const handler = await machine.port(port);
  if (handler === undefined) {
    const message = 'The sandbox is running but port is not open';
    const sentence = `The sandbox is running but there is no service running on port ${port}.`;
    return sendProxyError(req, res, { sandboxId, message, port, code: 502 }, { title: 'Closed Port Error', sentence });
  }
  const mask = sandbox.network?.maskRequestHost?.replaceAll(`\${PORT}`, String(port));
  if (mask) maskHost(req, mask);
  handler(req, res, url.pathname + url.search);
}

function maskHost(req: IncomingMessage, host: string): void {
  req.headers.host = host;
  const at = req.rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'host');
  if (at !== -1) req.rawHeaders[at + 1] = host;
}
