// Known problems of other servers with registration and tokens, each with the behaviour that avoids it. B25 (a
// proxy that routes /mcp/* but not /mcp) is about proxies; docs/operations.md lists the paths.
import { describe, expect, it } from 'vitest';
import {
  AS,
  agree,
  askFor,
  CALLBACK,
  getJson,
  newPkce,
  newRing,
  openPage,
  PRM,
  postForm,
  postToken,
  refreshWith,
  register,
  serveFront,
  signIn,
  whoAmI,
} from '../../support/front.ts';
import { newKey } from '../../support/gateway.ts';

const PUBLIC = 'https://gateway.example';
const CLAUDE = 'https://claude.ai/oauth/mcp-oauth-client-metadata';

it('B14: a refresh works without resource and scope as well as with them', async () => {
  const { url } = await serveFront();
  const { clientId, tokens } = await signIn(url);
  const bare = await refreshWith(url, clientId, tokens.refresh_token ?? '');
  expect(bare.body.scope).toBe('e2b:read e2b:write');
  const full = { scope: 'e2b:read e2b:write offline_access', resource: `${url}/mcp` };
  expect((await refreshWith(url, clientId, tokens.refresh_token ?? '', full)).status).toBe(200);
});

it('B15: two processes that refresh with one token at the same time both get new tokens', async () => {
  const { url } = await serveFront();
  const { clientId, tokens } = await signIn(url);
  const both = await Promise.all([1, 2].map(() => refreshWith(url, clientId, tokens.refresh_token ?? '')));
  for (const { status, body } of both) {
    expect(status).toBe(200);
    expect((await refreshWith(url, clientId, body.refresh_token ?? '')).status).toBe(200);
  }
});

it('B16: a refresh token is always given, and offline_access is only in the server metadata', async () => {
  const { url } = await serveFront();
  expect((await signIn(url)).tokens.refresh_token).toBeTruthy();
  expect((await getJson(url + AS)).body.scopes_supported).toContain('offline_access');
  expect((await getJson(url + PRM)).body.scopes_supported).toEqual(['e2b:read', 'e2b:write']);
});

it.each([
  ['a form', 'application/x-www-form-urlencoded'],
  ['a form with a charset', 'application/x-www-form-urlencoded; charset=UTF-8'],
  ['a malformed type', ';;;/'],
  ['JSON', 'application/json'],
  ['an unknown charset', 'application/x-www-form-urlencoded; charset=x-none'],
])('B17: /token accepts %s, and never responds with 415 or 500', async (_title, type) => {
  const { url } = await serveFront();
  const { redeem } = await signIn(url);
  const { status } = await postToken(url, { ...redeem, code: 'none' }, { 'Content-Type': type });
  expect(status).toBe(400);
});

it.each([
  '',
  'grant_type=authorization_code',
  '%',
  '=&=&',
  'grant_type=a&grant_type=b',
  '{"grant_type":"refresh_token"}',
  '\0',
])('B17: an invalid body, %j, gets a 4xx error', async body => {
  const { url } = await serveFront();
  const response = await fetch(`${url}/token`, { method: 'POST', body });
  expect([400, 401]).toContain(response.status);
  expect(await response.json()).toHaveProperty('error');
});

it('B18: an expired refresh token gets invalid_grant (400), an unknown client invalid_client (401)', async () => {
  const { url, world } = await serveFront();
  const { clientId, tokens } = await signIn(url);
  expect(await refreshWith(url, clientId, 'e2bmcp_dead')).toMatchObject({
    status: 400,
    body: { error: 'invalid_grant' },
  });
  expect(await refreshWith(url, 'e2bmcp_unknown', tokens.refresh_token ?? '')).toMatchObject({
    status: 401,
    body: { error: 'invalid_client' },
  });
  world.nowMs += 31 * 86_400_000;
  expect((await refreshWith(url, clientId, tokens.refresh_token ?? '')).body.error).toBe('invalid_grant');
});

