// Who may talk to a sandbox: the daemon's access token or a signature made with it, and the traffic token of private
// ports. Also which sandbox and port a request means. Pure.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { posix } from 'node:path';
import type { Sandbox } from '../cloud.ts';

export const ENVD_PORT = 49983;
export const INTERPRETER_PORT = 49999;
const TRAFFIC_HEADER = 'e2b-traffic-access-token';

export type Target = { readonly sandboxId: string; readonly port: number };

/** A host name that names a sandbox wins over the headers; without a port it is the daemon's. Undefined: not for a sandbox. */
export function targetOf(req: IncomingMessage): Target | undefined {
  const label = /^(\d{1,5})-([a-z0-9]+)(?:-[a-z0-9]+)?\./i.exec(req.headers.host ?? '');
  if (label?.[1] !== undefined && label[2] !== undefined) {
    return { sandboxId: label[2].toLowerCase(), port: Number(label[1]) };
  }
  const id = req.headers['e2b-sandbox-id'];
  if (typeof id !== 'string' || id === '') return undefined;
  return { sandboxId: withoutClient(id), port: Number(req.headers['e2b-sandbox-port'] ?? ENVD_PORT) };
}

/** Older SDKs write `<id>-<client>`. */
function withoutClient(id: string): string {
  return id.split('-', 1)[0] ?? id;
}

export type Signed = {
  readonly path: string;
  readonly operation: 'read' | 'write';
  readonly username: string;
  readonly signature: string;
  readonly expiration: string | undefined;
};

/** A signed file request; undefined when there is no signature. */
export function signedFile(method: string | undefined, query: URLSearchParams): Signed | undefined {
  const signature = query.get('signature');
  if (signature === null) return undefined;
  return {
    path: query.get('path') ?? '',
    operation: method === 'POST' ? 'write' : 'read',
    username: query.get('username') ?? '',
    signature,
    expiration: query.get('signature_expiration') ?? undefined,
  };
}

export function signatureFits(signed: Signed, token: string): boolean {
  const parts = [signed.path, signed.operation, signed.username, token];
  if (signed.expiration !== undefined) parts.push(signed.expiration);
  const hash = createHash('sha256').update(parts.join(':')).digest('base64').replace(/=+$/, '');
  return same(signed.signature.replace(/=+$/, ''), `v1_${hash}`);
}

/** `proxy`: in the words of the proxy before the sandboxes, which shows browsers a page. */
export type Refusal =
  | { readonly from: 'proxy'; readonly status: number; readonly message: string; readonly title: string }
  | { readonly from: 'daemon'; readonly status: 401; readonly message: string };
const proxy = (status: number, title: string, message: string): Refusal => ({ from: 'proxy', status, title, message });
const daemon = (message: string): Refusal => ({ from: 'daemon', status: 401, message });

/** The daemon's own paths that only the cloud itself may call. */
const INTERNAL = new Set(['/init', '/upgrade', '/freeze', '/unfreeze', '/fsfreeze', '/fsthaw', '/collapse']);

export function refusedRoute(port: number, path: string): Refusal | undefined {
  if (port !== ENVD_PORT || !INTERNAL.has(posix.resolve('/', path))) return undefined;
  const message = 'This endpoint is reserved for the E2B control plane and is not reachable through the sandbox URL';
  return proxy(404, 'Endpoint Not Available', message);
}

/** Asked before a paused sandbox is woken: what would be refused must not wake it. */
export function refusedWake(sandbox: Sandbox, port: number, headers: IncomingHttpHeaders): Refusal | undefined {
  const needed = port === ENVD_PORT ? sandbox.envdAccessToken : sandbox.trafficAccessToken;
  const given = headers[port === ENVD_PORT ? 'x-access-token' : TRAFFIC_HEADER];
  if (needed === undefined || (typeof given === 'string' && same(given, needed))) return undefined;
  const message = "This sandbox can't be resumed with the credentials provided. Check your access token and try again.";
  return proxy(403, 'Unable to Resume Sandbox', message);
}

/** To a port other than the daemon's. */
export function refusedTraffic(sandbox: Sandbox, port: number, headers: IncomingHttpHeaders): Refusal | undefined {
  const needed = sandbox.trafficAccessToken;
  const given = headers[TRAFFIC_HEADER];
  if (needed !== undefined) {
    const secured = 'Sandbox is secured with traffic access token.';
    if (typeof given !== 'string' || given === '') {
      return proxy(403, 'Missing Traffic Access Token', `${secured} Token header '${TRAFFIC_HEADER}' is missing`);
    }
    if (!same(given, needed)) {
      const message = `${secured} Provided token in header '${TRAFFIC_HEADER}' is invalid`;
      return proxy(403, 'Invalid Traffic Access Token', message);
    }
  }
  // The interpreter's client sends the access token with some calls only: a wrong one is refused, none is not.
  const token = headers['x-access-token'];
  const wrong =
    typeof token === 'string' && sandbox.envdAccessToken !== undefined && !same(token, sandbox.envdAccessToken);
  return port === INTERPRETER_PORT && wrong ? proxy(403, 'Invalid Access Token', 'invalid access token') : undefined;
}

/** In the daemon's order: the header, else for files the signature, then its expiry. */
export function refusedByDaemon(
  sandbox: Sandbox,
  req: Pick<IncomingMessage, 'method' | 'headers'>,
  url: URL,
  nowMs: number,
): Refusal | undefined {
  const token = sandbox.envdAccessToken;
  const header = req.headers['x-access-token'];
  if (token === undefined || (req.method === 'GET' && url.pathname === '/health')) return undefined;
  const given = typeof header === 'string' ? header : '';
  if (url.pathname !== '/files') {
    if (same(given, token)) return undefined;
    return daemon('unauthorized access, please provide a valid access token or method signing if supported');
  }
  if (given !== '') {
    return same(given, token) ? undefined : daemon('access token present in header but does not match');
  }
  const signed = signedFile(req.method, url.searchParams);
  if (signed === undefined) return daemon('missing signature query parameter');
  if (!signatureFits(signed, token)) return daemon('invalid signature');
  const expiration = signed.expiration === undefined ? Number.POSITIVE_INFINITY : Number(signed.expiration);
  return expiration >= Math.floor(nowMs / 1000) ? undefined : daemon('signature is already expired');
}

export function same(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
