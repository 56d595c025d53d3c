// Local mode's one loopback port: takes each request to the data plane or to the control plane, and closes both. Knows
// no route of either.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Lazy } from '../src/ground/lazy.ts';
import type { Clock } from './clock.ts';
import { Cloud, type CloudLimits, type MachineFactory } from './cloud.ts';
import type { MakeVolume } from './control/volumes.ts';
import { isLocalName, isLoopback } from './host-name.ts';

/**
 * What is inside the sandboxes, over HTTP. `handle` is asked first, for every request, before anything has read the
 * body; false (at once, nothing touched) leaves the request to the control plane. Its own are those that carry an
 * `e2b-sandbox-id` header or a `<port>-<id>.` Host label, and signed `/files` URLs.
 */
export interface DataPlane {
  handle(req: IncomingMessage, res: ServerResponse): boolean | Promise<boolean>;
  close?(): Promise<void>;
}

/**
 * One line per request, when it ends; status 0: without an answer. The path comes without its query: signatures stand
 * there. No header is shown.
 */
type LocalLog = (line: { method: string; path: string; status: number; durationMs: number }) => void;

export type LocalCloudOptions = {
  /** 0: any free port. */
  readonly port: number;
  /** Default 127.0.0.1. Anything but a loopback address opens local mode to the network. */
  readonly host?: string;
  readonly machineFactory?: MachineFactory;
  readonly dataPlane?: (cloud: Cloud) => DataPlane;
  readonly clock?: Clock;
  readonly limits?: CloudLimits;
  readonly log?: LocalLog;
  /** Called with a sentence for what is accepted and not done. */
  readonly warn?: (message: string) => void;
  /** What a volume holds. Default: nothing that sandboxes share. */
  readonly makeVolume?: MakeVolume;
  /** Asked first, for each request: true when it was dealt with. */
  readonly intercept?: (req: IncomingMessage, res: ServerResponse) => Promise<boolean>;
};

export type LocalCloud = {
  readonly url: string;
  readonly port: number;
  readonly cloud: Cloud;
  /** Kills every sandbox, ends every connection. */
  close(): Promise<void>;
};

/** The real service's, and more than clients keep connections for: a socket closed under a client is a failed fetch. */
const KEEP_ALIVE_MS = 620_000;

/** @throws the listen error (port taken, address not local) */
export async function startLocalCloud(options: LocalCloudOptions): Promise<LocalCloud> {
  const { host = '127.0.0.1', machineFactory, clock, limits, log, warn, intercept } = options;
  const cloud = new Cloud({ machineFactory, clock, limits, warn });
  const dataPlane = options.dataPlane?.(cloud);
  const control = new Lazy(async () => {
    const { controlPlane } = await import('./control/app.ts');
    return controlPlane(cloud, options.makeVolume);
  });

  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    if (await intercept?.(req, res)) return;
    if (dataPlane !== undefined && (await dataPlane.handle(req, res))) return;
    if (isLoopback(host) && !isLocalName(req.headers.host)) return sendError(res, 403, 'This Host is not allowed here');
    (await control.get()).handle(req, res);
  };

  const server = createServer((req, res) => {
    if (log !== undefined) logWhenDone(req, res, log);
    answer(req, res).catch(() => failed(res));
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  // Uploads and long calls may take their time on loopback.
  server.requestTimeout = 0;

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, host, resolve);
  });
  // Not before: the port is open while what answers on it is still loaded. A failure is that of the first request.
  control.get().catch(() => {});
  const { port } = server.address() as AddressInfo;
  // Ports of sandboxes are below it: http://8080-<id>.localhost:<port>.
  cloud.domain = `localhost:${port}`;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    cloud,
    async close() {
      const stopped = new Promise<void>(resolve => server.close(() => resolve()));
      await cloud.close();
      await (await control.ifBegun())?.close();
      await dataPlane?.close?.();
      server.closeAllConnections();
      await stopped;
    },
  };
}

function logWhenDone(req: IncomingMessage, res: ServerResponse, log: LocalLog): void {
  const startedMs = performance.now();
  const path = (req.url ?? '').split('?', 1)[0] ?? '';
  res.once('close', () => {
    log({
      method: req.method ?? '',
      path,
      status: res.headersSent ? res.statusCode : 0,
      durationMs: Math.round(performance.now() - startedMs),
    });
  });
}

function failed(res: ServerResponse): void {
  if (res.headersSent) res.destroy();
  else sendError(res, 500, 'Internal server error');
}

function sendError(res: ServerResponse, status: number, message: string): void {
  res.writeHead(status, { 'content-type': 'application/json' });
  res.end(JSON.stringify({ code: status, message }));
}
