// The microVM engine: runs each run in an E2B sandbox of its own without network access. This file limits and counts the
// runs; a single run is in run.ts.

import { type Connection, connect } from '../../e2b/connection.ts';
import { WireFactory } from '../../e2b/wire.ts';
import type { ErrorCode } from '../../errors.ts';
import { isBase64 } from '../../ground/base64.ts';
import { FairQueue } from '../../ground/fair-queue.ts';
import { HostTurns } from '../../ground/host-turns.ts';
import { checkedText } from '../../ground/json-check.ts';
import type { Engine, EngineStats, Job, Outcome } from '../engine.ts';
import { gatewayFault, Transcript } from '../transcript.ts';
import type { PayloadChecks } from './conversation.ts';
import { type Account, Disposal, type EngineLog } from './disposal.ts';
import { type PackedRunner, packRunner } from './pack.ts';
import { Run, type RunParts } from './run.ts';

export type E2bOptions = {
  /** The description for `search`, as JSON, see spec/description.ts. */
  readonly descriptionJson: string;
  readonly connection: Connection;
  /** A template with Node 18 or newer. Default `base`. */
  readonly template?: string | undefined;
  /** The key of the account in which sandboxes are created. Default: the caller's. */
  readonly runnerApiKey?: string | undefined;
  /** Maximum number of sandboxes at one time. Default 100. */
  readonly maxRuns?: number;
  /** Maximum number of runs that wait for a sandbox; more get `busy`. Default 256. */
  readonly maxQueued?: number;
  /** How long a run may wait for its turn before it gets `busy`. Default 5,000. */
  readonly maxQueueMs?: number;
  /** Timeout from the creation of a sandbox to the first line of the agent's code. Default 30,000. */
  readonly startTimeoutMs?: number;
  /** How much longer than its run a sandbox may exist if the gateway dies. Default 10,000. */
  readonly graceMs?: number;
  /** The turns of all work on the main thread. Default: turns of the engine's own. */
  readonly turns?: HostTurns | undefined;
  /** Default: on the main thread. */
  readonly checks?: PayloadChecks | undefined;
  readonly log?: EngineLog;
};

/** @public For the bench and a test, which load the built engine separately. */
export { connect };

export type E2bEngine = Engine & {
  /** True for sandboxes of this engine that may still exist; agents must not see or use them. */
  isRunner(sandboxId: string): boolean;
};

/** @public For tests that start a run without the engine. */
export const CHECKS_HERE: PayloadChecks = {
  readResult: async (bytes, noteChars) => checkedText(bytes, noteChars),
  checkBase64: async (bytes, typeChars) => (isBase64(bytes.subarray(typeChars)) ? bytes : undefined),
};

const RETRY_AFTER_MS = 2_000;
const CLOSE_TIMEOUT_MS = 15_000;

type Waiting = { readonly leave: (code: ErrorCode | undefined) => void };

export function createE2bEngine(options: E2bOptions): E2bEngine {
  return new MicrovmEngine(options);
}

class MicrovmEngine implements E2bEngine {
  readonly name = 'e2b';
  readonly #options: E2bOptions;
  readonly #log: EngineLog;
  readonly #disposal: Disposal;
  readonly #wires = new WireFactory();
  readonly #turns: HostTurns;
  readonly #execute: PackedRunner = packRunner('execute');
  #search: PackedRunner;
  readonly #queue = new FairQueue<Waiting>();
  readonly #live = new Set<Run>();
  readonly #runners = new Set<string>();
  readonly #maxRuns: number;
  #places: number;
  #closed = false;

  constructor(options: E2bOptions) {
    this.#options = options;
    this.#log = options.log ?? (() => undefined);
    this.#disposal = new Disposal(this.#log);
    this.#turns = options.turns ?? new HostTurns();
    this.#search = packRunner('search', options.descriptionJson);
    this.#maxRuns = options.maxRuns ?? 100;
    this.#places = this.#maxRuns;
  }

