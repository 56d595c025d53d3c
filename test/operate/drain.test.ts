// Shutdown of a replica: it reports 503 on /readyz, still serves for a while, closes connections, finishes open runs.
import { Agent, request } from 'node:http';
import { expect, it } from 'vitest';
import { connect } from '../support/clients.ts';
import { newKey, startTestGateway } from '../support/gateway.ts';

type Answer = { status: number | undefined; connection: string | undefined };
const get = (url: string, agent: Agent) =>
  new Promise<Answer>((resolve, reject) => {
    const asked = request(url, { agent }, answer => {
      answer.resume().once('end', () => resolve({ status: answer.statusCode, connection: answer.headers.connection }));
    });
    asked.once('error', reject).end();
  });

it('on shutdown /readyz is 503, requests are served until the delay ends, and an open run gets its result', async () => {
  const gateway = await startTestGateway();
  const agent = new Agent({ keepAlive: true });
  const client = await connect(gateway.mcpUrl, newKey());
  expect(await get(`${gateway.url}/readyz`, agent)).toEqual({ status: 200, connection: 'keep-alive' });
  const underWay = client.call(
    'execute_read',
    'async () => { await new Promise(done => setTimeout(done, 900)); return 42 }',
  );

  const closing = gateway.close({ delayMs: 300 });
  expect(await get(`${gateway.url}/readyz`, agent)).toEqual({ status: 503, connection: 'close' });
  expect((await client.call('execute_read', 'async () => 7')).text).toContain('7');
  expect((await underWay).text).toContain('42');
  await closing;
  await expect(get(`${gateway.url}/healthz`, agent)).rejects.toThrow(/ECONNREFUSED/);
  agent.destroy();
});
