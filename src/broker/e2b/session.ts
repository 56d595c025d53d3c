// What one run knows of sandboxes: their access tokens, the commands it started in the background, and how much time it
// has left. Nothing is kept after the run. Knows no single capability.

import { E2B } from '../../e2b/api.ts';
import { apiOf } from '../../e2b/api-client.ts';
import { type ApiCallOptions, askApi, type Connection, type SdkOptions, sdkOptions } from '../../e2b/connection.ts';
import { type Access, accessOf, daemonOrigin, openHandle } from '../../e2b/handle.ts';
import { Sandbox } from '../../e2b/sdk.ts';
import type { Wire, WireFactory, WireOptions } from '../../e2b/wire.ts';
import { GatewayError } from '../../errors.ts';
import { refusePath } from '../../upstream/guard.ts';
import type { CallContext } from '../broker.ts';
import type { Act } from '../ledger.ts';
import { type Deadline, deadlineOf } from './deadline.ts';
import type { Follower } from './follower.ts';
import type { IsHidden } from './runners.ts';

export type SessionOptions = {
  readonly connection: Connection;
  readonly wires: WireFactory;
  /** The run's wall time, from now. */
  readonly wallMs: number;
  /** Aborts when the run ends, for whatever reason. */
  readonly signal: AbortSignal;
  readonly requestId: string;
  /** 0: no limit. */
  readonly maxSandboxesPerKey: number;
  /** Principal id -> sandboxes being made in all of its runs: E2B's list does not show them yet. */
  readonly underWay: Map<string, number>;
  readonly isHidden: IsHidden;
  /** Method -> what it does, as described. */
  readonly acts: ReadonlyMap<string, Act>;
  readonly progress: ((message: string) => void) | undefined;
  /** It began in an earlier request: commands it follows were followed there. */
  readonly resumed?: boolean;
};

/** What the SDK decodes at once, in some ten milliseconds: a list of some thousand files. */
const DAEMON_JSON = {
  maxBytes: Number.POSITIVE_INFINITY, // counted in all answers
  maxValues: 100_000,
  maxKeys: 100_000,
  maxDepth: 32,
  maxKeyBytes: 10_000,
};
/** Left over for the agent's code to read a result and return it. */
const MARGIN_MS = 1_000;
const SHORTEST_MS = 1_000;
/** Background commands of one run whose output is followed at once. */
const MAX_STREAMS = 20;

export class Session {
  readonly options: SessionOptions;
  /** pid -> what follows it, by sandbox: commands of this run that go on in the background. */
  readonly followers = new Map<string, Follower>();
  #streams = 0;
  readonly #endsAt: number;
  readonly #known = new Map<string, Promise<Access>>();
  /** Sandboxes that have no such token, or gave it again, see `reaching`. */
  readonly #connected = new Set<string>();
  readonly #endings: (() => void)[] = [];

  constructor(options: SessionOptions) {
    this.options = options;
    this.#endsAt = performance.now() + options.wallMs;
    const end = () => this.#endings.splice(0).forEach(action => void action());
    options.signal.addEventListener('abort', end, { once: true });
  }

