// Gets rid of sandboxes, in the background: kills what a run leaves, and finds and kills what was created without our
// hearing of it. Retries and logs; what fails for good ends by the sandbox's own timeout.
import { Sandbox } from 'e2b';
import { RUNNER_METADATA } from '../../e2b/metadata.ts';

export type Connection = {
  readonly apiKey: string;
  readonly apiUrl: string;
  readonly domain: string;
  readonly sandboxUrl?: string;
};

export type EngineLog = (message: string, cause: unknown) => void;

const REQUEST_TIMEOUT_MS = 10_000;
/** Before each try. A kill mostly works at once; upstream trouble passes in seconds. */
const KILL_AFTER_MS = [0, 250, 1_000, 3_000, 10_000, 20_000];
/** A sandbox whose creation was not answered may come up late. */
const LOOK_AFTER_MS = [0, 2_000, 10_000];

export class Disposal {
  readonly #log: EngineLog;
  readonly #underWay = new Set<Promise<unknown>>();
  /** Aborted by close(): no more waiting between tries. */
  readonly #hurry = new AbortController();

  constructor(log: EngineLog) {
    this.#log = log;
  }

  /** Resolves when the sandbox is gone, with true, or when every try has failed. Never rejects. */
  kill(sandboxId: string, connection: Connection): Promise<boolean> {
    return this.track(this.#kill(sandboxId, connection));
  }

  /** Kills every sandbox whose metadata names this creation. */
  reap(creationId: string, connection: Connection): Promise<void> {
    return this.track(this.#reap(creationId, connection));
  }

  /** Waits for what is under way, at most `timeoutMs`. */
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
    if (this.#underWay.size > 0) this.#log(`${this.#underWay.size} sandboxes are left to their own timeout`, undefined);
  }

  /** `close` waits for it. */
  track<T>(work: Promise<T>): Promise<T> {
    const tracked = work.finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
    return tracked;
  }

  async #kill(sandboxId: string, connection: Connection): Promise<boolean> {
    for (const afterMs of KILL_AFTER_MS) {
      await this.#pause(afterMs);
      try {
        await Sandbox.kill(sandboxId, { ...connection, debug: false, requestTimeoutMs: REQUEST_TIMEOUT_MS });
        return true;
      } catch (caught) {
        this.#log(`sandbox ${sandboxId} could not be killed`, caught);
      }
    }
    return false;
  }

  async #reap(creationId: string, connection: Connection): Promise<void> {
    for (const afterMs of LOOK_AFTER_MS) {
      await this.#pause(afterMs);
      try {
        for (const sandboxId of await this.#find(creationId, connection)) await this.#kill(sandboxId, connection);
      } catch (caught) {
        this.#log('sandboxes of a lost creation could not be listed', caught);
      }
    }
  }

  async #find(creationId: string, connection: Connection): Promise<string[]> {
    const found = Sandbox.list({
      ...connection,
      debug: false,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      query: { metadata: { [RUNNER_METADATA]: creationId } },
    });
    const ids: string[] = [];
    while (found.hasNext) for (const { sandboxId } of await found.nextItems()) ids.push(sandboxId);
    return ids;
  }

  /** In a hurry, tries follow each other closely; the first of each kind is never left out. */
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
