// If E2B does not respond, the call fails while the agent's code still has time to handle the error.
import { expect, it } from 'vitest';
import { connect } from '../support/clients.ts';
import { newKey, startTestGateway } from '../support/gateway.ts';
import { startUpstream } from '../support/upstream.ts';

it('a call without response fails before the run ends', async () => {
  const upstream = await startUpstream();
  const gateway = await startTestGateway({ env: { E2B_API_URL: upstream.url, RUN_TIMEOUT_MS: '2000' } });
  const client = await connect(gateway.mcpUrl, newKey());
  const asked = `async () => Promise.all([
      api.request({ path: '/v2/sandboxes' }).catch(error => error.code),
      Sandbox.getInfo('i1').catch(error => error.name),
      Sandbox.connect('i1').catch(error => error.name),
    ])`;
  await client.call('execute_read', asked); // loads what the first call needs, which must not count
  upstream.answer = () => {};
  const { text } = await client.call('execute_read', asked);
  expect(text).toContain('["upstream_timeout","TimeoutError","TimeoutError"]');
  await client.close();
  await gateway.close();
  await upstream.close();
});
