// Replicas that share their limits through a real Redis, and continue to serve without it.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { startLocalCloud } from '../../local/server.ts';
import { newKey } from '../support/gateway.ts';
import { callTool } from './support/load.ts';
import { freePort, startReplica } from './support/replica.ts';

const lacks = spawnSync('redis-server', ['--version']).status === 0 ? undefined : 'redis-server is not installed';
if (lacks !== undefined) console.warn(`SKIPPED: limits shared through Redis: ${lacks} (apt-get install redis-server)`);

describe.skipIf(lacks !== undefined)('two replicas, one Redis', () => {
  it('share the limit of a key, and let calls pass once Redis is gone', async () => {
    const port = await freePort();
    const redis = spawn('redis-server', ['--port', String(port), '--save', '', '--bind', '127.0.0.1'], {
      stdio: 'pipe',
    });
    let said = '';
    redis.stdout.on('data', chunk => (said += chunk));
    await expect.poll(() => said, { timeout: 10_000 }).toMatch(/Ready to accept connections/i);
    const cloud = await startLocalCloud({ port: 0 });
    const env = {
      E2B_API_URL: cloud.url,
      E2B_SANDBOX_URL: cloud.url,
      REDIS_URL: `redis://127.0.0.1:${port}`,
      RATE_LIMIT_PER_KEY: '4',
    };
    const [one, two] = await Promise.all([startReplica({ env }), startReplica({ env })]);
    const key = newKey();
    const statuses: number[] = [];
    for (const { url } of [one, two, one, two, one, two])
      statuses.push((await callTool(url, 'execute_read', 'async () => 1', key)).status);
    expect(statuses).toEqual([200, 200, 200, 200, 429, 429]);

    redis.kill('SIGKILL');
    await once(redis, 'exit');
    expect((await callTool(one.url, 'execute_read', 'async () => 1', key)).status).toBe(200);
    await expect.poll(() => one.log()).toContain('Redis does not respond: requests');
    await Promise.all([one.end('SIGKILL'), two.end('SIGKILL')]);
    await cloud.close();
  });
});