  isRunner(sandboxId: string): boolean {
    return this.#runners.has(sandboxId);
  }

  nameFor(): string {
    return this.name;
  }

  async describe(descriptionJson: string): Promise<void> {
    this.#search = packRunner('search', descriptionJson);
  }

  stats(): EngineStats {
    const running = [...this.#live].filter(run => run.started).length;
    return {
      workers: this.#maxRuns,
      running,
      waiting: 0,
      queued: this.#queue.size + this.#live.size - running,
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { leave } of this.#queue.remove(() => true)) leave('busy');
    for (const run of this.#live) run.fail('engine_lost');
    await this.#disposal.close(CLOSE_TIMEOUT_MS);
    await this.#wires.close();
  }

  async run(job: Job): Promise<Outcome> {
    if (job.asWritten === true) return new Transcript(job).unread(0);
    const parts = this.#partsFor(job);
    const refusal = await this.#admit(job);
    if (refusal !== undefined) {
      const retryAfterMs = refusal === 'busy' ? RETRY_AFTER_MS : undefined;
      return new Transcript(job).failed(gatewayFault(refusal, undefined, retryAfterMs), 0);
    }
    const run = new Run(job, parts);
    this.#live.add(run);
    run.start();
    const outcome = await run.outcome;
    this.#live.delete(run);
    this.#release();
    return outcome;
  }

  #partsFor({ principal, surface }: Job): RunParts {
    const { connection, runnerApiKey, template, startTimeoutMs, graceMs } = this.#options;
    const { id: principalId } = principal;
    const turn = () => this.#turns.pass({ principalId, name: 'a microVM' });
    const account = { e2b: connection, apiKey: runnerApiKey ?? principal.apiKey, principalId, turn };
    return {
      pack: surface === 'search' ? this.#search : this.#execute,
      account,
      template: template ?? 'base',
      startTimeoutMs: startTimeoutMs ?? 30_000,
      graceMs: graceMs ?? 10_000,
      disposal: this.#disposal,
      wires: this.#wires,
      turns: this.#turns,
      checks: this.#options.checks ?? CHECKS_HERE,
      own: sandboxId => this.#own(sandboxId, account),
      log: this.#log,
    };
  }

  /** A sandbox that could not be killed stays in the list, because it exists until its timeout. */
  #own(sandboxId: string, account: Account): () => void {
    this.#runners.add(sandboxId);
    return () => {
      void this.#disposal.kill(sandboxId, account).then(gone => gone && this.#runners.delete(sandboxId));
    };
  }

  // Admission: a limit on sandboxes, and a short queue in which callers take turns.

  /** Waits for a free place. Returns undefined, or the code of the error if there is none. */
  #admit(job: Job): Promise<ErrorCode | undefined> | ErrorCode | undefined {
    if (job.signal.aborted) return 'cancelled';
    if (this.#closed) return 'busy';
    if (this.#places > 0) {
      this.#places -= 1;
      return undefined;
    }
    if (this.#queue.size >= (this.#options.maxQueued ?? 256)) return 'busy';
    return new Promise(resolve => {
      const leave = (code: ErrorCode | undefined): void => {
        clearTimeout(timer);
        job.signal.removeEventListener('abort', cancel);
        this.#queue.remove(other => other === waiting);
        resolve(code);
      };
      const waiting: Waiting = { leave };
      const cancel = (): void => leave('cancelled');
      const timer = setTimeout(() => leave('busy'), this.#options.maxQueueMs ?? 5_000);
      job.signal.addEventListener('abort', cancel, { once: true });
      this.#queue.pushStart(job.principal.id, waiting);
    });
  }

  /** Gives the place to the next run in the queue, or frees it. */
  #release(): void {
    const next = this.#queue.shift(
      () => true,
      () => true,
    );
    if (next === undefined) this.#places += 1;
    else next.leave(undefined);
  }
}
