// Two replicas that share a real Redis: codes work once, late reuse of a refresh token ends the grant,
// and revocation ends refreshing. And what happens when Redis is down.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRedis } from '../../../src/http/redis.ts';
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
  refreshWith,
  register,
  serveFront,
  whoAmI,
} from '../../support/front.ts';
import { memoryLog } from '../../support/gateway.ts';
import { freePort } from '../../survive/support/replica.ts';

const lacks = spawnSync('redis-server', ['--version']).status === 0 ? undefined : 'redis-server is not installed';
if (lacks !== undefined) console.warn(`SKIPPED: sign-in with Redis: ${lacks} (apt-get install redis-server)`);

const PUBLIC = 'https://gateway.example';
let server: ChildProcess;
let redisUrl: string;

describe.skipIf(lacks !== undefined)('two replicas with one Redis', () => {
  beforeAll(async () => {
    const port = await freePort();
    redisUrl = `redis://127.0.0.1:${port}`;
    server = spawn('redis-server', ['--port', String(port), '--save', '', '--bind', '127.0.0.1'], { stdio: 'pipe' });
    await new Promise<void>(resolve => {
      let output = '';
      server.stdout?.on('data', chunk => {
        output += chunk;
        if (/Ready to accept connections/i.test(output)) resolve();
      });
    });
  });
  afterAll(() => server.kill('SIGKILL'));

  async function pair() {
    const ring = newRing();
    const replica = async () => {
      const redis = await connectRedis(redisUrl, memoryLog().log);
      if (redis.status !== 'ready') await once(redis, 'ready');
      return serveFront({ ring: [ring], publicUrl: PUBLIC, redis });
    };
    return [await replica(), await replica()] as const;
  }

  async function codeFrom(url: string): Promise<Ask & { client_id: string }> {
    const { body } = await register(url);
    const { verifier, challenge } = newPkce();
    const { request } = await openPage(url, askFor(body.client_id, challenge));
    const code = (await postForm(url, agree(request), { Origin: PUBLIC })).answer.get('code') ?? '';
    return {
      grant_type: 'authorization_code',
      code,
      client_id: body.client_id,
      redirect_uri: CALLBACK,
      code_verifier: verifier,
    };
  }

  it('a code works once across replicas, and its second use revokes the tokens of the first', async () => {
    const [one, two] = await pair();
    const redeem = await codeFrom(one.url);
    const first = await postToken(two.url, redeem);
    expect(first.status).toBe(200);
    expect((await postToken(one.url, redeem)).body.error).toBe('invalid_grant');
    expect((await refreshWith(two.url, redeem.client_id, first.body.refresh_token ?? '')).body.error).toBe(
      'invalid_grant',
    );
  });

  it('of many concurrent uses of a code, one gets tokens', async () => {
    const [one, two] = await pair();
    const redeem = await codeFrom(one.url);
    const all = await Promise.all([one, two, one, two].map(({ url }) => postToken(url, redeem)));
    expect(all.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('a refresh token may be used again within two minutes; later use ends the grant and all its tokens', async () => {
    const [one, two] = await pair();
    const redeem = await codeFrom(one.url);
    const { body: tokens } = await postToken(one.url, redeem);
    const again = (at: typeof one, token = tokens.refresh_token ?? '') => refreshWith(at.url, redeem.client_id, token);
    const next = await again(one);
    expect(next.status).toBe(200);
    two.world.nowMs += 100_000;
    expect((await again(two)).status).toBe(200);
    two.world.nowMs += 30_000;
    expect((await again(two)).body.error).toBe('invalid_grant');
    expect((await again(one, next.body.refresh_token)).body.error).toBe('invalid_grant');
  });

  it('/revoke ends refreshing on all replicas, is advertised, and reveals nothing about tokens of other clients', async () => {
    const [one, two] = await pair();
    const metadata = await (await fetch(`${one.url}/.well-known/oauth-authorization-server`)).json();
    expect(metadata).toHaveProperty('revocation_endpoint', `${PUBLIC}/revoke`);
    const redeem = await codeFrom(one.url);
    const { body: tokens } = await postToken(one.url, redeem);
    const revoke = async (token: string, clientId = redeem.client_id) => {
      const body = new URLSearchParams({ token, client_id: clientId });
      return (await fetch(`${one.url}/revoke`, { method: 'POST', body })).status;
    };
    const other = await register(one.url);
    expect(await revoke(tokens.refresh_token ?? '', other.body.client_id)).toBe(200);
    expect(await revoke('e2bmcp_nothing')).toBe(200);
    expect((await refreshWith(two.url, redeem.client_id, tokens.refresh_token ?? '')).status).toBe(200);
    expect(await revoke(tokens.refresh_token ?? '')).toBe(200);
    expect((await refreshWith(two.url, redeem.client_id, tokens.refresh_token ?? '')).body.error).toBe('invalid_grant');
    expect((await whoAmI(two.url, tokens.access_token ?? '')).status).toBe(200);
  });

  it('while Redis is down sign-ins work, and the log has a line', async () => {
    const [one] = await pair();
    server.kill('SIGKILL');
    await once(server, 'exit');
    const redeem = await codeFrom(one.url);
    const { status, body } = await postToken(one.url, redeem);
    expect(status).toBe(200);
    expect((await refreshWith(one.url, redeem.client_id, body.refresh_token ?? '')).status).toBe(200);
    expect(one.entries().some(({ msg }) => msg.startsWith('Redis does not respond: reuse of codes'))).toBe(true);
  });
});

it('without Redis the error of /revoke says how to end access', async () => {
  const { url } = await serveFront();
  const answer = await fetch(`${url}/revoke`, {
    method: 'POST',
    body: new URLSearchParams({ token: 'x', client_id: 'y' }),
  });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({
    error: 'unsupported_token_type',
    error_description: expect.stringContaining('Revoke the API key'),
  });
});
