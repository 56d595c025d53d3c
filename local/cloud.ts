// The registry both planes of local mode share: which sandboxes there are, whose they are, how they live and die. Knows
// no HTTP.
import { randomUUID } from 'node:crypto';
import type * as parts from './sandbox.ts';
import { CloudError, emptyMachine, newSandboxId, newToken } from './sandbox.ts';
import { type Clock, systemClock } from './time.ts';

export type * from './sandbox.ts';
export { CloudError } from './sandbox.ts';

type Sandbox = parts.Sandbox;

export type CloudLimits = { readonly maxRunningPerTeam: number; readonly maxLifeMs: number };

/** The free tier's: 20 at once, an hour each. */
const FREE_TIER: CloudLimits = { maxRunningPerTeam: 20, maxLifeMs: 3_600_000 };

export type CloudOptions = {
  readonly machineFactory?: parts.MachineFactory | undefined;
  readonly clock?: Clock | undefined;
  readonly limits?: CloudLimits | undefined;
  readonly warn?: ((message: string) => void) | undefined;
};

const MAX_LOGS = 10_000;
const MIN_WAKE_MS = 300_000;

/** For what is no failure when another's change came first. */
const unless = (code: CloudError['code']) => (caught: unknown) => {
  if (caught instanceof CloudError && caught.code === code) return false;
  throw caught;
};

/** What the registry alone sees and changes of a sandbox. */
type Live = { -readonly [K in keyof Sandbox]: Sandbox[K] } & {
  readonly logs: parts.LogEntry[];
  cancelExpiry: () => void;
  readonly createdForMs: number;
  /** The pause or resume under way: those who ask for the same join it. */
  changing: { readonly to: Sandbox['state']; readonly done: Promise<void> } | undefined;
  /** The last of the changes asked for, so that they happen one after the other. */
  turn: Promise<unknown>;
};

export class Cloud {
  readonly clock: Clock;
  readonly limits: CloudLimits;
  readonly warn: (message: string) => void;
  readonly #sandboxes = new Map<string, Live>();
  /** For machines that are starting: simultaneous creates must not pass the limit. */
  readonly #reserved = new Set<{ readonly teamId: string }>();
  /** For what is no sandbox: a build. The caller closes it. */
  readonly makeMachine: parts.MachineFactory;
  readonly #observers = new Set<(event: parts.LifecycleEvent) => void>();
  /** What sandboxes are reached below. */
  domain: string | undefined;
  #closed = false;

  constructor(options: CloudOptions = {}) {
    this.clock = options.clock ?? systemClock;
    this.limits = options.limits ?? FREE_TIER;
    this.warn = options.warn ?? (() => {});
    this.makeMachine = options.machineFactory ?? (async () => emptyMachine);
  }

  onLifecycle(observer: (event: parts.LifecycleEvent) => void): void {
    this.#observers.add(observer);
  }

  tell(kind: parts.LifecycleEvent['kind'], sandbox: Sandbox, data?: object): void {
    for (const observe of this.#observers) observe({ kind, sandbox, data });
  }

  /** Of any team: the control plane compares `spec.teamId`, the data plane tokens. */
  find(sandboxId: string): Sandbox | undefined {
    return this.#sandboxes.get(sandboxId);
  }

  /** Of all teams. */
  all(): Sandbox[] {
    return [...this.#sandboxes.values()];
  }

  ofTeam(teamId: string): Sandbox[] {
    return this.all().filter(sandbox => sandbox.spec.teamId === teamId);
  }

  /** `content`: the machine to copy (a snapshot's, or a running sandbox's for a fork) instead of a fresh one. */
  async create(spec: parts.SandboxSpec, timeoutMs: number, content?: parts.Machine): Promise<Sandbox> {
    const release = this.#reserve(spec.teamId);
    try {
      const sandboxId = newSandboxId();
      const machine = await (content?.copy({ ...spec, sandboxId }) ?? this.makeMachine({ ...spec, sandboxId }));
      if (this.#closed) {
        await machine.close();
        throw new CloudError('closed');
      }
      return this.#add(sandboxId, spec, machine, timeoutMs);
    } finally {
      release();
    }
  }

  /** @throws CloudError sandbox_gone */
  kill(sandbox: Sandbox): Promise<void> {
    return this.#change(sandbox, live => this.#remove(live));
  }

  /** @throws CloudError sandbox_gone, already_paused */
  pause(sandbox: Sandbox, options = { keepMemory: true }): Promise<void> {
    return this.#join(sandbox, 'paused', async live => {
      if (live.state === 'paused') throw new CloudError('already_paused', live.sandboxId);
      await this.#freeze(live, options.keepMemory);
    });
  }

