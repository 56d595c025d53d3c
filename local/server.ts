// Local mode's one loopback port: takes each request to the data plane or to the control plane, and closes both. Knows
// no route of either.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { Lazy } from '../src/ground/lazy.ts';
import { isLoopbackHostname } from '../src/ground/loopback.ts';
import { Cloud, type CloudOptions } from './cloud.ts';
import type { MakeVolume } from './control/volumes.ts';
import { sendJson } from './daemon/answers.ts';

/**
 * What is inside the sandboxes, over HTTP. Asked first, for every request, before anything has read the body; false (at
 * once, nothing touched) leaves the request to the control plane. Its own are those that carry an `e2b-sandbox-id` header
 * or a `<port>-<id>.` Host label, and signed `/files` URLs.
 */
export type DataPlane = (req: IncomingMessage, res: ServerResponse) => boolean | Promise<boolean>;

export type LocalCloudOptions = CloudOptions & {
  /** 0: any free port. */
  readonly port: number;
  readonly dataPlane?: (cloud: Cloud) => DataPlane;
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

const ADDRESS = '127.0.0.1';
/** The real service's, and more than clients keep connections for: a socket closed under a client is a failed fetch. */
const KEEP_ALIVE_MS = 620_000;

/** @throws the listen error: the port is taken */
export async function startLocalCloud(options: LocalCloudOptions): Promise<LocalCloud> {
  const cloud = new Cloud(options);
  const dataPlane = options.dataPlane?.(cloud);
  const control = new Lazy(async () => {
    const { controlPlane } = await import('./control/app.ts');
    return controlPlane(cloud, options.makeVolume);
  });

  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    if (await options.intercept?.(req, res)) return;
    if (await dataPlane?.(req, res)) return;
    if (!isLocalName(req.headers.host))
      return sendJson(res, 403, { code: 403, message: 'This Host is not allowed here' });
    (await control.get()).handle(req, res);
  };

  const server = createServer((req, res) => {
    answer(req, res).catch(() => {
      if (res.headersSent) res.destroy();
      else sendJson(res, 500, { code: 500, message: 'Internal server error' });
    });
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  // Uploads and long calls may take their time on loopback.
  server.requestTimeout = 0;

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, ADDRESS, resolve);
  });
  // Not before: the port is open while what answers on it is still loaded. A failure is that of the first request.
  control.get().catch(() => {});
  const { port } = server.address() as AddressInfo;
  // Ports of sandboxes are below it: http://8080-<id>.localhost:<port>.
  cloud.domain = `localhost:${port}`;
  return {
    url: `http://${ADDRESS}:${port}`,
    port,
    cloud,
    async close() {
      const stopped = new Promise<void>(resolve => server.close(() => resolve()));
      await cloud.close();
      await (await control.ifBegun())?.close();
      server.closeAllConnections();
      await stopped;
    },
  };
}

/**
 * An address, or a name that can only mean this machine. Any key is valid here, so a web page whose name was made to
 * point at 127.0.0.1 must not be taken for a local client.
 */
function isLocalName(hostHeader = ''): boolean {
  const host = hostHeader.toLowerCase().replace(/:\d+$/, '');
  return isLoopbackHostname(host) || isIP(host.replace(/^\[(.*)\]$/, '$1')) !== 0;
}