it('B19: the response to a registration has no null, and its numbers are integers', async () => {
  const { url } = await serveFront();
  const nulls = { client_name: null, token_endpoint_auth_method: null, logo_uri: null, contacts: null, scope: null };
  for (const metadata of [nulls, { token_endpoint_auth_method: 'client_secret_post' }]) {
    const { status, body } = await register(url, metadata);
    expect(status).toBe(201);
    expect(Object.values(body)).not.toContain(null);
    expect(Number.isInteger(body.client_id_issued_at)).toBe(true);
    expect(body.client_secret_expires_at).toBe(body.client_secret === undefined ? undefined : 0);
  }
});

it('the response to a registration has no registration_client_uri, because no registration is stored', async () => {
  const { url } = await serveFront();
  const { status, body } = await register(url, {});
  expect(status).toBe(201);
  expect(Object.keys(body).filter(name => name.startsWith('registration_'))).toEqual([]);
});

it("B20: iss is advertised and sent, and ChatGPT's callback of each connection is accepted", async () => {
  const { url } = await serveFront();
  expect((await getJson(url + AS)).body.authorization_response_iss_parameter_supported).toBe(true);
  expect((await signIn(url)).answered.answer.get('iss')).toBe(url);
  const perConnection = 'https://chatgpt.com/connector/oauth/aBc_123-x';
  expect((await register(url, { redirect_uris: [perConnection] })).body.redirect_uris).toEqual([perConnection]);
});

it("B21: ChatGPT's document, which prefers private_key_jwt but also lists none, is accepted as a public client", async () => {
  const { readClientDocument } = await import('../../../src/http/auth/client-document.ts');
  const id = 'https://chatgpt.com/oauth/abc/client.json';
  const document = {
    client_id: id,
    client_name: 'ChatGPT',
    redirect_uris: ['https://chatgpt.com/connector/oauth/abc'],
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
    jwks_uri: 'https://chatgpt.com/oauth/jwks.json',
  };
  expect(readClientDocument(JSON.stringify(document), id)).toMatchObject({ name: 'ChatGPT' });
});

it('B22: after a rotation of keys, earlier tokens and clients still work', async () => {
  const [old, fresh] = [newRing('old'), newRing('fresh')];
  const before = await serveFront({ ring: [old], publicUrl: PUBLIC });
  const form = (url: string, request: string) => postForm(url, agree(request), { Origin: PUBLIC });
  const { body: client } = await register(before.url);
  const { verifier, challenge } = newPkce();
  const { request } = await openPage(before.url, askFor(client.client_id, challenge));
  const code = (await form(before.url, request)).answer.get('code') ?? '';
  const after = await serveFront({ ring: [fresh, old], publicUrl: PUBLIC });
  const redeem = {
    grant_type: 'authorization_code',
    code,
    client_id: client.client_id,
    redirect_uri: CALLBACK,
    code_verifier: verifier,
  };
  const tokens = await postToken(after.url, redeem);
  expect(tokens.status).toBe(200);
  const later = await serveFront({ ring: [fresh], publicUrl: PUBLIC });
  expect((await whoAmI(later.url, tokens.body.access_token ?? '')).status).toBe(200);
  // Only values that are still encrypted with the old key are lost with it: the client's id.
  expect(await refreshWith(later.url, client.client_id, tokens.body.refresh_token ?? '')).toMatchObject({
    status: 401,
  });
});

