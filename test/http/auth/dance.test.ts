// The whole flow of a sign-in against the OAuth front: discovery, registration, consent, tokens, calls, refresh.
import { expect, it } from 'vitest';
import {
  agree,
  askFor,
  CALLBACK,
  newPkce,
  openPage,
  postForm,
  postToken,
  refreshWith,
  register,
  serveFront,
  signIn,
  whoAmI,
} from '../../support/front.ts';
import { newKey } from '../../support/gateway.ts';

it('a client signs in, calls, refreshes and calls again', async () => {
  const { url, world } = await serveFront();
  const key = newKey();
  const { clientId, answered, tokens, status } = await signIn(url, { form: { key } });
  expect(answered.status).toBe(303);
  expect(answered.location).toMatch(new RegExp(`^${CALLBACK}\\?code=`));
  expect(answered.answer.get('state')).toBe('the-state');
  expect(answered.answer.get('iss')).toBe(url);
  expect(status).toBe(200);
  expect(tokens).toMatchObject({ token_type: 'Bearer', expires_in: 3600, scope: 'e2b:read e2b:write' });
  expect(world.keysAsked).toEqual([key]);

  const byToken = await whoAmI(url, tokens.access_token ?? '');
  expect(byToken.body).toMatchObject({ scopes: ['read', 'write'], proof: 'token' });
  const byKey = await whoAmI(url, key);
  expect(byKey.body).toEqual({ ...byToken.body, proof: 'key' });

  const refreshed = await refreshWith(url, clientId, tokens.refresh_token ?? '');
  expect(refreshed.status).toBe(200);
  expect(refreshed.body.refresh_token).not.toBe(tokens.refresh_token);
  expect((await whoAmI(url, refreshed.body.access_token ?? '')).body).toEqual(byToken.body);
});

it('the user deselects write: the token has only read, also after a refresh that asks for more', async () => {
  const { url } = await serveFront();
  const { clientId, tokens } = await signIn(url, { form: { write: undefined } });
  expect(tokens.scope).toBe('e2b:read');
  expect((await whoAmI(url, tokens.access_token ?? '')).body.scopes).toEqual(['read']);
  const { body } = await refreshWith(url, clientId, tokens.refresh_token ?? '', { scope: 'e2b:read e2b:write' });
  expect(body.scope).toBe('e2b:read');
});

it('a refresh with fewer scopes does not change the grant', async () => {
  const { url } = await serveFront();
  const { clientId, tokens } = await signIn(url);
  const narrow = await refreshWith(url, clientId, tokens.refresh_token ?? '', { scope: 'e2b:read' });
  expect(narrow.body.scope).toBe('e2b:read');
  const full = await refreshWith(url, clientId, narrow.body.refresh_token ?? '');
  expect(full.body.scope).toBe('e2b:read e2b:write');
});

it('a form cannot grant more than was asked for, and write includes read', async () => {
  const { url } = await serveFront();
  const { page, tokens } = await signIn(url, { ask: { scope: 'e2b:read' } });
  expect(page.html).not.toContain('name="write"');
  expect(tokens.scope).toBe('e2b:read');
  expect((await signIn(url, { ask: { scope: 'e2b:write' }, form: { read: undefined } })).tokens.scope).toBe(
    'e2b:read e2b:write',
  );
});

it('no scope is selected: the page is shown again, and there is no code', async () => {
  const { url, world } = await serveFront();
  const { answered } = await signIn(url, { form: { read: undefined, write: undefined } });
  expect(answered).toMatchObject({ status: 400, location: null });
  expect(answered.html).toMatch(/role="alert"[^>]*>Choose at least one/);
  expect(world.keysAsked).toEqual([]);
});

it('the user declines: access_denied with state and iss, and no request to E2B', async () => {
  const { url, world } = await serveFront();
  const { answered } = await signIn(url, { form: { decision: 'deny', key: undefined } });
  expect(answered.status).toBe(303);
  expect(Object.fromEntries(answered.answer)).toMatchObject({ error: 'access_denied', state: 'the-state', iss: url });
  expect(world.keysAsked).toEqual([]);
});

