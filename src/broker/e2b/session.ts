// The state of one run: access tokens of sandboxes, background commands, and the time that is left. Nothing is kept
// after the run. Knows no particular capability.

import { E2B } from '../../e2b/api.ts';
import { apiOf } from '../../e2b/api-client.ts';
import {
  type ApiCallOptions,
  askApi,
  type Connection,
  notItsProtocol,
  type SdkOptions,
  sdkOptions,
} from '../../e2b/connection.ts';
import { type Access, accessOf, checkAccess, daemonOrigin, openHandle } from '../../e2b/handle.ts';
import { Sandbox } from '../../e2b/sdk.ts';
import type { Wire, WireFactory, WireOptions } from '../../e2b/wire.ts';
import { GatewayError } from '../../errors.ts';
import { isRecord } from '../../ground/json.ts';
import { refusePath } from '../../upstream/guard.ts';
import type { CallContext } from '../capabilities.ts';
import type { Act } from '../ledger.ts';
import { type Deadline, deadlineOf } from './deadline.ts';
import type { Follower } from './follower.ts';
import type { IsHidden } from './runners.ts';

/** Sandboxes that are being created. `ended` resolves when that has succeeded or failed. */
export type Creation = { readonly wanted: number; readonly ended: Promise<void> };

export type SessionOptions = {
  readonly connection: Connection;
  readonly wires: WireFactory;
  /** Time limit of the run, counted from now. */
  readonly wallMs: number;
  /** Aborts when the run ends, for whatever reason. */
  readonly signal: AbortSignal;
  readonly requestId: string;
  /** 0: no limit. */
  readonly maxSandboxesPerKey: number;
  /** Principal id -> creations in progress in all its runs, in the order in which they began. */
  readonly underWay: Map<string, Set<Creation>>;
  readonly isHidden: IsHidden;
  /** Method -> its act according to the description. */
  readonly acts: ReadonlyMap<string, Act>;
  readonly progress: ((message: string) => void) | undefined;
  /** The run began in an earlier request, so its commands were followed in that one. */
  readonly resumed?: boolean;
};

/** Limits of a response that the SDK decodes at once, in tens of milliseconds: a list of some thousand files. */
const DAEMON_JSON = {
  maxBytes: Number.POSITIVE_INFINITY, // limited for each response by maxAnswerBytes
  maxValues: 100_000,
  maxKeys: 100_000,
  maxDepth: 32,
  maxKeyBytes: 10_000,
};
/** Time left for the agent's code to read a result and return. */
const MARGIN_MS = 1_000;
const SHORTEST_MS = 1_000;
/** Maximum number of background commands of one run that are followed at the same time. */
const MAX_STREAMS = 20;

export class Session {
  readonly options: SessionOptions;
  /** `<sandbox id>:<pid>` -> follower of a background command of this run. */
  readonly followers = new Map<string, Follower>();
  #streams = 0;
  readonly #endsAt: number;
  readonly #known = new Map<string, Promise<Access>>();
  /** Sandboxes to which `reaching` has connected already. */
  readonly #connected = new Set<string>();
  readonly #endings: (() => void)[] = [];

  constructor(options: SessionOptions) {
    this.options = options;
    this.#endsAt = performance.now() + options.wallMs;
    const end = () => this.#endings.splice(0).forEach(action => void action());
    options.signal.addEventListener('abort', end, { once: true });
  }

  /**
   * Counts a stream that stays open between calls, until `ended()` is called.
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

  /** Runs the action when the run ends, or now if it has ended. */
  atEnd(action: () => void): void {
    if (this.options.signal.aborted) action();
    else this.#endings.push(action);
  }

  /** Milliseconds until the run's calls should be over. At least 1. */
  leftMs(): number {
    const left = this.#endsAt - performance.now();
    return Math.max(1, Math.floor(left - Math.min(MARGIN_MS, this.options.wallMs / 10)));
  }

  /** How long a call may wait for a command or for code. */
  deadline(askedMs: number | undefined): Deadline {
    return deadlineOf(askedMs, { leftMs: this.leftMs(), wallMs: this.options.wallMs });
  }

  /** `askedMs`: the call's own requestTimeoutMs; 0 means none, as in the SDK. */
  sdk({ principal, signal, limits }: CallContext, askedMs = 0): SdkOptions {
    // Not limited to the run's remaining time, so that `finally { await sbx.kill() }` works; its end aborts the signal.
    const timeoutMs = askedMs === 0 ? limits.callTimeoutMs : Math.min(askedMs, limits.callTimeoutMs);
    return sdkOptions(this.options.connection, { apiKey: principal.apiKey, signal, timeoutMs });
  }

  /**
   * Sends a request to E2B's API with the SDK, as part of this call. `own` replaces options of the call, e.g. the
   * signal for a request that must finish even if the run ends.
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
      // The bytes of a request that may outlive the run are not counted: it is small, and the run may have ended.
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

  /** Call it after a pause or kill: the next use reads the access again. */
  forget(sandboxId: string): void {
    this.#known.delete(sandboxId);
  }

  /**
   * Gets access to a running sandbox of this key. Only reads from E2B, so it never resumes or extends the sandbox.
   * Requests to a paused sandbox could resume it, so there is no access to one. execute_read asks before each request,
   * since the sandbox may have been paused in the meantime.
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

  /** Asks E2B without the cache. @throws GatewayError `sandbox_not_running`, or the SDK's SandboxNotFoundError */
  readAccess(sandboxId: string, context: CallContext): Promise<Access> {
    return this.api(context, sdk => readAccess(sandboxId, sdk));
  }

  /**
   * Adds the token that requests to ports need if `allowPublicTraffic` is false. E2B returns it only when a sandbox is
   * created or connected to, and a resumed run has lost it, so this connects again. The sandbox is running, and
   * connecting can only extend its timeout, so the short timeout here changes nothing.
   */
  async reaching(access: Access, context: CallContext): Promise<Access> {
    const { sandboxId, trafficAccessToken } = access;
    if (this.options.resumed !== true || trafficAccessToken !== undefined) return access;
    if (this.#connected.has(sandboxId)) return access;
    const connected = await this.api(context, sdk => Sandbox.connect(sandboxId, { ...sdk, timeoutMs: SHORTEST_MS }));
    this.#connected.add(sandboxId);
    return this.learn(connected);
  }

  /** Creates an SDK instance for one call. */
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
  if (!isRecord(data)) throw notItsProtocol();
  if (data.state !== 'running') {
    throw new GatewayError(
      'sandbox_not_running',
      `Sandbox ${sandboxId} ${data.state === 'paused' ? 'is paused' : 'does not run'}. Sandbox.connect('${sandboxId}') in execute_write resumes it.`,
    );
  }
  const { domain, envdVersion, envdAccessToken } = data;
  return checkAccess({ sandboxId, domain, envdVersion, envdAccessToken, trafficAccessToken: undefined });
}

/** Uses the SDK's error names and messages. */
function apiError(status: number, sandboxId: string, error: { message?: string } | undefined): Error {
  const name = ({ 401: 'AuthenticationError', 404: 'SandboxNotFoundError', 429: 'RateLimitError' } as const)[status];
  const message = status === 404 ? `Sandbox ${sandboxId} not found` : `${status}: ${error?.message ?? 'no answer'}`;
  return Object.assign(new Error(message), { name: name ?? 'SandboxError', statusCode: status });
}
