// In front of the sandboxes: decides which sandbox a request is for and whether it may, wakes it where that is
// asked for, and hands the request to the daemon, the code interpreter or a port.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Lazy } from '../../src/ground/lazy.ts';
import { type Cloud, CloudError, type Sandbox } from '../cloud.ts';
import { type DataMachine, isDataMachine } from '../machine/machine.ts';
import { DEFAULT_USER, findUser } from '../machine/users.ts';
import { SHOWN_USAGE } from '../sandbox.ts';
import type { DataPlane } from '../server.ts';
import { onAbort } from '../time.ts';
import * as access from './access.ts';
import { sendJson, sendRefusal } from './answers.ts';

/** What answers on the code interpreter's port. */
export type AnswerInterpreter = (
  machine: DataMachine,
  url: URL,
  req: IncomingMessage,
  res: ServerResponse,
) => Promise<void>;

type Request = {
  /** Undefined: no sandbox has signed it. */
  readonly sandboxId: string | undefined;
  readonly port: number;
  readonly url: URL;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
};

/** Loaded when first called, as file contents are: the start does without their libraries. */
const services = new Lazy(async () => {
  const { filesystemService } = await import('./filesystem-service.ts');
  return { ...(await import('./rpc.ts')), ...(await import('./process-service.ts')), filesystemService };
});

/** For `startLocalCloud({ dataPlane })`. */
export function createDataPlane(cloud: Cloud, answerInterpreter: AnswerInterpreter): DataPlane {
  return (req, res) => {
    // Not relative to an origin: `//name` would be taken for another one.
    const url = new URL(`http://sandbox${req.url?.startsWith('/') ? req.url : '/'}`);
    const target = access.targetOf(req) ?? signedTarget(cloud, req, url);
    return target !== undefined && answer(cloud, answerInterpreter, { ...target, url, req, res });
  };
}

/** A signed URL made under E2B_SANDBOX_URL names no sandbox: its signature does. */
function signedTarget(cloud: Cloud, { method }: IncomingMessage, url: URL): access.Target | undefined {
  if (url.pathname !== '/files' || !url.searchParams.has('signature')) return undefined;
  const signer = cloud.all().find(({ envdAccessToken: token }) => {
    return token !== undefined && access.isSignedBy(token, method, url.searchParams);
  });
  return { sandboxId: signer?.sandboxId, port: access.ENVD_PORT };
}

async function answer(cloud: Cloud, answerInterpreter: AnswerInterpreter, request: Request): Promise<true> {
  const { port, url, req, res } = request;
  try {
    const sandbox = await admit(cloud, request);
    const { machine } = sandbox;
    await whileRunning(machine, request, () => {
      if (port === access.ENVD_PORT) return answerDaemon(sandbox, machine, request);
      if (port === access.INTERPRETER_PORT) return answerInterpreter(machine, url, req, res);
      return answerPort(sandbox, machine, request);
    });
  } catch (caught) {
    if (res.headersSent || !(caught instanceof access.Refusal)) throw caught;
    sendRefusal(req, res, caught);
  }
  return true;
}

type Running = Sandbox & { readonly machine: DataMachine };

/** The sandbox that is meant, running: woken if it wakes on traffic. @throws Refusal */
async function admit(cloud: Cloud, { sandboxId, port, url, req }: Request): Promise<Running> {
  access.checkRoute(port, url.pathname);
  if (sandboxId === undefined) throw access.unauthorized('invalid signature');
  const sandbox = cloud.find(sandboxId);
  if (sandbox !== undefined && cloud.wakes(sandbox)) {
    access.checkWake(sandbox, port, req.headers);
    await cloud.wake(sandbox).catch((caught: unknown) => {
      if (!(caught instanceof CloudError) || caught.code !== 'too_many_running') throw caught;
      throw new access.Refusal(429, 'Sandbox limit reached', { title: 'Sandbox Limit Reached' }, { sandboxId });
    });
  }
  if (sandbox === undefined || !runs(sandbox)) throw access.sandboxNotFound(sandboxId);
  if (port === access.ENVD_PORT) access.checkDaemon(sandbox, req, url, cloud.clock.now());
  else access.checkTraffic(sandbox, port, req.headers);
  return sandbox;
}

const runs = (sandbox: Sandbox): sandbox is Running => sandbox.state === 'running' && isDataMachine(sandbox.machine);

/**
 * A sandbox that is paused or killed takes its answers along: what has begun breaks off, what has not is no longer
 * found. What the work does afterwards is of no use to anybody.
 */
async function whileRunning(machine: DataMachine, request: Request, work: () => Promise<void>): Promise<void> {
  const { sandboxId = '', res } = request;
  const { streams } = machine;
  const stopped = new Promise<unknown>((resolve, reject) => {
    const stop = () => (res.headersSent ? resolve(res.destroy()) : reject(access.sandboxNotFound(sandboxId)));
    res.once('close', onAbort(streams, stop));
  });
  const done = work();
  done.catch(() => {});
  await Promise.race([done, stopped]);
}

async function answerDaemon(sandbox: Sandbox, machine: DataMachine, { url, req, res }: Request): Promise<void> {
  const [, room = '', method = ''] = url.pathname.split('/', 3);
  switch (room) {
    case 'process.Process':
    case 'filesystem.Filesystem': {
      const name = basicUser(req) ?? machine.defaults?.user ?? DEFAULT_USER;
      const { callService, processService, filesystemService } = await services.get();
      const service = room === 'process.Process' ? processService(machine) : filesystemService(machine);
      const known = await findUser(machine.files, name);
      return callService(service, method, req, res, { name, known }, machine.streams);
    }
    case 'files':
      return (await import('./files-http.ts')).answerFiles(machine, req, res, url.searchParams);
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
    const sentence = `The sandbox is running but there is no service running on port ${port}.`;
    const page = { title: 'Closed Port Error', sentence };
    throw new access.Refusal(502, 'The sandbox is running but port is not open', page, { sandboxId, port });
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
