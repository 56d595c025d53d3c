// The OAuth front with the gateway's real HTTP app and an MCP endpoint that only returns its caller: everything that sign-in
// needs, without engines. And the two other parties of a sign-in: a user with a browser, and a client.
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { E2B } from '../../src/e2b/api.ts';
import { createApp } from '../../src/http/app.ts';
import type { OAuthRecord } from '../../src/http/auth/events.ts';
import { createOAuthFront, type FrontOptions } from '../../src/http/auth/front.ts';
import { Drain } from '../../src/http/drain.ts';
import type { Principal } from '../../src/principal.ts';
import type { KeyVerdict } from '../../src/upstream/key-check.ts';
import { expectNoKeys, memoryLog, newKey } from './gateway.ts';

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

export const newRing = (kid = 'k1') => ({ kid, secret: new Uint8Array(randomBytes(32)) });

type Options = Partial<FrontOptions> & { readonly publicUrl?: string; readonly trustProxy?: number };

/** Can be changed during a test: E2B's verdict about keys, and the time. */
type World = { verdict: KeyVerdict; keysAsked: string[]; nowMs: number; readonly events: OAuthRecord[] };

export async function serveFront(options: Options = {}) {
  const memory = memoryLog();
  const world: World = { verdict: 'valid', keysAsked: [], nowMs: Date.now(), events: [] };
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const front = createOAuthFront({
    issuer: options.publicUrl ?? url,
    ring: [newRing()],
    redirects: [],
    documents: 'any',
    rawKeys: true,
    notBeforeMs: 0,
    rates: { pages: 0, keys: 0, tokens: 0 },
    api: E2B,
    checkKey: async key => {
      world.keysAsked.push(key);
      return world.verdict;
    },
    redis: undefined,
    log: memory.log,
    now: () => world.nowMs,
    onEvent: record => void world.events.push(record),
    ...options,
  });
  const app = createApp({
    auth: front.authenticator,
    mcp: (request, response) => {
      const { auth } = request as typeof request & { auth: { extra: { principal: Principal } } };
      const { id, scopes, proof } = auth.extra.principal;
      response.json({ id, scopes, proof });
    },
    debug: undefined,
    metrics: undefined,
    limits: (_request, _response, next) => next(),
    signIn: front.routes,
    drain: new Drain(),
    allowedHosts: options.publicUrl === undefined ? LOOPBACK : ['*'],
    allowedOrigins: LOOPBACK,
    maxBodyBytes: 10_000,
    trustProxy: options.trustProxy ?? 0,
    log: memory.log,
  });
  server.on('request', app as RequestListener);
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
    await front.close();
    expectNoKeys(memory.lines);
  });
  return { url, issuer: options.publicUrl ?? url, front, world, ...memory };
}

// --- The client -----------------------------------------------------------------------------------------------------

export const CALLBACK = 'http://127.0.0.1:43210/callback';

export const newPkce = () => {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
};

export async function register(url: string, metadata: Record<string, unknown> = {}) {
  const response = await fetch(`${url}/register`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ client_name: 'Test client', redirect_uris: [CALLBACK], ...metadata }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> & { client_id: string } };
}

export type Ask = Readonly<Record<string, string | undefined>>;

export const askFor = (clientId: string, challenge: string, more: Ask = {}): Ask => ({
  response_type: 'code',
  client_id: clientId,
  redirect_uri: CALLBACK,
  code_challenge: challenge,
  code_challenge_method: 'S256',
  state: 'the-state',
  ...more,
});

export function queryOf(parameters: Ask): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.append(name, value);
  return query.toString();
}

export async function postToken(url: string, parameters: Ask, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}/token`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
    body: queryOf(parameters),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, string>,
  };
}

/** The response of the MCP endpoint to a call with this credential. */
export async function whoAmI(url: string, credential: string) {
  const response = await fetch(`${url}/mcp`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${credential}`, 'Content-Type': 'application/json' },
    body: '{"jsonrpc":"2.0"}',
  });
  return {
    status: response.status,
    challenge: response.headers.get('www-authenticate'),
    body: (await response.json()) as Record<string, unknown>,
  };
}

// --- The user -------------------------------------------------------------------------------------------------------

export async function openPage(url: string, parameters: Ask) {
  const response = await fetch(`${url}/authorize?${queryOf(parameters)}`, { redirect: 'manual' });
  const html = await response.text();
  const request = /name="request" value="([^"]*)"/.exec(html)?.[1] ?? '';
  const location = response.headers.get('location');
  return { status: response.status, headers: response.headers, html, request, location };
}

export async function postForm(url: string, fields: Ask, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}/authorize`, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: new URL(url).origin, ...headers },
    body: queryOf(fields),
  });
  const location = response.headers.get('location');
  const answer = new URLSearchParams(location === null ? '' : new URL(location).search);
  return { status: response.status, headers: response.headers, html: await response.text(), location, answer };
}

export const agree = (request: string, more: Ask = {}): Ask => ({
  request,
  read: 'on',
  write: 'on',
  key: newKey(),
  decision: 'allow',
  ...more,
});

/** A whole sign-in: registration, page, form, code, tokens. */
export async function signIn(
  url: string,
  { ask = {}, form = {}, metadata = {} }: { ask?: Ask; form?: Ask; metadata?: Record<string, unknown> } = {},
) {
  const { body: client } = await register(url, metadata);
  const { verifier, challenge } = newPkce();
  const page = await openPage(url, askFor(client.client_id, challenge, ask));
  const answered = await postForm(url, agree(page.request, form));
  const code = answered.answer.get('code') ?? '';
  const redeem: Ask = {
    grant_type: 'authorization_code',
    code,
    client_id: client.client_id,
    redirect_uri: ask.redirect_uri ?? CALLBACK,
    code_verifier: verifier,
    ...(typeof client.client_secret === 'string' && { client_secret: client.client_secret }),
  };
  const tokens = await postToken(url, redeem);
  return {
    clientId: client.client_id,
    client,
    verifier,
    page,
    answered,
    code,
    redeem,
    tokens: tokens.body,
    status: tokens.status,
  };
}

export const refreshWith = (url: string, clientId: string, refreshToken: string, more: Ask = {}) =>
  postToken(url, { grant_type: 'refresh_token', client_id: clientId, refresh_token: refreshToken, ...more });

export const getJson = async (url: string, headers: Record<string, string> = {}) => {
  const response = await fetch(url, { headers });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
};

export const PRM = '/.well-known/oauth-protected-resource';
export const AS = '/.well-known/oauth-authorization-server';