  /**
   * Counts a stream that stays open between calls, until `ended`.
   * @throws GatewayError `budget_exceeded`
   */
  openStream(): { ended(): void } {
    if (this.#streams >= MAX_STREAMS) {
      throw new GatewayError(
        'budget_exceeded',
        `This run follows ${MAX_STREAMS} commands in the background. wait() for some, kill() or disconnect() them first.`,
      );
    }
    this.#streams++;
    return { ended: () => void this.#streams-- };
  }

  /** Called when the run ends, or now if it has. */
  atEnd(action: () => void): void {
    if (this.options.signal.aborted) action();
    else this.#endings.push(action);
  }

  /** Milliseconds until the run should have its answers. At least 1. */
  leftMs(): number {
    const left = this.#endsAt - performance.now();
    return Math.max(1, Math.floor(left - Math.min(MARGIN_MS, this.options.wallMs / 10)));
  }

  /** How long a call may wait for a command or for code. */
  deadline(askedMs: number | undefined): Deadline {
    return deadlineOf(askedMs, { leftMs: this.leftMs(), wallMs: this.options.wallMs });
  }

  /** `askedMs`: the call's own requestTimeoutMs. 0 is none, as in the SDK. */
  sdk({ principal, signal, limits }: CallContext, askedMs = 0): SdkOptions {
    // Not cut to what the run has left, so that `finally { await sbx.kill() }` still works: its end aborts the signal.
    const timeoutMs = askedMs === 0 ? limits.callTimeoutMs : Math.min(askedMs, limits.callTimeoutMs);
    return sdkOptions(this.options.connection, { apiKey: principal.apiKey, signal, timeoutMs });
  }

  /**
   * Asks E2B's API, with the SDK, as a part of this call. @param own replaces the call's, e.g. the signal of a
   * request that is finished after the run has ended
   */
  api<T>(
    context: CallContext,
    ask: (sdk: SdkOptions) => Promise<T>,
    own: Partial<Pick<ApiCallOptions, 'signal' | 'timeoutMs'>> = {},
  ): Promise<T> {
    const { principal, signal, limits, answer } = context;
    const call = {
      apiKey: principal.apiKey,
      principalId: principal.id,
      signal,
      timeoutMs: limits.callTimeoutMs,
      maxAnswerBytes: limits.maxAnswerBytes,
      checkPath: (path: string) => refusePath(path, E2B.dashboard),
      // A request that may outlive the call is small, and the run it would be counted for may be over.
      ...(own.signal === undefined && { onBytes: answer.take }),
      ...own,
    };
    return askApi(this.options.connection, call, ask);
  }

  learn(made: Sandbox): Access {
    const access = accessOf(made);
    this.#known.set(access.sandboxId, Promise.resolve(access));
    return access;
  }

  /** After it was paused or killed: its access is read anew at the next use. */
  forget(sandboxId: string): void {
    this.#known.delete(sandboxId);
  }

  /**
   * The right to talk to a running sandbox of this key. Asks E2B by reading: attaching never resumes or extends. Traffic
   * to a paused sandbox could resume it, so what does not run gets none; a run that only reads asks before each request,
   * since the sandbox may have been paused meanwhile.
   * @throws GatewayError `sandbox_not_running`, or the SDK's SandboxNotFoundError
   */
  async attach(sandboxId: string, context: CallContext): Promise<Access> {
    const known = this.#known.get(sandboxId) ?? this.readAccess(sandboxId, context);
    this.#known.set(sandboxId, known);
    let holds = false;
    try {
      const access = await known;
      holds = context.mode === 'write';
      return access;
    } finally {
      if (!holds && this.#known.get(sandboxId) === known) this.forget(sandboxId);
    }
  }

  /** Asks E2B anew. @throws GatewayError `sandbox_not_running`, or the SDK's SandboxNotFoundError */
  readAccess(sandboxId: string, context: CallContext): Promise<Access> {
    return this.api(context, sdk => readAccess(sandboxId, sdk));
  }

  /**
   * With the token that requests to its ports need where `allowPublicTraffic` is false. Only making and connecting give
   * it out, and nothing of a run that was interrupted keeps it: this connects again. The sandbox runs, and its time is
   * only ever extended, so a second changes nothing.
   */
  async reaching(access: Access, context: CallContext): Promise<Access> {
    const { sandboxId, trafficAccessToken } = access;
    if (this.options.resumed !== true || trafficAccessToken !== undefined) return access;
    if (this.#connected.has(sandboxId)) return access;
    const connected = await this.api(context, sdk => Sandbox.connect(sandboxId, { ...sdk, timeoutMs: SHORTEST_MS }));
    this.#connected.add(sandboxId);
    return this.learn(connected);
  }

  /** An SDK instance for one call. */
  handle(
    access: Access,
    sdk: SdkOptions,
    context: CallContext,
    bounds: Pick<WireOptions, 'maxAnswerBytes' | 'maxMessageBytes'>,
  ): { readonly sandbox: Sandbox; readonly wire: Wire } {
    const wire = this.options.wires.open({
      origin: daemonOrigin(access, sdk),
      principalId: context.principal.id,
      signal: sdk.signal,
      json: DAEMON_JSON,
      turn: context.turn,
      ...bounds,
    });
    return { sandbox: openHandle(access, sdk, wire), wire };
  }
}

async function readAccess(sandboxId: string, sdk: SdkOptions): Promise<Access> {
  const { data, error, response } = await apiOf(sdk).GET('/sandboxes/{sandboxID}', {
    params: { path: { sandboxID: sandboxId } },
    signal: AbortSignal.any([sdk.signal, AbortSignal.timeout(sdk.requestTimeoutMs)]),
  });
  if (data === undefined) throw apiError(response.status, sandboxId, error);
  if (data.state !== 'running') {
    throw new GatewayError(
      'sandbox_not_running',
      `Sandbox ${sandboxId} is ${data.state}. Sandbox.connect('${sandboxId}') in execute_write resumes it.`,
    );
  }
  return {
    sandboxId,
    domain: data.domain ?? undefined,
    envdVersion: data.envdVersion,
    envdAccessToken: data.envdAccessToken ?? undefined,
    trafficAccessToken: undefined,
  };
}

/** With the SDK's name and message. */
function apiError(status: number, sandboxId: string, error: { message?: string } | undefined): Error {
  const name = ({ 401: 'AuthenticationError', 404: 'SandboxNotFoundError', 429: 'RateLimitError' } as const)[status];
  const message = status === 404 ? `Sandbox ${sandboxId} not found` : `${status}: ${error?.message ?? 'no answer'}`;
  return Object.assign(new Error(message), { name: name ?? 'SandboxError', statusCode: status });
}
