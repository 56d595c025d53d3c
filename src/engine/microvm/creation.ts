// Creates the sandbox of a run, without network access from the start, tagged, and with a timeout a little longer than the
// run's. This is the only request that is retried; each attempt has its own id, so that a lost sandbox can be found.
import { setTimeout as sleep } from 'node:timers/promises';
import { RUNNER_METADATA } from '../../e2b/metadata.ts';
import { Sandbox } from '../../e2b/sdk.ts';
import { GatewayError } from '../../errors.ts';
import { type Account, ask, type Disposal } from './disposal.ts';
import { startFailureOf } from './start-failure.ts';

export type CreationOptions = {
  readonly template: string;
  /** Timeout of the sandbox. */
  readonly lifeMs: number;
  /** The value of `performance.now()` by which it must exist. */
  readonly deadlineAt: number;
  /** Aborted when no run waits for it any more: the current attempt is finished, and no other is made. */
  readonly signal: AbortSignal;
};

const MAX_TRIES = 8;
const FIRST_WAIT_MS = 250;
const MAX_WAIT_MS = 4_000;

/** @throws GatewayError engine_*. Nothing of the agent's code has run then. */
export async function createSandbox(
  runId: string,
  account: Account,
  options: CreationOptions,
  disposal: Disposal,
): Promise<Sandbox> {
  // With an empty key, the SDK would use one from the gateway's environment.
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
