// Who may talk to a sandbox: the daemon's access token or a signature made with it, and the traffic token of private
// ports. Also which sandbox and port a request means. Pure.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { posix } from 'node:path';
import type { Sandbox } from '../cloud.ts';

export const ENVD_PORT = 49983;
export const INTERPRETER_PORT = 49999;
const TRAFFIC_HEADER = 'e2b-traffic-access-token';

/** `sandboxId`: undefined when no sandbox has signed the request. */
export type Target = { readonly sandboxId: string | undefined; readonly port: number };

/** A host name that names a sandbox wins over the headers; without a port it is the daemon's. Undefined: not for a sandbox. */
export function targetOf(req: IncomingMessage): Target | undefined {
  const label = /^(\d{1,5})-([a-z0-9]+)(?:-[a-z0-9]+)?\./i.exec(req.headers.host ?? '');
  if (label?.[1] !== undefined && label[2] !== undefined) {
    return { sandboxId: label[2].toLowerCase(), port: Number(label[1]) };
  }
  const id = req.headers['e2b-sandbox-id'];
  if (typeof id !== 'string' || id === '') return undefined;
  // Older SDKs write `<id>-<client>`.
  return { sandboxId: id.split('-', 1)[0], port: Number(req.headers['e2b-sandbox-port'] ?? ENVD_PORT) };
}

/** Whether the signature of a file request was made with the token. False when there is none. */
export function isSignedBy(token: string, method: string | undefined, query: URLSearchParams): boolean {
  const operation = method === 'POST' ? 'write' : 'read';
  const expiration = query.get('signature_expiration');
  const parts = [query.get('path') ?? '', operation, query.get('username') ?? '', token];
  const text = (expiration === null ? parts : [...parts, expiration]).join(':');
  const hash = createHash('sha256').update(text).digest('base64').replace(/=+$/, '');
  return same((query.get('signature') ?? '').replace(/=+$/, ''), `v1_${hash}`);
}

/** A request that goes no further. `page`: in the words of the proxy before the sandboxes, which shows browsers a page. */
export class Refusal extends Error {
  readonly status: number;
  /** E2B's title, and a sentence where the message is not for people. Undefined: the daemon's own refusal. */
  readonly page: { readonly title: string; readonly sentence?: string } | undefined;
  /** Shown with the message. */
  readonly about: Readonly<Record<string, unknown>>;
  constructor(status: number, message: string, page?: Refusal['page'], about: Refusal['about'] = {}) {
    super(message);
    this.status = status;
    this.page = page;
    this.about = about;
  }
}

export const sandboxNotFound = (sandboxId: string): Refusal =>
  new Refusal(502, 'The sandbox was not found', { title: 'Sandbox Not Found' }, { sandboxId });

/** The daemon's own paths that only the cloud itself may call. */
const INTERNAL = new Set(['/init', '/upgrade', '/freeze', '/unfreeze', '/fsfreeze', '/fsthaw', '/collapse']);

/** @throws Refusal */
export function checkRoute(port: number, path: string): void {
  if (port !== ENVD_PORT || !INTERNAL.has(posix.resolve('/', path))) return;
  const message = 'This endpoint is reserved for the E2B control plane and is not reachable through the sandbox URL';
  throw new Refusal(404, message, { title: 'Endpoint Not Available' }, { path });
}

/** Before a paused sandbox is woken: what would be refused must not wake it. @throws Refusal */
export function checkWake({ sandboxId, ...sandbox }: Sandbox, port: number, headers: IncomingHttpHeaders): void {
  const needed = port === ENVD_PORT ? sandbox.envdAccessToken : sandbox.trafficAccessToken;
  const given = headers[port === ENVD_PORT ? 'x-access-token' : TRAFFIC_HEADER];
  if (needed === undefined || (typeof given === 'string' && same(given, needed))) return;
  const message = "This sandbox can't be resumed with the credentials provided. Check your access token and try again.";
  throw new Refusal(403, message, { title: 'Unable to Resume Sandbox' }, { sandboxId });
}

/** To a port other than the daemon's. @throws Refusal */
export function checkTraffic(sandbox: Sandbox, port: number, headers: IncomingHttpHeaders): void {
  const { sandboxId, trafficAccessToken, envdAccessToken } = sandbox;
  const refuse = (title: string, message: string): never => {
    throw new Refusal(403, message, { title }, { sandboxId });
  };
  const given = String(headers[TRAFFIC_HEADER] ?? '');
  const secured = 'Sandbox is secured with traffic access token.';
  if (trafficAccessToken !== undefined && given === '') {
    refuse('Missing Traffic Access Token', `${secured} Token header '${TRAFFIC_HEADER}' is missing`);
  }
  if (trafficAccessToken !== undefined && !same(given, trafficAccessToken)) {
    refuse('Invalid Traffic Access Token', `${secured} Provided token in header '${TRAFFIC_HEADER}' is invalid`);
  }
  // The interpreter's client sends the access token with some calls only: a wrong one is refused, none is not.
  const token = headers['x-access-token'];
  const wrong = typeof token === 'string' && envdAccessToken !== undefined && !same(token, envdAccessToken);
  if (port === INTERPRETER_PORT && wrong) refuse('Invalid Access Token', 'invalid access token');
}

/** In the daemon's order: the header, else for files the signature, then its expiry. @throws Refusal */
export function checkDaemon(
  { envdAccessToken: token }: Sandbox,
  { method, headers }: Pick<IncomingMessage, 'method' | 'headers'>,
  { pathname, searchParams: query }: URL,
  nowMs: number,
): void {
  if (token === undefined || (method === 'GET' && pathname === '/health')) return;
  const given = String(headers['x-access-token'] ?? '');
  if (same(given, token)) return;
  if (pathname !== '/files') {
    throw unauthorized('unauthorized access, please provide a valid access token or method signing if supported');
  }
  if (given !== '') throw unauthorized('access token present in header but does not match');
  if (!query.has('signature')) throw unauthorized('missing signature query parameter');
  if (!isSignedBy(token, method, query)) throw unauthorized('invalid signature');
  const expiration = query.get('signature_expiration');
  const inTime = expiration === null || Number(expiration) >= Math.floor(nowMs / 1000);
  if (!inTime) throw unauthorized('signature is already expired');
}

export const unauthorized = (message: string): Refusal => new Refusal(401, message);

export function same(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
