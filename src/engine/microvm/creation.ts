// Makes a run's sandbox: closed to the network from its first moment, tagged, with a life little longer than the run may
// take. The only request that is retried; each try has a name of its own, so that a lost sandbox can be found.
import { setTimeout as sleep } from 'node:timers/promises';
import { RUNNER_METADATA } from '../../e2b/metadata.ts';
import { Sandbox } from '../../e2b/sdk.ts';
import { GatewayError } from '../../errors.ts';
import { type Account, ask, type Disposal } from './disposal.ts';
import { startFailureOf } from './start-failure.ts';

export type CreationOptions = {
  readonly template: string;
  /** How long the sandbox may live. */
  readonly lifeMs: number;
  /** `performance.now()` by which it must be there. */
  readonly deadlineAt: number;
  /** Aborted when no run waits for it any more: an attempt under way finishes, and no other begins. */
  readonly signal: AbortSignal;
};

const MAX_TRIES = 8;
const FIRST_WAIT_MS = 250;
const MAX_WAIT_MS = 4_000;

/** @throws GatewayError engine_*: what went wrong and what to do. Nothing has run then. */
export async function createSandbox(
  runId: string,
  account: Account,
  options: CreationOptions,
  disposal: Disposal,
): Promise<Sandbox> {
  // Without a key of ours the SDK would take one from the gateway's own environment.
  if (account.apiKey === '') throw new GatewayError('engine_key_refused');
  for (let attempt = 1; ; attempt += 1) {
    const creationId = `${runId}.${attempt}`;
    try {
      const leftMs = Math.max(1, Math.ceil(options.deadlineAt - performance.now()));
      return await ask(account, leftMs, sdk =>
        Sandbox.create(options.template, {
          ...sdk,
          timeoutMs: options.lifeMs,
          allowInternetAccess: false,
          network: { denyOut: ['0.0.0.0/0'], allowPublicTraffic: false },
          lifecycle: { onTimeout: 'kill' },
          metadata: { [RUNNER_METADATA]: creationId },
        }),
      );
    } catch (caught) {
      const { error, retry, maybeCreated } = startFailureOf(caught);
      if (maybeCreated) void disposal.reap(creationId, account);
      const waitMs = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1)) * (0.75 + Math.random() / 2);
      const tooLate = performance.now() + waitMs >= options.deadlineAt;
      if (!retry || tooLate || attempt === MAX_TRIES || options.signal.aborted) throw error;
      await sleep(waitMs, undefined, { signal: options.signal }).catch(() => undefined);
      if (options.signal.aborted) throw error;
    }
  }
}
