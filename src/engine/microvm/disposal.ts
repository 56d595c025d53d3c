// Kills sandboxes in the background: those of runs that have ended, and those that were created although the response was
// lost. Retries and logs failures; a sandbox that cannot be killed ends by its own timeout.
import { askApi, type Connection, type SdkOptions } from '../../e2b/connection.ts';
import { RUNNER_METADATA } from '../../e2b/metadata.ts';
import { Sandbox } from '../../e2b/sdk.ts';

/** The account in which a sandbox is created. */
export type Account = {
  readonly e2b: Connection;
  readonly apiKey: string;
  /** The id of the caller of the run. */
  readonly principalId: string;
  /** Awaited before each request. */
  readonly turn?: () => Promise<void>;
};

/** Makes an API request for this account, with a timeout. */
export async function ask<T>(
  { e2b, apiKey, principalId, turn }: Account,
  timeoutMs: number,
  request: (sdk: SdkOptions) => Promise<T>,
): Promise<T> {
  await turn?.();
  return askApi(e2b, { apiKey, principalId, timeoutMs, signal: AbortSignal.timeout(timeoutMs) }, request);
}

export type EngineLog = (message: string, cause: unknown) => void;

const REQUEST_TIMEOUT_MS = 10_000;
/** Pauses before each attempt. A kill usually works at once; upstream problems usually end in seconds. */
const KILL_AFTER_MS = [0, 250, 1_000, 3_000, 10_000, 20_000];
/** Pauses before each search for a sandbox whose creation got no response: it may appear late. */
const LOOK_AFTER_MS = [0, 2_000, 10_000];

export class Disposal {
  readonly #log: EngineLog;
  readonly #underWay = new Set<Promise<unknown>>();
  /** Aborted by close(), which shortens the pauses. */
  readonly #hurry = new AbortController();

  constructor(log: EngineLog) {
    this.#log = log;
  }

  /** Resolves with true when the sandbox is killed, with false when every attempt has failed. Never rejects. */
  kill(sandboxId: string, account: Account): Promise<boolean> {
    return this.track(this.#kill(sandboxId, account));
  }

  /** Finds and kills every sandbox with this creation id in its metadata. */
  reap(creationId: string, account: Account): Promise<void> {
    return this.track(this.#reap(creationId, account));
  }

  /** Waits for the work that is running, at most `timeoutMs`. */
  async close(timeoutMs: number): Promise<void> {
    this.#hurry.abort();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>(resolve => {
      timer = setTimeout(resolve, timeoutMs);
    });
    const settled = (async () => {
      while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
    })();
    await Promise.race([settled, late]);
    clearTimeout(timer);
    if (this.#underWay.size > 0)
      this.#log(`${this.#underWay.size} sandboxes were not killed and will end by their own timeout`, undefined);
  }

  /** Makes `close` wait for `work`. */
  track<T>(work: Promise<T>): Promise<T> {
    const tracked = work.finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
    return tracked;
  }

  async #kill(sandboxId: string, account: Account): Promise<boolean> {
    for (const afterMs of KILL_AFTER_MS) {
      await this.#pause(afterMs);
      try {
        await ask(account, REQUEST_TIMEOUT_MS, sdk => Sandbox.kill(sandboxId, sdk));
        return true;
      } catch (caught) {
        this.#log(`sandbox ${sandboxId} could not be killed`, caught);
      }
    }
    return false;
  }

  async #reap(creationId: string, account: Account): Promise<void> {
    for (const afterMs of LOOK_AFTER_MS) {
      await this.#pause(afterMs);
      try {
        for (const sandboxId of await this.#find(creationId, account)) await this.#kill(sandboxId, account);
      } catch (caught) {
        this.#log('sandboxes whose creation got no response could not be listed', caught);
      }
    }
  }

  async #find(creationId: string, account: Account): Promise<string[]> {
    return ask(account, REQUEST_TIMEOUT_MS, async ({ signal: _, ...sdk }) => {
      const found = Sandbox.list({ ...sdk, query: { metadata: { [RUNNER_METADATA]: creationId } } });
      const ids: string[] = [];
      while (found.hasNext) for (const { sandboxId } of await found.nextItems()) ids.push(sandboxId);
      return ids;
    });
  }

  /** Waits before an attempt; only briefly once close() was called. */
  #pause(ms: number): Promise<void> {
    const { signal } = this.#hurry;
    if (ms === 0) return Promise.resolve();
    return new Promise(resolve => {
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(
        () => {
          signal.removeEventListener('abort', done);
          resolve();
        },
        signal.aborted ? Math.min(ms, 250) : ms,
      ).unref();
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