  /** @throws CloudError sandbox_gone, already_running, too_many_running */
  resume(sandbox: Sandbox, timeoutMs: number, options = { keepMemory: true }): Promise<void> {
    return this.#join(sandbox, 'running', async live => {
      if (live.state === 'running') throw new CloudError('already_running', live.sandboxId);
      const release = this.#reserve(live.spec.teamId);
      try {
        if (!options.keepMemory) await live.machine.freeze({ keepMemory: false });
        await live.machine.thaw();
        const [startedAtMs, executionId] = [this.clock.now(), randomUUID()];
        Object.assign(live, { state: 'running', startedAtMs, memoryDropped: false, executionId });
        this.#expireAt(live, startedAtMs + timeoutMs);
        this.tell('resumed', live);
      } finally {
        release();
      }
    });
  }

  /** False when another resume came first. @throws CloudError sandbox_gone, too_many_running */
  resumeUnlessRunning(...[sandbox, timeoutMs, options]: Parameters<Cloud['resume']>): Promise<boolean> {
    return this.resume(sandbox, timeoutMs, options).then(() => true, unless('already_running'));
  }

  /** Whether traffic wakes it: paused, made so, and nothing of its memory was dropped. */
  wakes({ state, spec, memoryDropped }: Sandbox): boolean {
    return state === 'paused' && spec.autoResume && !memoryDropped;
  }

  /** Runs it, if traffic wakes it, for as long as it was made for but five minutes at least. @throws CloudError */
  async wake(sandbox: Sandbox): Promise<void> {
    if (!this.wakes(sandbox)) return;
    const timeoutMs = Math.max(MIN_WAKE_MS, this.#sandboxes.get(sandbox.sandboxId)?.createdForMs ?? 0);
    // A kill may come first.
    await this.resumeUnlessRunning(sandbox, timeoutMs).catch(unless('sandbox_gone'));
  }

  /** The sandbox then ends `timeoutMs` from now, but never later than its longest life; `extendOnly` never shortens. */
  setTimeout(sandbox: Sandbox, timeoutMs: number, options = { extendOnly: false }): void {
    const live = this.#running(sandbox);
    const endAtMs = this.clock.now() + timeoutMs;
    if (options.extendOnly && endAtMs <= sandbox.endAtMs) return;
    this.#expireAt(live, endAtMs);
    this.tell('updated', sandbox, { set_timeout: new Date(sandbox.endAtMs).toISOString() });
  }

  /** Replaces the egress rules; what concerns incoming traffic stays. */
  setNetwork(sandbox: Sandbox, egress: parts.NetworkConfig, allowInternetAccess: boolean | undefined): void {
    const live = this.#running(sandbox);
    const { allowPublicTraffic, maskRequestHost, httpsPorts } = sandbox.network ?? {};
    const network = { ...egress, allowPublicTraffic, maskRequestHost, httpsPorts };
    Object.assign(live, { network, allowInternetAccess });
    this.tell('updated', sandbox);
  }

  /** A copy of the machine, taken while nothing else changes the sandbox. */
  copyMachine(sandbox: Sandbox): Promise<parts.Machine> {
    return this.#change(sandbox, ({ sandboxId, spec, machine }) => machine.copy({ ...spec, sandboxId }));
  }

  /** Adds a line to the sandbox's log, which the logs routes show; the oldest go first. */
  log(sandbox: Sandbox, level: parts.LogEntry['level'], message: string, fields: parts.LogEntry['fields'] = {}): void {
    const logs = this.#sandboxes.get(sandbox.sandboxId)?.logs ?? [];
    logs.push({ timestamp: new Date(this.clock.now()).toISOString(), level, message, fields });
    if (logs.length > MAX_LOGS) logs.shift();
  }

  /** Ends every sandbox. Whatever is asked afterwards is refused. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.all().map(sandbox => this.kill(sandbox)));
  }

  #add(sandboxId: string, spec: parts.SandboxSpec, machine: parts.Machine, timeoutMs: number): Sandbox {
    const nowMs = this.clock.now();
    const live: Live = {
      sandboxId,
      executionId: randomUUID(),
      domain: this.domain,
      spec,
      machine,
      envdAccessToken: spec.secure ? newToken() : undefined,
      trafficAccessToken: spec.network?.allowPublicTraffic === false ? newToken() : undefined,
      network: spec.network,
      allowInternetAccess: spec.allowInternetAccess,
      state: 'running',
      memoryDropped: false,
      startedAtMs: nowMs,
      endAtMs: nowMs,
      logs: [],
      cancelExpiry: () => {},
      createdForMs: timeoutMs,
      changing: undefined,
      turn: Promise.resolve(),
    };
    this.#sandboxes.set(sandboxId, live);
    this.#expireAt(live, nowMs + timeoutMs);
    this.log(live, 'info', 'Sandbox started');
    this.tell('created', live);
    return live;
  }

  #expireAt(live: Live, endAtMs: number): void {
    live.cancelExpiry();
    live.endAtMs = Math.min(endAtMs, live.startedAtMs + this.limits.maxLifeMs);
    live.cancelExpiry = this.clock.after(live.endAtMs - this.clock.now(), () => {
      // No caller waits for an expiry, so its failure cannot be reported to one.
      this.#change(live, () => this.#expire(live)).catch(() => {});
    });
  }

  /** A change that was waiting may have moved the end or paused the sandbox: look again. */
  async #expire(live: Live): Promise<void> {
    if (live.state !== 'running') return;
    // Not yet: the end was moved, or the timer was early.
    if (live.endAtMs > this.clock.now()) return this.#expireAt(live, live.endAtMs);
    if (live.spec.onTimeout === 'pause') await this.#freeze(live, live.spec.keepMemoryOnTimeout);
    else await this.#remove(live);
  }

  async #freeze(live: Live, keepMemory: boolean): Promise<void> {
    live.cancelExpiry();
    // Paused from the first moment: no new request may start while the machine winds down.
    Object.assign(live, { state: 'paused', memoryDropped: !keepMemory, endAtMs: this.clock.now() });
    await live.machine.freeze({ keepMemory });
    this.tell('paused', live);
  }

  async #remove(live: Live): Promise<void> {
    live.cancelExpiry();
    live.state = 'gone';
    this.#sandboxes.delete(live.sandboxId);
    this.tell('killed', live);
    await live.machine.close();
  }

  /** @throws CloudError sandbox_gone */
  #live({ sandboxId }: Sandbox): Live {
    const live = this.#sandboxes.get(sandboxId);
    if (live === undefined) throw new CloudError('sandbox_gone', sandboxId);
    return live;
  }

  #running(sandbox: Sandbox): Live {
    if (sandbox.state !== 'running') throw new CloudError('sandbox_gone', sandbox.sandboxId);
    return this.#live(sandbox);
  }

  /** Runs `work` after the changes asked for before it, unless one of them ended the sandbox. */
  async #change<T>(sandbox: Sandbox, work: (live: Live) => Promise<T>): Promise<T> {
    const live = this.#live(sandbox);
    const result = live.turn.then(() => work(this.#live(sandbox)));
    live.turn = result.catch(() => {});
    return result;
  }

  /** The change, or the same one under way. */
  async #join(sandbox: Sandbox, to: Sandbox['state'], work: (live: Live) => Promise<void>): Promise<void> {
    const live = this.#live(sandbox);
    if (live.changing?.to === to) return live.changing.done;
    const done = this.#change(sandbox, work).finally(() => {
      if (live.changing?.to === to) live.changing = undefined;
    });
    live.changing = { to, done };
    return done;
  }

  /** A place for one more; the returned function gives it back. @throws CloudError too_many_running, closed */
  #reserve(teamId: string): () => void {
    if (this.#closed) throw new CloudError('closed');
    const running = this.ofTeam(teamId).filter(({ state }) => state === 'running').length;
    const starting = Array.from(this.#reserved).filter(each => each.teamId === teamId).length;
    if (running + starting >= this.limits.maxRunningPerTeam) throw new CloudError('too_many_running');
    const place = { teamId };
    this.#reserved.add(place);
    return () => this.#reserved.delete(place);
  }
}