it('a refused and a malformed key: the same page again, without the key in it', async () => {
  const { url, world } = await serveFront();
  const { challenge } = newPkce();
  const { body } = await register(url);
  const { request } = await openPage(url, askFor(body.client_id, challenge));
  world.verdict = 'refused';
  const key = newKey();
  const refused = await postForm(url, agree(request, { key }));
  const malformed = await postForm(url, agree(request, { key: 'not a key' }));
  expect(refused).toMatchObject({ status: 400, location: null });
  expect(refused.html).toBe(malformed.html);
  expect(refused.html).not.toContain(key);
  world.verdict = 'unavailable';
  const unavailable = await postForm(url, agree(request));
  expect(unavailable.status).toBe(503);
  expect(unavailable.html).toContain('E2B did not answer');
  world.verdict = 'valid';
  expect((await postForm(url, agree(request))).answer.has('code')).toBe(true);
});

it('a key revoked at E2B ends the grant at the next refresh; an outage of E2B does not', async () => {
  const { url, world } = await serveFront();
  const { clientId, tokens } = await signIn(url);
  world.verdict = 'unavailable';
  const later = await refreshWith(url, clientId, tokens.refresh_token ?? '');
  expect(later).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
  expect(later.headers.get('retry-after')).toMatch(/^\d+$/);
  world.verdict = 'refused';
  const dead = await refreshWith(url, clientId, tokens.refresh_token ?? '');
  expect(dead).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
});

it('after E2B refused a key in a call, earlier tokens get 401; the key itself and new tokens do not', async () => {
  const { url, front, world } = await serveFront();
  const key = newKey();
  const { tokens } = await signIn(url, { form: { key } });
  const { body } = await whoAmI(url, tokens.access_token ?? '');
  world.nowMs += 5_000;
  front.keyRefused({ id: String(body.id), apiKey: key, scopes: [], proof: 'token', expiresAtMs: undefined });
  const refused = await whoAmI(url, tokens.access_token ?? '');
  expect(refused.status).toBe(401);
  expect(refused.challenge).toContain('error="invalid_token"');
  expect((await whoAmI(url, key)).status).toBe(200);
  expect((await whoAmI(url, (await signIn(url, { form: { key } })).tokens.access_token ?? '')).status).toBe(200);
});

it('a client with a secret must send it, in the form or with Basic authentication', async () => {
  const { url } = await serveFront();
  const metadata = { token_endpoint_auth_method: 'client_secret_post' };
  const { client, clientId, tokens, status } = await signIn(url, { metadata });
  expect(client).toMatchObject({ token_endpoint_auth_method: 'client_secret_post', client_secret_expires_at: 0 });
  expect(status).toBe(200);
  const refresh = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' };
  const basic = (secret: string) => ({
    Authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`,
  });
  expect((await postToken(url, refresh, basic(String(client.client_secret)))).status).toBe(200);
  const wrong = await postToken(url, refresh, basic('wrong'));
  expect(wrong).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  expect(wrong.headers.get('www-authenticate')).toMatch(/^Basic/);
  expect((await refreshWith(url, clientId, tokens.refresh_token ?? '')).body.error).toBe('invalid_client');
});

it('the page of the gateway itself signs in as a public client', async () => {
  const { url } = await serveFront();
  const { verifier, challenge } = newPkce();
  const page = await openPage(url, askFor(`${url}/`, challenge, { redirect_uri: `${url}/` }));
  expect(page.status).toBe(200);
  const { answer, location } = await postForm(url, agree(page.request));
  expect(location).toMatch(new RegExp(`^${url}/\\?code=`));
  const { status } = await postToken(url, {
    grant_type: 'authorization_code',
    code: answer.get('code') ?? '',
    client_id: `${url}/`,
    redirect_uri: `${url}/`,
    code_verifier: verifier,
  });
  expect(status).toBe(200);
  expect((await register(url, { redirect_uris: [`${url}/`] })).status).toBe(201);
});
