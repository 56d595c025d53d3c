// Who may talk to a sandbox's daemon: the access token, or a signature made with it. Also which sandbox
// and port a request means. Pure.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Sandbox } from '../cloud.ts';

export const ENVD_PORT = 49983;
export const INTERPRETER_PORT = 49999;

export type Target = { readonly sandboxId: string; readonly port: number };

/** The headers win over the host name; without a port it is the daemon's. Undefined: not for a sandbox. */
export function targetOf(req: IncomingMessage): Target | undefined {
  const id = req.headers['e2b-sandbox-id'];
  if (typeof id === 'string' && id !== '') {
    const port = Number(req.headers['e2b-sandbox-port'] ?? ENVD_PORT);
    return { sandboxId: withoutClient(id), port };
  }
  const label = /^(\d{1,5})-([a-z0-9]+)(?:-[a-z0-9]+)?\./i.exec(req.headers.host ?? '');
  if (label?.[1] === undefined || label[2] === undefined) return undefined;
  return { sandboxId: label[2].toLowerCase(), port: Number(label[1]) };
}

/** `<id>-<client>`, as older SDKs say it. */
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

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly message: string };

const OK: Verdict = { ok: true };

/** The daemon's order: the header, else the signature, then its expiry. */
export function mayUseDaemon(sandbox: Sandbox, header: unknown, signed: Signed | undefined, nowMs: number): Verdict {
  const token = sandbox.envdAccessToken;
  if (token === undefined) return OK;
  if (typeof header === 'string' && header !== '') return same(header, token) ? OK : refuse('invalid access token');
  if (signed === undefined) return refuse('missing access token: send X-Access-Token, or sign the URL');
  if (!signatureFits(signed, token)) return refuse('invalid signature');
  const expiration = signed.expiration === undefined ? Number.POSITIVE_INFINITY : Number(signed.expiration);
  return expiration * 1000 > nowMs ? OK : refuse('signature is already expired');
}

function refuse(message: string): Verdict {
  return { ok: false, message };
}

export function same(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
