// Calls the data plane's capabilities as a guest does, with local mode: one broker per run.

import { afterAll, beforeAll } from 'vitest';
import { type LocalOptions, startLocal } from '../../local/start.ts';
import { Answers } from '../../src/broker/answers.ts';
import { createBroker } from '../../src/broker/broker.ts';
import type { BrokerLimits } from '../../src/broker/budget.ts';
import { createDataPlane } from '../../src/broker/e2b/sandbox.ts';
import { createRequestCapability } from '../../src/broker/request.ts';
import type { Connection } from '../../src/e2b/connection.ts';
import { wholeText } from '../../src/ground/json-text.ts';
import { Origin } from '../../src/ground/origin.ts';
import { principalFromKey } from '../../src/principal.ts';
import { loadDescription } from '../../src/spec/load.ts';
import { createUpstreamClient } from '../../src/upstream/client.ts';
import { Operations } from '../../src/upstream/operations.ts';
import { newKey } from './gateway.ts';
import { BROKER_LIMITS, sharedLimits } from './limits.ts';
import { machineOf, type ShellKind } from './machines.ts';

type Options = {
  readonly shell?: ShellKind;
  readonly maxSandboxesPerKey?: number;
  readonly maxHeldBytes?: number;
  readonly connection?: Partial<Connection>;
  readonly cloud?: Partial<LocalOptions>;
};
type RunOptions = {
  readonly mode?: 'read' | 'write';
  readonly key?: string;
  readonly wallMs?: number;
  readonly limits?: Partial<BrokerLimits>;
  readonly progress?: (message: string) => void;
};
export type Refusal = { readonly code: string; readonly message: string };

export async function startDataPlane({
  shell = 'virtual',
  maxSandboxesPerKey = 0,
  maxHeldBytes,
  connection,
  cloud: cloudOptions,
}: Options = {}) {
  const requests: string[] = [];
  const cloud = await startLocal({
    port: 0,
    ...machineOf(shell),
    ...cloudOptions,
    async intercept(req, res) {
      requests.push(`${req.method} ${req.url?.split('?', 1)[0]}`);
      return (await cloudOptions?.intercept?.(req, res)) ?? false;
    },
  });
  const api = connection?.api ?? new Origin(cloud.url);
  const client = createUpstreamClient(api);
  const answers = new Answers();
  const description = await loadDescription('openapi/e2b.yaml');
  const operations = new Operations(description, { allowUnlisted: false });
  const plane = createDataPlane({
    connection: { api, sandboxUrl: cloud.url, domain: 'e2b.test', ...connection },
    maxSandboxesPerKey,
    ...(maxHeldBytes !== undefined && { maxHeldBytes }),
    request: around => createRequestCapability({ client, answers, operations: () => operations, around }),
    methods: description.capabilities,
  });

  const shared = sharedLimits();
  const openRun = ({ mode = 'write', key = newKey(), wallMs = 60_000, limits = {}, progress }: RunOptions = {}) => {
    const over = new AbortController();
    const faults: unknown[] = [];
    const broker = createBroker({
      principal: principalFromKey(key),
      mode,
      signal: over.signal,
      limits: { ...BROKER_LIMITS, ...limits },
      ...shared,
      answers,
      capabilities: plane.open({ wallMs, signal: over.signal, requestId: 'request-1', progress }),
      log: { error: fields => void faults.push(fields) },
    });
    const reply = (capability: string, args: unknown) =>
      broker.callHost({ capability, argsJson: JSON.stringify(args) }, over.signal);
    return {
      key,
      ledger: broker.ledger,
      hostMs: broker.hostMs,
      /** Internal errors of the gateway; must stay empty. */
      faults,
      reply,
      /** The value of a call. Throws if it is refused. */
      async call<T = unknown>(capability: string, args: unknown): Promise<T> {
        const answered = await reply(capability, args);
        if (!answered.ok) throw Object.assign(new Error(answered.error.message), answered.error);
        return JSON.parse(wholeText(answered.json)) as T;
      },
      async refusal(capability: string, args: unknown): Promise<Refusal> {
        const answered = await reply(capability, args);
        if (answered.ok) throw new Error(`${capability} answered ${wholeText(answered.json).slice(0, 200)}`);
        return answered.error;
      },
      end: () => over.abort(),
    };
  };

  return {
    cloud,
    requests,
    openRun,
    async close() {
      await plane.close();
      await api.close();
      await answers.close();
      await cloud.close();
    },
  };
}

export type TestDataPlane = Awaited<ReturnType<typeof startDataPlane>>;

/** Registers the hooks; the parts exist while a test runs: one sandbox for all of them, and one run that uses it. */
export function useSharedSandbox(shell: ShellKind) {
  const parts = {} as { plane: TestDataPlane; run: ReturnType<TestDataPlane['openRun']>; sandboxId: string };
  beforeAll(async () => {
    parts.plane = await startDataPlane({ shell });
    parts.run = parts.plane.openRun({ limits: { maxCalls: 1_000 } });
    parts.sandboxId = (await parts.run.call<{ sandboxId: string }>('Sandbox.create', {})).sandboxId;
  });
  afterAll(async () => {
    await parts.run.call('Sandbox.kill', { sandboxId: parts.sandboxId });
    parts.run.end();
    await parts.plane.close();
  });
  return parts;
}
