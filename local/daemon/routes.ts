// The data plane: decides which sandbox a request is for and whether it may, then hands it to the room that answers.
// The one export of this folder.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Cloud, Sandbox } from '../cloud.ts';
import { type DataMachine, isDataMachine } from '../machine/machine.ts';
import { DEFAULT_USER } from '../machine/paths.ts';
import type { DataPlane } from '../server.ts';
import {
  ENVD_PORT,
  INTERPRETER_PORT,
  mayUseDaemon,
  same,
  signatureFits,
  signedFile,
  targetOf,
  type Verdict,
} from './access.ts';
import { sendJson } from './answers.ts';
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

/** For `startLocalCloud({ dataPlane })`. */
export function createDataPlane(cloud: Cloud, answerInterpreter: AnswerInterpreter): DataPlane {
  const answer = (...[sandboxId, port, url, req, res]: Request): Promise<true> =>
    answerSandbox(cloud, answerInterpreter, sandboxId, port, url, req, res);
  return {
    handle(req, res) {
      const url = new URL(req.url ?? '/', 'http://sandbox');
      const target = targetOf(req);
      if (target !== undefined) return answer(target.sandboxId, target.port, url, req, res);
      // A signed URL made under E2B_SANDBOX_URL names no sandbox: its signature does.
      if (url.pathname !== '/files' || !url.searchParams.has('signature')) return false;
      return answer(signer(cloud, req, url)?.sandboxId ?? '', ENVD_PORT, url, req, res);
    },
  };
}

function signer(cloud: Cloud, req: IncomingMessage, url: URL): Sandbox | undefined {
  const signed = signedFile(req.method, url.searchParams);
  if (signed === undefined) return undefined;
  return cloud
    .all()
    .find(({ envdAccessToken }) => envdAccessToken !== undefined && signatureFits(signed, envdAccessToken));
}

type Request = [sandboxId: string, port: number, url: URL, req: IncomingMessage, res: ServerResponse];

async function answerSandbox(
  cloud: Cloud,
  answerInterpreter: AnswerInterpreter,
  ...[sandboxId, port, url, req, res]: Request
): Promise<true> {
  const sandbox = cloud.find(sandboxId);
  if (sandbox === undefined || !isDataMachine(sandbox.machine) || !(await cloud.wake(sandbox))) {
    req.resume();
    sendJson(res, 502, { sandboxId, message: 'The sandbox was not found', code: 502 });
    return true;
  }
  const { machine } = sandbox;
  const traffic = mayReachPort(sandbox, port, req);
  const verdict = port === ENVD_PORT ? daemonVerdict(cloud, sandbox, url, req) : traffic;
  if (!verdict.ok) {
    req.resume();
    const status = port === ENVD_PORT ? 401 : 403;
    sendJson(res, status, { code: status, message: verdict.message });
    return true;
  }
  if (port === ENVD_PORT) await answerDaemon(machine, url, req, res);
  else if (port === INTERPRETER_PORT) await answerInterpreter(machine, url, req, res);
  else await answerPort(machine, sandboxId, port, url, req, res);
  return true;
}

function daemonVerdict(cloud: Cloud, sandbox: Sandbox, url: URL, req: IncomingMessage): Verdict {
  if (url.pathname === '/health') return { ok: true };
  const signed = url.pathname === '/files' ? signedFile(req.method, url.searchParams) : undefined;
  return mayUseDaemon(sandbox, req.headers['x-access-token'], signed, cloud.clock.now());
}

/** The code interpreter too is a port: its client sends the access token with some calls only, so a wrong one is refused and none is not. */
function mayReachPort(sandbox: Sandbox, port: number, req: IncomingMessage): Verdict {
  const needed = sandbox.trafficAccessToken;
  const given = req.headers['e2b-traffic-access-token'];
  if (needed !== undefined && !(typeof given === 'string' && same(given, needed))) {
    return { ok: false, message: 'Missing or invalid traffic access token' };
  }
  const token = req.headers['x-access-token'];
  const wrong =
    typeof token === 'string' && sandbox.envdAccessToken !== undefined && !same(token, sandbox.envdAccessToken);
  return port === INTERPRETER_PORT && wrong ? { ok: false, message: 'invalid access token' } : { ok: true };
}

async function answerDaemon(machine: DataMachine, url: URL, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const user = userOf(req, url);
  const [, room = '', method = ''] = url.pathname.split('/', 3);
  switch (room) {
    case 'process.Process':
      return callService(processService(machine), method, req, res, { user }, machine.streams);
    case 'filesystem.Filesystem':
      return callService(filesystemService(machine), method, req, res, { user }, machine.streams);
    case 'files':
      return answerFiles(machine, req, res, url.searchParams, user);
    case 'health':
      res.writeHead(204).end();
      return;
    case 'envs':
      return sendJson(res, 200, machine.envVars);
    case 'metrics':
      return sendJson(res, 200, metrics(machine));
    default:
      req.resume();
      return sendJson(res, 404, { code: 404, message: 'not found' });
  }
}

function metrics(machine: DataMachine): object {
  const usage = machine.usage?.() ?? { cpuUsedPct: 0, memUsedBytes: 0, diskUsedBytes: 0 };
  return {
    ts: Math.floor(Date.now() / 1000),
    cpu_count: 2,
    cpu_used_pct: usage.cpuUsedPct,
    mem_total: 512 * 1024 * 1024,
    mem_used: usage.memUsedBytes,
    disk_total: 1024 * 1024 * 1024,
    disk_used: usage.diskUsedBytes,
  };
}

function userOf(req: IncomingMessage, url: URL): string {
  const basic = /^Basic (.+)$/i.exec(req.headers.authorization ?? '')?.[1];
  const name = basic === undefined ? url.searchParams.get('username') : Buffer.from(basic, 'base64').toString('utf8');
  const user = (name ?? '').split(':', 1)[0] ?? '';
  return /^[a-z_][a-z0-9_-]{0,31}$/i.test(user) ? user : DEFAULT_USER;
}

async function answerPort(
  machine: DataMachine,
  sandboxId: string,
  port: number,
  url: URL,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const handler = await machine.port(port);
  if (handler === undefined) {
    req.resume();
    const message = 'The sandbox is running but port is not open';
    sendJson(res, 502, { sandboxId, message, port, code: 502 });
    return;
  }
  handler(req, res, url.pathname + url.search);
}
