// Real clients sign in and call tools, with two replicas behind HAProxy without stickiness. While the user sees the
// page, the replica that may have sent it is killed. Chromium acts as the user.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { auth as authAiSdk, createMCPClient } from '@ai-sdk/mcp';
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import * as oauth from 'oauth4webapi';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { expectNoKeys, newKey } from '../support/gateway.ts';
import { proxyLacks } from '../survive/support/proxy.ts';
import { freePort } from '../survive/support/replica.ts';
import { approve, browserLacks, startBrowser } from './support/browser.ts';
import { linkIn, Provider, startCallback } from './support/client.ts';
import { type Fleet, startFleet } from './support/fleet.ts';
import { npmCache, startInspector } from './support/inspector.ts';

const MCP_REMOTE = 'mcp-remote@0.15.1';
const CLAUDE_CODE = 'https://claude.ai/oauth/claude-code-client-metadata';

const lacks = proxyLacks() ?? browserLacks();
if (lacks !== undefined) console.warn(`SKIPPED: real clients behind a proxy: ${lacks}`);

let fleet: Fleet;
let browser: Browser;
let doomed = 0;
let killed = false;

/** While the user decides, one of the two replicas is killed. */
async function decide(url: string, options: { key?: string; write?: boolean } = {}): Promise<void> {
  await approve(browser, url, {
    key: options.key ?? newKey(),
    ...(options.write !== undefined && { write: options.write }),
    meanwhile: async () => {
      killed = true;
      await fleet.kill(doomed);
    },
  });
}

const READ = `async () => (await api.request({ method: 'GET', path: '/v2/sandboxes' })).status`;
const WRITE = `async () => { const made = await Sandbox.create(); await made.kill(); return 'made and killed' }`;

type Call = (tool: string, code: string) => Promise<unknown>;

async function useAllTools(call: Call): Promise<void> {
  expect(JSON.stringify(await call('search', 'async () => spec.info.title'))).toContain('E2B');
  expect(JSON.stringify(await call('execute_read', READ))).toContain('200');
  expect(JSON.stringify(await call('execute_write', WRITE))).toContain('made and killed');
}

