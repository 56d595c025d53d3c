// Replicas that share used answers in a real Redis: each answer is used once, even if several replicas get it at the
// same moment, and none is used while Redis is down.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config.ts';
import { type Gateway, startGateway } from '../../src/gateway.ts';
import { accept, callRaw, textOf } from '../support/approvals.ts';
import { memoryLog, newKey, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { freePort } from '../survive/support/replica.ts';

const lacks = spawnSync('redis-server', ['--version']).status === 0 ? undefined : 'redis-server is not installed';
if (lacks !== undefined) console.warn(`SKIPPED: approvals with Redis: ${lacks} (apt-get install redis-server)`);

describe.skipIf(lacks !== undefined)('two replicas with one Redis', () => {
  let redis: ChildProcess;
  let first: TestGateway;
  let second: Gateway;
  const deletes: string[] = [];

  beforeAll(async () => {
    const port = await freePort();
    redis = spawn('redis-server', ['--port', String(port), '--save', '', '--bind', '127.0.0.1'], { stdio: 'pipe' });
    await new Promise<void>(resolve => {
      let output = '';
      redis.stdout?.on('data', chunk => {
        output += chunk;
        if (/Ready to accept connections/i.test(output)) resolve();
      });
    });
    const env = {
      ...{
        APPROVALS: 'ends',
        APPROVAL_KEYS: `a:${randomBytes(32).toString('base64')}`,
        WORKERS: '1',
        WARM_UP: 'false',
      },
      REDIS_URL: `redis://127.0.0.1:${port}`,
    };
    first = await startTestGateway({
      env,
      onRequest: request => {
        if (request.method === 'DELETE') deletes.push(request.url ?? '');
        return undefined;
      },
    });
    const { url } = first.cloud;
    const config = parseConfig({ ...env, PORT: '0', E2B_API_URL: url, E2B_SANDBOX_URL: url });
    second = await startGateway(config, memoryLog().log);
  });
  afterAll(async () => {
    redis.kill('SIGKILL');
    await second.close();
    await first.close();
  });

  const code = 'async () => { const s = await Sandbox.create(); return [await s.kill()] }';
  const answer = (key: string, state: string | undefined, at: URL) =>
    callRaw(at, key, { code, state, reply: accept('approve') }).then(textOf);

  it('the same answer at both continues one run, and is refused everywhere else', async () => {
    const key = newKey();
    const { requestState } = await callRaw(first.mcpUrl, key, { code });
    const other = new URL(`${second.url}/mcp`);
    const both = await Promise.all([answer(key, requestState, first.mcpUrl), answer(key, requestState, other)]);
    expect(both.filter(text => /\[true\]/.test(text))).toHaveLength(1);
    expect(both.filter(text => /approval_used/.test(text))).toHaveLength(1);
    expect(await answer(key, requestState, other)).toMatch(/approval_used/);
    expect(deletes).toHaveLength(1);
  });

  it('an answer is refused while Redis does not respond', async () => {
    const key = newKey();
    const { requestState } = await callRaw(first.mcpUrl, key, { code });
    redis.kill('SIGKILL');
    deletes.length = 0;
    expect(await answer(key, requestState, first.mcpUrl)).toMatch(/approval_unchecked/);
    expect(deletes).toEqual([]);
  });
});
