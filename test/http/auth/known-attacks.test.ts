// Published attacks against servers like this one: on consent, callbacks and codes. A2 needs a further redirect to
// another login, which this server does not have. The rest is in known-attacks-inputs.test.ts.
import { describe, expect, it } from 'vitest';
import {
  type Ask,
  agree,
  askFor,
  CALLBACK,
  newPkce,
  openPage,
  postForm,
  postToken,
  queryOf,
  register,
  serveFront,
  signIn,
} from '../../support/front.ts';
import { newKey } from '../../support/gateway.ts';

const CLAUDE = 'https://claude.ai/oauth/mcp-oauth-client-metadata';
const CLAUDE_CODE = 'https://claude.ai/oauth/claude-code-client-metadata';

it('A1: consent cannot be skipped: cookies are neither set nor read, and the page is shown each time', async () => {
  const { url } = await serveFront();
  const { page, answered, clientId } = await signIn(url);
  for (const { headers } of [page, answered]) expect(headers.get('set-cookie')).toBeNull();
  const query = queryOf(askFor(clientId, newPkce().challenge, { prompt: 'none' }));
  const again = await fetch(`${url}/authorize?${query}`, {
    redirect: 'manual',
    headers: { Cookie: 'consent=yes; session=1' },
  });
  expect(again.status).toBe(200);
});

it('A3: a shared client id carries no consent either, and the response has the issuer', async () => {
  const { url } = await serveFront();
  const ask = () => openPage(url, askFor(CLAUDE_CODE, newPkce().challenge));
  const first = await ask();
  const { answer } = await postForm(url, agree(first.request));
  expect(answer.get('iss')).toBe(url);
  const second = await ask();
  expect(second.status).toBe(200);
  expect(second.html).toContain(`127.0.0.1:${new URL(CALLBACK).port}`);
});

describe('A4: the callback is checked before the page is shown, stored in the code, and compared at /token', () => {
  it.each([
    'https://evil.example/callback',
    'http://127.0.0.1:43210/other',
    'http://127.0.0.1:43210/callback/../x',
    'http://127.0.0.1:43210@evil.example/callback',
    'http://127.0.0.1.evil.example/callback',
    'http://127.0.0.1:43210/callback#x',
    'javascript:alert(1)',
    '',
  ])('%j is refused with a page of the gateway', async callback => {
    const { url } = await serveFront();
    const { body } = await register(url);
    const page = await openPage(url, askFor(body.client_id, newPkce().challenge, { redirect_uri: callback }));
    expect(page).toMatchObject({ status: 400, location: null, request: '' });
  });
  it.each([
    ['another', 'http://127.0.0.1:1/callback'],
    ['none', undefined],
  ])('%s at /token is invalid_grant', async (_t, callback) => {
    const { url } = await serveFront();
    const { redeem } = await signIn(url);
    expect((await postToken(url, { ...redeem, redirect_uri: callback })).body.error).toBe('invalid_grant');
  });
});

it.each([
  'javascript:alert(1)',
  'data:text/html,x',
  'vbscript:x',
  'file:///x',
  'http://evil.example/x',
  'https://evil.example/x',
])('A5: %s cannot be registered', async callback => {
  const { url } = await serveFront();
  expect(await register(url, { redirect_uris: [callback] })).toMatchObject({
    status: 400,
    body: { error: 'invalid_redirect_uri' },
  });
});

it('A6: an app that calls itself Claude is shown as not verified, and cannot use a web callback', async () => {
  const { url } = await serveFront();
  const { body } = await register(url, {
    client_name: 'Claude',
    redirect_uris: [CALLBACK, 'https://c1aude.example/cb'],
  });
  expect(body.redirect_uris).toEqual([CALLBACK]);
  const { html } = await openPage(url, askFor(body.client_id, newPkce().challenge));
  expect(html).toContain('the name is not verified');
  expect(html).toMatch(/class="host">127\.0\.0\.1:43210/);
});

it.each([
  'https://localhost/c',
  'https://127.0.0.1/c',
  'https://[::1]/c',
  'https://169.254.169.254/latest/meta-data',
  'http://app.example.com/c',
  'https://metadata.google.internal/x',
])('A7: %s is not fetched, because it is not a valid client id', async id => {
  const { url } = await serveFront({ network: { lookup: (() => expect.unreachable()) as never } });
  expect(await openPage(url, askFor(id, newPkce().challenge))).toMatchObject({ status: 400, location: null });
});