describe.skipIf(lacks !== undefined)('over two replicas, one of which is killed', () => {
  beforeAll(async () => {
    [fleet, browser] = await Promise.all([startFleet(), startBrowser()]);
  });
  afterAll(async () => {
    const [text, lines] = [fleet?.text() ?? '', fleet?.lines() ?? []];
    await browser?.close();
    await fleet?.close();
    expectNoKeys(text.split('\n'));
    expect(lines.filter(({ msg, outcome }) => msg === 'sign-in' && outcome === 'ok').length).toBeGreaterThan(3);
  });
  beforeEach(() => {
    doomed = 1 - doomed;
    killed = false;
  });
  afterEach(async () => {
    expect(killed).toBe(true);
    await fleet.revive(doomed);
  });

  it.each([
    ['dynamic registration', undefined],
    ['a metadata document', CLAUDE_CODE],
  ])('SDK v2, by %s: signs in, calls, refreshes', async (_title, document) => {
    const callback = await startCallback(document === undefined ? '127.0.0.1' : 'localhost');
    onTestFinished(callback.close);
    const provider = new Provider(callback.url, document);
    const connect = async () => {
      const client = new ClientV2({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
      await client.connect(new TransportV2(new URL(`${fleet.url}/mcp`), { authProvider: provider as never }));
      return client;
    };
    const transport = new TransportV2(new URL(`${fleet.url}/mcp`), { authProvider: provider as never });
    const first = new ClientV2({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
    await expect(first.connect(transport)).rejects.toThrow(/unauthorized/i);
    const asked = provider.authorizationUrl?.searchParams;
    if (document !== undefined) expect(asked?.get('client_id')).toBe(document);
    expect(asked?.get('resource')).toBe(`${fleet.url}/mcp`);
    await decide(String(provider.authorizationUrl));
    const answer = await callback.answer();
    expect(answer.get('state')).toBe(provider.sentState);
    await transport.finishAuth(answer);
    await first.close();

    const client = await connect();
    await useAllTools((name, code) => client.callTool({ name, arguments: { code } }));
    await client.close();
    const before = provider.refreshToken;
    provider.spoilAccessToken();
    const later = await connect();
    expect((await later.listTools()).tools).toHaveLength(3);
    expect(provider.refreshToken).not.toBe(before);
    await later.close();
  });

  it('SDK v1: signs in, calls, refreshes', async () => {
    const callback = await startCallback();
    onTestFinished(callback.close);
    const provider = new Provider(callback.url);
    const open = () => new TransportV1(new URL(`${fleet.url}/mcp`), { authProvider: provider as never });
    const transport = open();
    await expect(new ClientV1({ name: 'test', version: '1' }).connect(transport as Transport)).rejects.toThrow(
      /unauthorized/i,
    );
    await decide(String(provider.authorizationUrl));
    await transport.finishAuth((await callback.answer()).get('code') ?? '');
    const client = new ClientV1({ name: 'test', version: '1' });
    await client.connect(open() as Transport);
    await useAllTools((name, code) => client.callTool({ name, arguments: { code } }));
    await client.close();
    provider.spoilAccessToken();
    const later = new ClientV1({ name: 'test', version: '1' });
    await later.connect(open() as Transport);
    expect((await later.listTools()).tools).toHaveLength(3);
    await later.close();
  });

  it('SDK v2 with a token for read only: execute_write gets 403 with the scope to ask for', async () => {
    const callback = await startCallback();
    onTestFinished(callback.close);
    const provider = new Provider(callback.url);
    const transport = new TransportV2(new URL(`${fleet.url}/mcp`), { authProvider: provider as never });
    const first = new ClientV2({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
    await expect(first.connect(transport)).rejects.toThrow(/unauthorized/i);
    await decide(String(provider.authorizationUrl), { write: false });
    await transport.finishAuth(await callback.answer());
    const client = new ClientV2({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
    await client.connect(new TransportV2(new URL(`${fleet.url}/mcp`), { authProvider: provider as never }));
    expect((await client.listTools()).tools).toHaveLength(3);
    expect(JSON.stringify(await client.callTool({ name: 'execute_read', arguments: { code: READ } }))).toContain('200');
    provider.authorizationUrl = undefined;
    await expect(client.callTool({ name: 'execute_write', arguments: { code: WRITE } })).rejects.toThrow();
    // The client starts a new sign-in by itself and asks for the missing scope.
    const again = provider.authorizationUrl as URL | undefined;
    expect(again?.searchParams.get('scope')).toContain('e2b:write');
    await client.close();
  });

  it('B13: the challenge is passed on by the proxy, also while a replica is down', async () => {
    killed = true;
    await fleet.kill(doomed);
    const answer = await fetch(`${fleet.url}/mcp`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
    });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain(
      `resource_metadata="${fleet.url}/.well-known/oauth-protected-resource/mcp"`,
    );
  });

  it('oauth4webapi, which is strict', async () => {
    const callback = await startCallback();
    onTestFinished(callback.close);
    const insecure = { [oauth.allowInsecureRequests]: true };
    const resource = new URL(`${fleet.url}/mcp`);
    const described = await oauth.resourceDiscoveryRequest(resource, insecure);
    const { authorization_servers: [issuer = ''] = [] } = await oauth.processResourceDiscoveryResponse(
      resource,
      described,
    );
    const found = await oauth.discoveryRequest(new URL(issuer), { algorithm: 'oauth2', ...insecure });
    const server = await oauth.processDiscoveryResponse(new URL(issuer), found);
    const registered = await oauth.dynamicClientRegistrationRequest(
      server,
      { redirect_uris: [callback.url], token_endpoint_auth_method: 'client_secret_basic', client_name: 'Strict' },
      insecure,
    );
    const client = await oauth.processDynamicClientRegistrationResponse(registered);
    const proof = oauth.ClientSecretBasic(String(client.client_secret));

    const verifier = oauth.generateRandomCodeVerifier();
    const state = oauth.generateRandomState();
    const url = new URL(server.authorization_endpoint ?? '');
    url.search = new URLSearchParams({
      client_id: client.client_id,
      redirect_uri: callback.url,
      response_type: 'code',
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      scope: 'e2b:read e2b:write',
      resource: resource.href,
      state,
    }).toString();
    await decide(url.href);
    const answer = oauth.validateAuthResponse(server, client, await callback.answer(), state);
    const exchanged = await oauth.authorizationCodeGrantRequest(server, client, proof, answer, callback.url, verifier, {
      additionalParameters: { resource: resource.href },
      ...insecure,
    });
    const tokens = await oauth.processAuthorizationCodeResponse(server, client, exchanged);
    expect(tokens.scope).toBe('e2b:read e2b:write');
    const refreshed = await oauth.refreshTokenGrantRequest(server, client, proof, tokens.refresh_token ?? '', insecure);
    const later = await oauth.processRefreshTokenResponse(server, client, refreshed);
    const call = await oauth.protectedResourceRequest(
      later.access_token,
      'POST',
      resource,
      new Headers({ 'content-type': 'application/json', accept: 'application/json, text/event-stream' }),
      JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
      insecure,
    );
    expect(await call.text()).toContain('execute_write');
  });

  it('the AI SDK', async () => {
    const callback = await startCallback();
    onTestFinished(callback.close);
    const provider = new Provider(callback.url);
    const serverUrl = `${fleet.url}/mcp`;
    const aiProvider = provider as never;
    await authAiSdk(aiProvider, { serverUrl });
    await decide(String(provider.authorizationUrl));
    const answer = await callback.answer();
    await authAiSdk(aiProvider, {
      serverUrl,
      authorizationCode: answer.get('code') ?? '',
      callbackState: answer.get('state') ?? '',
      callbackIssuer: answer.get('iss') ?? '',
    });
    const client = await createMCPClient({ transport: { type: 'http', url: serverUrl, authProvider: aiProvider } });
    const tools = (await client.tools()) as unknown as Record<
      string,
      { execute(args: object, options: object): Promise<unknown> }
    >;
    await useAllTools(async (tool, code) => tools[tool]?.execute({ code }, { toolCallId: '1', messages: [] }));
    await client.close();
  });

  it('mcp-remote, for clients that start a process', async () => {
    const home = mkdtempSync(join(tmpdir(), 'mcp-remote-'));
    onTestFinished(() => rmSync(home, { recursive: true, force: true }));
    const transport = new StdioClientTransport({
      command: 'npx',
      args: ['-y', MCP_REMOTE, `${fleet.url}/mcp`, String(await freePort()), '--auth-timeout', '120'],
      env: {
        ...(process.env as Record<string, string>),
        MCP_REMOTE_CONFIG_DIR: home,
        BROWSER: 'true',
        HOME: home,
        npm_config_cache: npmCache,
      },
      stderr: 'pipe',
    });
    const page = linkIn(transport.stderr as unknown as NodeJS.ReadableStream);
    const client = new ClientV1({ name: 'test', version: '1' });
    const connected = client.connect(transport as Transport, { timeout: 200_000 });
    await decide(await page);
    await connected;
    await useAllTools((name, code) => client.callTool({ name, arguments: { code } }));
    await client.close();
  });

  it("the MCP Inspector's CLI", async () => {
    const home = mkdtempSync(join(tmpdir(), 'inspector-'));
    onTestFinished(() => rmSync(home, { recursive: true, force: true }));
    const callbackUrl = `http://127.0.0.1:${await freePort()}/oauth/callback`;
    const inspect = (...args: string[]) =>
      startInspector(home, [
        '--cli',
        `${fleet.url}/mcp`,
        '--transport',
        'http',
        '--callback-url',
        callbackUrl,
        ...args,
      ]);
    const first = inspect('--connect-timeout', '120000', '--method', 'tools/list');
    await decide(await Promise.race([linkIn(first.child.stderr, first.child.stdout), first.ended]));
    expect(await first.ended).toContain('execute_write');
    const second = inspect(
      '--method',
      'tools/call',
      '--tool-name',
      'execute_write',
      '--tool-args-json',
      JSON.stringify({ code: WRITE }),
    );
    expect(await second.ended).toContain('made and killed');
  });
});