it.each([
  ['GET', PRM],
  ['GET', `${PRM}/mcp`],
  ['GET', AS],
  ['GET', `${AS}/mcp`],
  ['POST', '/register'],
  ['POST', '/token'],
  ['POST', '/revoke'],
])('B23: a page of any origin may call %s %s, preflight included', async (method, path) => {
  const { url } = await serveFront();
  const headers = { Origin: 'https://browser-client.example' };
  const preflight = await fetch(url + path, {
    method: 'OPTIONS',
    headers: {
      ...headers,
      'Access-Control-Request-Method': method,
      'Access-Control-Request-Headers': 'mcp-protocol-version',
    },
  });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
  expect(preflight.headers.get('access-control-allow-methods')).toContain(method);
  expect(preflight.headers.get('access-control-allow-headers')?.toLowerCase()).toContain('mcp-protocol-version');
  const answer = await fetch(url + path, { method, headers });
  expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
});
it('B23: no other page may call /authorize', async () => {
  const { url } = await serveFront();
  const answer = await fetch(`${url}/authorize`, { headers: { Origin: 'https://browser-client.example' } });
  expect(answer.headers.get('access-control-allow-origin')).toBeNull();
});

it('B24: two tabs, or a page loaded twice: both forms work', async () => {
  const { url } = await serveFront();
  const { body } = await register(url);
  const ask = askFor(body.client_id, newPkce().challenge);
  const [first, second] = [await openPage(url, ask), await openPage(url, ask)];
  for (const { request } of [second, first])
    expect((await postForm(url, agree(request))).answer.has('code')).toBe(true);
});

it('B26: an app whose document cannot be loaded and an unknown app get different errors', async () => {
  const network = { lookup: ((_n: string, _o: object, done: (e: Error) => void) => done(new Error('none'))) as never };
  const { url, world } = await serveFront({ network });
  const ask = (id: string) => openPage(url, askFor(id, newPkce().challenge));
  expect((await ask('https://app.example.com/c')).status).toBe(503);
  expect((await ask('nobody')).status).toBe(400);
  expect(world.events.map(({ outcome }) => outcome)).toEqual(['oauth_client_unreachable', 'oauth_client_unknown']);
});

it("B27: values in URLs are short, and a state that is too long is refused at the app's callback", async () => {
  const { url } = await serveFront();
  const { code, clientId } = await signIn(url);
  expect(clientId.length).toBeLessThan(400);
  expect(code.length).toBeLessThan(800);
  const { challenge } = newPkce();
  expect((await openPage(url, askFor(clientId, challenge, { state: 's'.repeat(2_048) }))).status).toBe(200);
  const { status, location } = await openPage(url, askFor(clientId, challenge, { state: 's'.repeat(2_049) }));
  expect(status).toBe(303);
  expect(new URL(location ?? '').searchParams.get('error')).toBe('invalid_request');
});

describe('further cases', () => {
  it('a registration is valid as long as its encryption key is configured, even years later', async () => {
    const { url, world } = await serveFront();
    const { body } = await register(url);
    world.nowMs += 3 * 365 * 86_400_000;
    expect((await openPage(url, askFor(body.client_id, newPkce().challenge))).status).toBe(200);
  });

  it('a document is never fetched at /token', async () => {
    const { url } = await serveFront({ network: { lookup: (() => expect.unreachable()) as never } });
    const { challenge, verifier } = newPkce();
    const callback = 'https://claude.ai/api/mcp/auth_callback';
    const { request } = await openPage(url, askFor(CLAUDE, challenge, { redirect_uri: callback }));
    const code = (await postForm(url, agree(request, { key: newKey() }))).answer.get('code') ?? '';
    const redeem = {
      grant_type: 'authorization_code',
      code,
      client_id: CLAUDE,
      redirect_uri: callback,
      code_verifier: verifier,
    };
    expect((await postToken(url, redeem)).status).toBe(200);
  });

  it.each(['state with spaces & signs = + % # " < ü 🚀', "a'b\\c"])('state is returned unchanged: %s', async state => {
    const { url } = await serveFront();
    for (const form of [{}, { decision: 'deny' }]) {
      const { answered } = await signIn(url, { ask: { state }, form });
      expect(answered.answer.get('state')).toBe(state);
      expect(answered.location).not.toContain('+');
    }
  });

  it('without a state, none is returned', async () => {
    const { url } = await serveFront();
    expect((await signIn(url, { ask: { state: undefined } })).answered.answer.has('state')).toBe(false);
  });
});