it('A8: the page warns if the response goes to a program on this computer', async () => {
  const { url } = await serveFront();
  const local = await openPage(url, askFor(CLAUDE_CODE, newPkce().challenge));
  expect(local.html).toContain('Continue only if you just started this');
  const web = await openPage(
    url,
    askFor(CLAUDE, newPkce().challenge, { redirect_uri: 'https://claude.ai/api/mcp/auth_callback' }),
  );
  expect(web.html).not.toContain('Continue only if');
});

it('A9: after the form the browser follows with GET (303), without the key', async () => {
  const { url } = await serveFront();
  const key = newKey();
  const { answered } = await signIn(url, { form: { key } });
  expect(answered.status).toBe(303);
  expect(answered.html).toBe('');
  expect(answered.location).not.toContain(key.slice(4));
});

describe('A10: a code', () => {
  const redeemWith = async (change: (redeem: Ask, url: string) => Ask | Promise<Ask>) => {
    const { url } = await serveFront();
    const { redeem } = await signIn2(url);
    return postToken(url, await change(redeem, url));
  };
  /** All steps except the last. */
  const signIn2 = async (url: string) => {
    const { body: client } = await register(url);
    const { verifier, challenge } = newPkce();
    const { request } = await openPage(url, askFor(client.client_id, challenge));
    const code = (await postForm(url, agree(request))).answer.get('code') ?? '';
    const redeem: Ask = {
      grant_type: 'authorization_code',
      code,
      client_id: client.client_id,
      redirect_uri: CALLBACK,
      code_verifier: verifier,
    };
    return { redeem };
  };

  it('works once', async () => {
    const { url } = await serveFront();
    const { redeem } = await signIn2(url);
    expect((await postToken(url, redeem)).status).toBe(200);
    expect((await postToken(url, redeem)).body.error).toBe('invalid_grant');
  });
  it('is not used up by a failed attempt', async () => {
    const { url } = await serveFront();
    const { redeem } = await signIn2(url);
    expect((await postToken(url, { ...redeem, code_verifier: newPkce().verifier })).body.error).toBe('invalid_grant');
    expect((await postToken(url, redeem)).status).toBe(200);
  });
  it.each<[string, (redeem: Ask, url: string) => Ask | Promise<Ask>, string]>([
    ['with another verifier', redeem => ({ ...redeem, code_verifier: newPkce().verifier }), 'invalid_grant'],
    ['with a short verifier', redeem => ({ ...redeem, code_verifier: 'x' }), 'invalid_grant'],
    ['without a verifier', redeem => ({ ...redeem, code_verifier: undefined }), 'invalid_request'],
    [
      'of another client',
      async (redeem, url) => ({ ...redeem, client_id: (await register(url)).body.client_id }),
      'invalid_grant',
    ],
    ['of a well-known client', redeem => ({ ...redeem, client_id: CLAUDE }), 'invalid_grant'],
    ['without a client', redeem => ({ ...redeem, client_id: undefined }), 'invalid_client'],
    ['for another resource', redeem => ({ ...redeem, resource: 'https://other.example/mcp' }), 'invalid_target'],
    ['cut off', redeem => ({ ...redeem, code: redeem.code?.slice(0, -1) }), 'invalid_grant'],
    [
      'as a refresh token',
      redeem => ({ ...redeem, grant_type: 'refresh_token', refresh_token: redeem.code }),
      'invalid_grant',
    ],
    ['of another grant type', redeem => ({ ...redeem, grant_type: 'password' }), 'unsupported_grant_type'],
  ])('%s is refused', async (_title, change, error) => {
    const { status, body } = await redeemWith(change);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(body.error).toBe(error);
  });
  it('expires after a minute', async () => {
    const { url, world } = await serveFront();
    const { redeem } = await signIn2(url);
    world.nowMs += 70_000;
    expect((await postToken(url, redeem)).body.error).toBe('invalid_grant');
  });
  it.each<[string, Ask, string]>([
    ['no PKCE', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    ['plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['PKCE of no named method', { code_challenge_method: undefined }, 'invalid_request'],
    ['a challenge of another length', { code_challenge: 'x'.repeat(42) }, 'invalid_request'],
    ['the implicit flow', { response_type: 'token' }, 'unsupported_response_type'],
    ['another resource', { resource: 'https://other.example/mcp' }, 'invalid_target'],
    ['a resource look-alike', { resource: 'http://127.0.0.1@other.example/mcp' }, 'invalid_target'],
    ['the response in a fragment', { response_mode: 'fragment' }, 'invalid_request'],
  ])('%s is not supported: the error is sent to the client’s callback', async (_title, more, error) => {
    const { url } = await serveFront();
    const { body } = await register(url);
    const { status, location, headers } = await openPage(url, askFor(body.client_id, newPkce().challenge, more));
    expect(status).toBe(303);
    expect(location?.startsWith(`${CALLBACK}?`)).toBe(true);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(Object.fromEntries(new URL(location ?? '').searchParams)).toMatchObject({
      error,
      state: 'the-state',
      iss: url,
    });
  });
});

it('A11: the issuer is exactly the same everywhere', async () => {
  const { url } = await serveFront();
  const [server, resource] = (await Promise.all(
    ['oauth-authorization-server', 'oauth-protected-resource'].map(async name =>
      (await fetch(`${url}/.well-known/${name}`)).json(),
    ),
  )) as Record<string, unknown>[];
  const { answered } = await signIn(url, { form: { decision: 'deny' } });
  expect(new Set([server?.issuer, [resource?.authorization_servers].flat()[0], answered.answer.get('iss')])).toEqual(
    new Set([url]),
  );
});

describe('A12: only the gateway’s own page may send the form', () => {
  it.each<[string, Record<string, string>]>([
    ['another origin', { Origin: 'https://evil.example' }],
    ['an origin that is hidden', { Origin: 'null' }],
    ['the same host on another port', { Origin: 'http://127.0.0.1:1' }],
    ['another site, by Sec-Fetch-Site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['the same site, by Sec-Fetch-Site', { 'Sec-Fetch-Site': 'same-site' }],
    ['no page, by Sec-Fetch-Site', { 'Sec-Fetch-Site': 'none' }],
  ])('a form from %s is refused, and no request is sent to E2B', async (_title, headers) => {
    const { url, world } = await serveFront();
    const { body } = await register(url);
    const { request } = await openPage(url, askFor(body.client_id, newPkce().challenge));
    const posted = await postForm(url, agree(request), headers);
    expect(posted).toMatchObject({ status: 403, location: null });
    expect(world.keysAsked).toEqual([]);
  });
  it('a form without Origin and Sec-Fetch-Site is refused', async () => {
    const { url } = await serveFront();
    const { request } = await openPage(url, askFor((await register(url)).body.client_id, newPkce().challenge));
    const posted = await fetch(`${url}/authorize`, {
      method: 'POST',
      body: queryOf(agree(request)),
      redirect: 'manual',
    });
    expect(posted.status).toBe(403);
  });
  it.each(['', 'e2bmcp_forged', 'x'.repeat(15_000)])('a forged form is refused: %.20j', async request => {
    const { url } = await serveFront();
    expect(await postForm(url, agree(request))).toMatchObject({ status: 400, location: null });
  });
  it('a form expires after ten minutes, and a code, a token or a client id is not accepted in its place', async () => {
    const { url, world } = await serveFront();
    const { clientId, code, tokens, page } = await signIn(url);
    for (const other of [clientId, code, tokens.access_token, tokens.refresh_token])
      expect((await postForm(url, agree(other ?? ''))).status).toBe(400);
    world.nowMs += 11 * 60_000;
    expect((await postForm(url, agree(page.request))).html).toContain('too old');
  });
  it('the page cannot be framed or cached, and its URL is not sent as Referer', async () => {
    const { url } = await serveFront();
    const { body } = await register(url);
    const unknown = await openPage(url, askFor('nobody', newPkce().challenge));
    for (const { headers } of [await openPage(url, askFor(body.client_id, newPkce().challenge)), unknown]) {
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('referrer-policy')).toBe('same-origin');
    }
  });
});
