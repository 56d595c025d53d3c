// Attacks that were published against servers like this one, and what is hostile by its form. A2 needs a second leg at
// another login, which this server has not. A8 (another program on the person's computer takes a loopback callback) cannot
// be closed; the page warns.
import { describe, expect, it } from 'vitest';
import {
  type Ask,
  agree,
  askFor,
  CALLBACK,
  newPkce,
  newRing,
  openPage,
  postForm,
  postToken,
  queryOf,
  refreshWith,
  register,
  serveFront,
  signIn,
  whoAmI,
} from '../../support/front.ts';
import { newKey } from '../../support/gateway.ts';

const CLAUDE = 'https://claude.ai/oauth/mcp-oauth-client-metadata';
const CLAUDE_CODE = 'https://claude.ai/oauth/claude-code-client-metadata';

it('A1: consent cannot be skipped: no cookie is set, none is read, the page comes each time', async () => {
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

it('A3: a shared client id carries no consent either, and the answer names who gave it', async () => {
  const { url } = await serveFront();
  const ask = () => openPage(url, askFor(CLAUDE_CODE, newPkce().challenge));
  const first = await ask();
  const { answer } = await postForm(url, agree(first.request));
  expect(answer.get('iss')).toBe(url);
  const second = await ask();
  expect(second.status).toBe(200);
  expect(second.html).toContain(`127.0.0.1:${new URL(CALLBACK).port}`);
});

describe('A4: the callback is checked before anything is shown, kept in the code, and compared at /token', () => {
  it.each([
    'https://evil.example/callback',
    'http://127.0.0.1:43210/other',
    'http://127.0.0.1:43210/callback/../x',
    'http://127.0.0.1:43210@evil.example/callback',
    'http://127.0.0.1.evil.example/callback',
    'http://127.0.0.1:43210/callback#x',
    'javascript:alert(1)',
    '',
  ])('%j is refused on our own page', async callback => {
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

it('A6: an app that calls itself Claude is shown as what it is, and cannot be answered on the web', async () => {
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
])('A7: %s is not fetched: not a name that an app can have', async id => {
  const { url } = await serveFront({ network: { lookup: (() => expect.unreachable()) as never } });
  expect(await openPage(url, askFor(id, newPkce().challenge))).toMatchObject({ status: 400, location: null });
});

it('A8: the page warns where the answer goes to a program on this computer', async () => {
  const { url } = await serveFront();
  const local = await openPage(url, askFor(CLAUDE_CODE, newPkce().challenge));
  expect(local.html).toContain('Continue only if you just started this');
  const web = await openPage(
    url,
    askFor(CLAUDE, newPkce().challenge, { redirect_uri: 'https://claude.ai/api/mcp/auth_callback' }),
  );
  expect(web.html).not.toContain('Continue only if');
});

it('A9: after the form the browser goes on with GET: 303, and nothing of the key', async () => {
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
  /** Everything but the last step. */
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
  it('is not used up by a failed try', async () => {
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
  it('is over after a minute', async () => {
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
    ['the answer in a fragment', { response_mode: 'fragment' }, 'invalid_request'],
  ])('%s is not offered: the client is told at its own address', async (_title, more, error) => {
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

it('A11: one issuer everywhere, to the letter', async () => {
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

describe('A12: only our own page may send the form', () => {
  it.each<[string, Record<string, string>]>([
    ['another origin', { Origin: 'https://evil.example' }],
    ['an origin that is hidden', { Origin: 'null' }],
    ['the same host on another port', { Origin: 'http://127.0.0.1:1' }],
    ['another site, as the browser says', { 'Sec-Fetch-Site': 'cross-site' }],
    ['a neighbour, as the browser says', { 'Sec-Fetch-Site': 'same-site' }],
    ['nobody, as the browser says', { 'Sec-Fetch-Site': 'none' }],
  ])('a form from %s is refused, and E2B is asked nothing', async (_title, headers) => {
    const { url, world } = await serveFront();
    const { body } = await register(url);
    const { request } = await openPage(url, askFor(body.client_id, newPkce().challenge));
    const posted = await postForm(url, agree(request), headers);
    expect(posted).toMatchObject({ status: 403, location: null });
    expect(world.keysAsked).toEqual([]);
  });
  it('a form that says nothing of where it is from is refused', async () => {
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
  it('a form is over after ten minutes, and does not open with a code, a token or a client id', async () => {
    const { url, world } = await serveFront();
    const { clientId, code, tokens, page } = await signIn(url);
    for (const other of [clientId, code, tokens.access_token, tokens.refresh_token])
      expect((await postForm(url, agree(other ?? ''))).status).toBe(400);
    world.nowMs += 11 * 60_000;
    expect((await postForm(url, agree(page.request))).html).toContain('too old');
  });
  it('the page cannot be framed, cached, or leave its address to others', async () => {
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

describe('A13: what an app writes about itself is text', () => {
  it.each([
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "'; alert(1) //",
    '</title><script>alert(1)</script>',
    '&lt;b&gt;',
  ])('%s', async name => {
    const { url } = await serveFront();
    const { body } = await register(url, {
      client_name: name,
      logo_uri: 'https://evil.example/x.png',
      client_uri: 'javascript:alert(1)',
      policy_uri: 'https://evil.example',
    });
    const { html } = await openPage(url, askFor(body.client_id, newPkce().challenge, { state: name, scope: name }));
    expect(html).not.toMatch(/<script|<img|onerror=(?!alert)|javascript:|evil\.example/);
    expect(
      html
        .match(/<[a-z][a-z0-9]*/g)
        ?.filter(
          tag =>
            !/^<(?:html|head|meta|title|style|body|main|h1|p|br|span|strong|form|input|fieldset|legend|label|a|button)$/.test(
              tag,
            ),
        ),
    ).toEqual([]);
    expect(html).not.toContain(name.includes('<') ? name : '\0');
  });
  it('names have no way to hide, turn or fill the page', async () => {
    const { url } = await serveFront();
    const name = `Clau\u202Ede\u200B\u0000\n\n${'x'.repeat(500)}`;
    const { html } = await openPage(
      url,
      askFor((await register(url, { client_name: name })).body.client_id, newPkce().challenge),
    );
    expect(html).not.toMatch(/[\u200B-\u200F\u202A-\u202E\u2066-\u2069\0]/);
    expect(html).not.toContain('x'.repeat(60));
  });
});

describe('A14: nothing passes for something else', () => {
  it('codes, refresh tokens, client ids and forms are no access tokens', async () => {
    const { url } = await serveFront();
    const { clientId, code, tokens, page } = await signIn(url);
    for (const other of [clientId, code, tokens.refresh_token, page.request]) {
      const { status, body } = await whoAmI(url, other ?? '');
      expect([status, (body.error as { data: { code: string } }).data.code]).toEqual([401, 'token_invalid']);
    }
    expect((await refreshWith(url, clientId, tokens.access_token ?? '')).body.error).toBe('invalid_grant');
  });
  it('a token of another deployment with the same secret, or with another one, is none', async () => {
    const ring = newRing();
    const [one, same, other] = [
      await serveFront({ ring: [ring] }),
      await serveFront({ ring: [ring] }),
      await serveFront({ ring: [newRing()] }),
    ];
    const { tokens } = await signIn(one.url);
    for (const { url } of [same, other]) expect((await whoAmI(url, tokens.access_token ?? '')).status).toBe(401);
  });
  it('a token is over after its hour, also where it was used before; a refresh token after 30 days; a grant after 180', async () => {
    const { url, world } = await serveFront();
    let { clientId, tokens } = await signIn(url);
    expect((await whoAmI(url, tokens.access_token ?? '')).status).toBe(200);
    world.nowMs += 3_610_000;
    expect((await whoAmI(url, tokens.access_token ?? '')).status).toBe(401);
    for (let day = 0; day < 175; day += 25) {
      tokens = (await refreshWith(url, clientId, tokens.refresh_token ?? '')).body;
      expect(tokens.access_token).toBeTruthy();
      world.nowMs += 25 * 86_400_000;
    }
    tokens = (await refreshWith(url, clientId, tokens.refresh_token ?? '')).body;
    world.nowMs += 6 * 86_400_000;
    expect((await refreshWith(url, clientId, tokens.refresh_token ?? '')).body.error).toBe('invalid_grant');
  });
  it('all that was granted before a moment ends with the not-before setting', async () => {
    const ring = newRing();
    const publicUrl = 'https://gateway.example';
    const nowMs = Date.now();
    const before = await serveFront({ ring: [ring], publicUrl });
    const { body: client } = await register(before.url);
    const { verifier, challenge } = newPkce();
    const { request } = await openPage(before.url, askFor(client.client_id, challenge));
    const code = (await postForm(before.url, agree(request), { Origin: publicUrl })).answer.get('code') ?? '';
    const redeem = {
      grant_type: 'authorization_code',
      code,
      client_id: client.client_id,
      redirect_uri: CALLBACK,
      code_verifier: verifier,
    };
    const { body: tokens } = await postToken(before.url, redeem);
    const after = await serveFront({ ring: [ring], publicUrl, notBeforeMs: nowMs + 60_000 });
    expect((await whoAmI(after.url, tokens.access_token ?? '')).status).toBe(401);
    expect((await refreshWith(after.url, client.client_id, tokens.refresh_token ?? '')).body.error).toBe(
      'invalid_grant',
    );
    const unaffected = await serveFront({ ring: [ring], publicUrl, notBeforeMs: nowMs - 60_000 });
    expect((await whoAmI(unaffected.url, tokens.access_token ?? '')).status).toBe(200);
  });
});

it('A15: keys cannot be tried one after the other, and the page does not tell why one was refused', async () => {
  const { url, world } = await serveFront({ rates: { pages: 0, keys: 3, tokens: 0 } });
  world.verdict = 'refused';
  const { request } = await openPage(url, askFor((await register(url)).body.client_id, newPkce().challenge));
  const answers = [];
  for (const key of [newKey(), 'no key', newKey(), newKey()])
    answers.push(await postForm(url, agree(request, { key })));
  expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 429]);
  expect(new Set(answers.slice(0, 3).map(({ html }) => html)).size).toBe(1);
  expect(answers[3]?.headers.get('retry-after')).toMatch(/^\d+$/);
  expect(world.keysAsked).toHaveLength(2);
});

describe('limits', () => {
  it('pages, registrations and tokens each have theirs, by address', async () => {
    const { url } = await serveFront({ rates: { pages: 2, keys: 2, tokens: 2 }, trustProxy: 1 });
    const from = (address: string, path: string, method: string) =>
      fetch(url + path, { method, headers: { 'X-Forwarded-For': address } }).then(({ status }) => status);
    for (const [path, method] of [
      ['/authorize', 'GET'],
      ['/register', 'POST'],
      ['/token', 'POST'],
    ] as const) {
      const statuses = [];
      for (let at = 0; at < 3; at++) statuses.push(await from('192.0.2.1', path, method));
      expect(statuses.map(status => status === 429)).toEqual([false, false, true]);
      expect(await from('192.0.2.2', path, method)).not.toBe(429);
    }
    expect(await from('2001:db8:1:2::1', '/authorize', 'GET')).toBe(400);
    expect(await from('2001:db8:1:2::2', '/authorize', 'GET')).toBe(400);
    expect(await from('2001:db8:1:2:ffff::3', '/authorize', 'GET')).toBe(429);
  });
  it('bodies are small, and an endless or compressed one is refused', async () => {
    const { url } = await serveFront();
    for (const [path, bytes] of [
      ['/register', 9_000],
      ['/token', 17_000],
      ['/authorize', 17_000],
    ] as const) {
      const headers = { Origin: url };
      expect((await fetch(url + path, { method: 'POST', body: 'x'.repeat(bytes), headers })).status, path).toBe(413);
      const packed = await fetch(url + path, {
        method: 'POST',
        body: 'x',
        headers: { ...headers, 'Content-Encoding': 'gzip' },
      });
      expect(packed.status).toBe(400);
    }
  });
  it.each(['client_id', 'redirect_uri', 'state', 'scope', 'resource', 'code_challenge'])(
    'a second %s makes the request invalid, and nothing is sent anywhere',
    async name => {
      const { url } = await serveFront();
      const { body } = await register(url);
      const query = queryOf(askFor(body.client_id, newPkce().challenge));
      const answer = await fetch(`${url}/authorize?${query}&${name}=a&${name}=b`, { redirect: 'manual' });
      expect(answer.status).toBe(400);
      expect(answer.headers.get('location')).toBeNull();
    },
  );
  it.each([
    '{',
    'null',
    '[]',
    '"x"',
    '{"redirect_uris":"x"}',
    '{"redirect_uris":[1]}',
    '{"redirect_uris":[]}',
    '{}',
    '{"__proto__":{"redirect_uris":["http://localhost/"]}}',
  ])('a registration of %s is refused', async body => {
    const { url } = await serveFront();
    const answer = await fetch(`${url}/register`, { method: 'POST', body });
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { error: string }).error).toMatch(/^invalid_(?:client_metadata|redirect_uri)$/);
  });
});

describe('API keys beside tokens', () => {
  it('are refused where the operator wants tokens only', async () => {
    const { url } = await serveFront({ rawKeys: false });
    const key = newKey();
    const { tokens } = await signIn(url, { form: { key } });
    const refused = await whoAmI(url, key);
    expect(refused.status).toBe(401);
    expect(refused.challenge).toContain('resource_metadata');
    expect((await whoAmI(url, tokens.access_token ?? '')).status).toBe(200);
  });
  it('a token in a query or in X-API-Key is none', async () => {
    const { url } = await serveFront();
    const { tokens } = await signIn(url);
    const headers = { 'Content-Type': 'application/json' };
    const query = await fetch(`${url}/mcp?access_token=${tokens.access_token}`, {
      method: 'POST',
      headers,
      body: '{}',
    });
    expect(query.status).toBe(401);
  });
});
