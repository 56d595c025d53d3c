// Known problems of other servers before and during the sign-in, each with the behaviour that avoids it. B13 (a
// proxy that strips WWW-Authenticate) is tested through HAProxy in test/oauth. The rest is in known-faults-tokens.test.ts.
import { expect, it } from 'vitest';
import { PINNED } from '../../../src/http/auth/pinned.ts';
import {
  AS,
  askFor,
  getJson,
  newPkce,
  openPage,
  PRM,
  register,
  serveFront,
  signIn,
  whoAmI,
} from '../../support/front.ts';

const PUBLIC = 'https://gateway.example';

it('B1: the policy of the page has no form-action, so browsers follow all redirects of the app', async () => {
  const { url } = await serveFront();
  const { page } = await signIn(url);
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(page.headers.get('content-security-policy')).not.toContain('form-action');
});

it('B2: well-known apps are accepted without fetching their documents', async () => {
  const { url } = await serveFront({ network: { lookup: (() => expect.unreachable()) as never } });
  for (const [id, { callbacks, name }] of Object.entries(PINNED)) {
    const { challenge } = newPkce();
    const page = await openPage(url, askFor(id, challenge, { redirect_uri: callbacks[0] ?? '' }));
    expect(page.status, id).toBe(200);
    expect(page.html).toContain(name);
  }
});

it('B3: when an app’s document cannot be fetched the error is "unreachable", not "unknown app"', async () => {
  const { url } = await serveFront({
    network: { lookup: ((_n: string, _o: object, done: (e: Error) => void) => done(new Error('none'))) as never },
  });
  const page = await openPage(url, askFor('https://claude.com/oauth/metadata', newPkce().challenge));
  expect(page).toMatchObject({ status: 503, location: null });
  expect(page.html).toContain('could not be loaded');
});

it('B4: both ways to register are advertised', async () => {
  const { url } = await serveFront();
  const { body } = await getJson(url + AS);
  expect(body).toMatchObject({
    registration_endpoint: `${url}/register`,
    client_id_metadata_document_supported: true,
    token_endpoint_auth_methods_supported: ['none', 'client_secret_post', 'client_secret_basic'],
    code_challenge_methods_supported: ['S256'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
  });
});

it.each(['http://localhost:51999/callback', 'http://127.0.0.1:51999/callback'])(
  'B5: the port of a loopback callback may be any: %s',
  async callback => {
    const { url } = await serveFront();
    const id = 'https://claude.ai/oauth/claude-code-client-metadata';
    expect((await openPage(url, askFor(id, newPkce().challenge, { redirect_uri: callback }))).status).toBe(200);
  },
);

it('B6: of several callbacks the allowed ones are registered and returned; an error only if none is allowed', async () => {
  const { url } = await serveFront();
  const cursor = [
    'cursor://anysphere.cursor-mcp/oauth/callback',
    'https://www.cursor.com/agents/mcp/oauth/callback',
    'http://localhost:8787/callback',
  ];
  const { status, body } = await register(url, { redirect_uris: [...cursor, 'odd://x/y', 'https://evil.example/cb'] });
  expect(status).toBe(201);
  expect(body.redirect_uris).toEqual(cursor);
  const none = await register(url, { redirect_uris: ['odd://x/y'] });
  expect(none).toMatchObject({ status: 400, body: { error: 'invalid_redirect_uri' } });
});

it('B7: calls with a valid token after a sign-in never get 401', async () => {
  const { url } = await serveFront();
  expect((await whoAmI(url, (await signIn(url)).tokens.access_token ?? '')).status).toBe(200);
});

it('B8: a request without credentials gets 401 with a challenge, never 403', async () => {
  const { url } = await serveFront();
  const response = await fetch(`${url}/mcp`, { method: 'POST' });
  expect(response.status).toBe(401);
  expect(response.headers.get('www-authenticate')).toBe(
    `Bearer realm="e2b", resource_metadata="${url}${PRM}/mcp", scope="e2b:read e2b:write"`,
  );
  const wrong = await whoAmI(url, 'e2bmcp_wrong');
  expect(wrong.challenge).toContain('error="invalid_token"');
});

it.each(['', '/'])('B9, B10: the resource is the same with and without a final slash: "%s"', async slash => {
  const { url } = await serveFront();
  for (const resource of [`${url}${slash}`, `${url}/mcp${slash}`, `${url.toUpperCase().replace('HTTP', 'http')}/mcp`]) {
    const { tokens } = await signIn(url, { ask: { resource } });
    expect((await whoAmI(url, tokens.access_token ?? '')).status, resource).toBe(200);
  }
});

it('B11: documents use PUBLIC_URL, whatever Host and forwarding headers a request has', async () => {
  const { url } = await serveFront({ publicUrl: PUBLIC, trustProxy: 1 });
  const headers = { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'http', Forwarded: 'host=evil.example' };
  const [resource, server] = await Promise.all([getJson(url + PRM, headers), getJson(url + AS, headers)]);
  expect(resource.body).toMatchObject({ resource: `${PUBLIC}/mcp`, authorization_servers: [PUBLIC] });
  expect(server.body).toMatchObject({ issuer: PUBLIC, token_endpoint: `${PUBLIC}/token` });
  expect(JSON.stringify([resource.body, server.body])).not.toContain(url);
});

it('B12: both documents are served at the path with and without the endpoint; other well-known paths get 404', async () => {
  const { url } = await serveFront();
  for (const path of [PRM, AS]) {
    const [root, suffixed] = await Promise.all([getJson(url + path), getJson(`${url}${path}/mcp`)]);
    expect(root.status).toBe(200);
    expect(suffixed.body).toEqual(root.body);
  }
  for (const path of ['/.well-known/openid-configuration', '/.well-known/openid-configuration/mcp', `${PRM}/other`])
    expect((await getJson(url + path)).status).toBe(404);
});
