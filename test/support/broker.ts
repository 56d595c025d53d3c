// A broker with `api.request` and an upstream server whose responses the test sets, for tests of the broker.
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeEach } from 'vitest';
import { Answers } from '../../src/broker/answers.ts';
import { type BrokerOptions, createBroker } from '../../src/broker/broker.ts';
import type { BrokerLimits } from '../../src/broker/budget.ts';
import { type Capability, capabilitiesOf } from '../../src/broker/capabilities.ts';
import { createRequestCapability } from '../../src/broker/request.ts';
import { Origin } from '../../src/ground/origin.ts';
import { principalFromKey } from '../../src/principal.ts';
import { createUpstreamClient, type UpstreamClient } from '../../src/upstream/client.ts';
import { Operations } from '../../src/upstream/operations.ts';
import { description } from './description.ts';
import { BROKER_LIMITS, sharedLimits } from './limits.ts';
import { startUpstream, type TestUpstream } from './upstream.ts';

export const apiKey = `e2b_${randomBytes(20).toString('hex')}`;
const principal = principalFromKey(apiKey);

type Options = Partial<Omit<BrokerOptions, 'limits' | 'capabilities'>> & {
  limits?: Partial<BrokerLimits>;
  capabilities?: Readonly<Record<string, Capability>>;
};

/** Registers the hooks; the parts exist while a test runs. Aborting `run` ends the run. */
export function useBroker() {
  const parts = {} as { upstream: TestUpstream; run: AbortController };
  let origin: Origin;
  let client: UpstreamClient;
  const operations = new Operations(description);
  const answers = new Answers();
  afterAll(() => answers.close());
  beforeEach(async () => {
    parts.upstream = await startUpstream();
    origin = new Origin(parts.upstream.url);
    client = createUpstreamClient(origin, { retryDelayMs: 1 });
    parts.run = new AbortController();
  });
  afterEach(async () => {
    parts.run.abort();
    await origin.close();
    await parts.upstream.close();
  });
  const start = ({ limits, capabilities, ...options }: Options = {}) => {
    const api = createRequestCapability({ client, answers, operations: () => operations });
    const broker = createBroker({
      principal,
      mode: 'write',
      capabilities: capabilitiesOf(capabilities ?? { 'api.request': api }),
      signal: parts.run.signal,
      limits: { ...BROKER_LIMITS, ...limits },
      ...sharedLimits(),
      answers,
      ...options,
    });
    const call = (args: unknown, capability = 'api.request', signal = parts.run.signal) =>
      broker.callHost({ capability, argsJson: JSON.stringify(args) }, signal);
    return { ...broker, call };
  };
  return { parts, start };
}

export const listRequest = { path: '/v2/sandboxes' };
export const createRequest = { method: 'POST', path: '/sandboxes', body: { templateID: 'base' } };
