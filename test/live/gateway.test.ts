// The gateway on the real E2B, with each engine, as an agent uses it: search, reads, a sandbox created and deleted,
// attempts to bypass the guard, limits.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, type TestClient } from '../support/clients.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { describeLive, REAL } from './live.ts';

describeLive('gateway, live', () => {
  describe.each(['quickjs', 'e2b'])('SANDBOX_ENGINE=%s', engine => {
    let gateway: TestGateway;
    let client: TestClient;
    beforeAll(async () => {
      // The test gateway also starts local mode, which is not used here.
      const env = {
        SANDBOX_ENGINE: engine,
        E2B_API_URL: REAL.apiUrl,
        E2B_SANDBOX_URL: REAL.sandboxUrl ?? '',
        E2B_DOMAIN: REAL.domain,
      };
      gateway = await startTestGateway({ env });
      client = await connect(gateway.mcpUrl, REAL.apiKey);
    });
    afterAll(async () => {
      await client.close();
      await gateway.close();
    });

    it('searches and reads', async () => {
      const found = await client.call(
        'search',
        `async () => find('list sandboxes', { limit: 3 }).map(h => h.operation)`,
      );
      expect(found.text).toContain('GET /v2/sandboxes');
      const read = await client.call(
        'execute_read',
        `async () => {
          const [sandboxes, templates] = await Promise.all(['/v2/sandboxes', '/templates'].map(path => api.request({ method: 'GET', path })));
          return [sandboxes.status, Array.isArray(sandboxes.data), templates.status];
        }`,
      );
      expect(read.text.replace(/\s/g, '')).toContain('[200,true,200]');
      expect(read.text).not.toContain('e2b-code-mode/runner');
    });

    it('creates a sandbox, works in it and deletes it', async () => {
      const done = await client.call(
        'execute_write',
        `async () => {
          const sandbox = await Sandbox.create('base', { timeoutMs: 60_000 });
          try {
            await sandbox.files.write('/tmp/a.txt', 'héllo 🎉');
            const { stdout } = await sandbox.commands.run('cat /tmp/a.txt');
            const listed = await api.request({ method: 'GET', path: '/v2/sandboxes' });
            return { stdout, listed: listed.data.some(s => s.sandboxID === sandbox.sandboxId) };
          } finally { await sandbox.kill() }
        }`,
      );
      expect(done.isError).toBe(false);
      expect(done.text).toContain('héllo 🎉');
      expect(done.text).toMatch(/"listed":\s*true/);
    });

    it.each(['/teams', '/./teams', '/%74eams', '//teams', '/sandboxes/../api-keys', '/v2/..%2fapi-keys', '/teams;x=1'])(
      'refuses %s',
      async path => {
        const answer = await client.call(
          'execute_write',
          `async () => api.request({ method: 'GET', path: ${JSON.stringify(path)} })`,
        );
        expect(answer.isError).toBe(true);
      },
    );

    it('execute_read cannot write, and results and logs stay within their limits', async () => {
      const wrote = await client.call(
        'execute_read',
        `async () => api.request({ method: 'POST', path: '/v2/sandboxes', body: { templateID: 'base' } })`,
      );
      expect(wrote).toMatchObject({ isError: true });
      const large = await client.call('execute_read', `async () => 'x'.repeat(500_000)`);
      expect(large).toMatchObject({ isError: true });
      const loud = await client.call(
        'execute_read',
        `async () => { for (let i = 0; i < 1e4; i++) console.log('y'.repeat(100)); return 1 }`,
      );
      expect(loud.isError).toBe(false);
      expect(loud.text.length).toBeLessThan(30_000);
    });
  });
});
