// Published attacks against servers like this one: on values that clients send, on tokens and on keys. And the limits of
// each route.
import { describe, expect, it } from 'vitest';
import {
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

describe('A13: the name of an app is shown as text', () => {
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
  it('names cannot hide, reorder or fill the page', async () => {
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

describe('A14: no sealed value is accepted in place of another', () => {
  it('codes, refresh tokens, client ids and forms are refused as access tokens', async () => {
    const { url } = await serveFront();
    const { clientId, code, tokens, page } = await signIn(url);
    for (const other of [clientId, code, tokens.refresh_token, page.request]) {
      const { status, body } = await whoAmI(url, other ?? '');
      expect([status, (body.error as { data: { code: string } }).data.code]).toEqual([401, 'token_invalid']);
    }
    expect((await refreshWith(url, clientId, tokens.access_token ?? '')).body.error).toBe('invalid_grant');
  });
  it('a token of another deployment is refused, also with the same secret', async () => {
    const ring = newRing();
    const [one, same, other] = [
      await serveFront({ ring: [ring] }),
      await serveFront({ ring: [ring] }),
      await serveFront({ ring: [newRing()] }),
    ];
    const { tokens } = await signIn(one.url);
    for (const { url } of [same, other]) expect((await whoAmI(url, tokens.access_token ?? '')).status).toBe(401);
  });
  it('a token expires after an hour, also if it was used before; a refresh token after 30 days; a grant after 180', async () => {
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
  it('OAUTH_NOT_BEFORE ends all earlier grants', async () => {
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

it('A15: trying keys is rate limited, and the page does not show why a key was refused', async () => {
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
  it('pages, registrations and tokens each have a rate limit per address', async () => {
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
  it('a body that is large, endless or compressed is refused', async () => {
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
    'a second %s makes the request invalid, and nothing is sent to the callback',
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
  it('are refused if the operator allows only tokens', async () => {
    const { url } = await serveFront({ rawKeys: false });
    const key = newKey();
    const { tokens } = await signIn(url, { form: { key } });
    const refused = await whoAmI(url, key);
    expect(refused.status).toBe(401);
    expect(refused.challenge).toContain('resource_metadata');
    expect((await whoAmI(url, tokens.access_token ?? '')).status).toBe(200);
  });
  it('a token in the query or in X-API-Key is refused', async () => {
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
