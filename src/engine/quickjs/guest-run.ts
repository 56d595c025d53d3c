// One run inside a worker: executes it slice by slice in an instance, and reports when it is over.

import { WorkTime } from '../../ground/thread-time.ts';
import type { Limits } from '../engine.ts';
import { type Emission, type End, Intake, type Meter } from '../intake.ts';
import * as protocol from '../protocol.ts';
import { advanceClock, readClock } from '../taped.ts';
import { isOutOfMemory } from '../transcript.ts';
import type { Instance } from './instance.ts';
import { IntlHost } from './intl/answer.ts';
import type { Settlement } from './messages.ts';
import { GuestException } from './vm.ts';

/** Long slices send their output at this interval, so that calls run while the guest computes and logs survive a kill. */
const FLUSH_MS = 10;
/** A long slice that must let others go first works for WORK_MS, then waits for GIVE_WAY_MS: an eighth of the time. */
const WORK_MS = 2;
const GIVE_WAY_MS = 14;

export type RunHost = {
  readonly threadId: number;
  /** Whether the scheduler has asked the slice to stop. */
  stopRequested(): boolean;
  /** Waits at most `maxMs` while other slices have priority. Returns false if none has. */
  giveWay(maxMs: number): boolean;
  flush(run: GuestRun, emissions: readonly Emission[]): void;
};

export class GuestRun {
  readonly id: number;
  readonly instance: Instance;
  readonly #intake: Intake;
  readonly #limits: Limits;
  readonly #host: RunHost;
  #intl: IntlHost | undefined;
  /** WebAssembly trapped, so the instance must not be used again. */
  trapped = false;
  /** The time of the current slice. */
  #slice: WorkTime;
  /** These two count from the start of the slice. */
  #lastFlushMs = 0;
  #workingSinceMs = 0;

  constructor(id: number, instance: Instance, limits: Limits, host: RunHost, meter?: Meter) {
    this.id = id;
    this.instance = instance;
    this.#limits = limits;
    this.#host = host;
    this.#intake = new Intake(limits, meter);
    this.#slice = new WorkTime(host.threadId);
  }

  get meter(): Meter {
    return this.#intake.meter;
  }

  /** `read` returns the code, or undefined if nothing shall run. Its time counts as the run's. */
  start(read: () => string | undefined): End | undefined {
    const limitsJson = JSON.stringify(protocol.guestLimits(this.#limits));
    return this.#runSlice(() => {
      const source = read();
      if (source === undefined) this.#intake.end = { reason: 'unread' };
      else this.instance.start(source, protocol.CODE_FILE, limitsJson, this.#limits.memoryBytes);
    });
  }

  settle(settlements: readonly Settlement[]): End | undefined {
    return this.#runSlice(() => {
      const { taped } = this.meter;
      for (const { id, how, payload, atMs, hostMs = 0 } of settlements) {
        this.meter.cpuMs += hostMs;
        if (taped !== undefined && atMs !== undefined) advanceClock(taped, atMs);
        if (how !== protocol.SETTLE.event && !this.#intake.answer(id)) continue; // cleared in the meantime
        this.instance.settle(id, how, payload);
        if (this.#intake.end !== undefined) return;
        this.#runJobs();
      }
    });
  }

  takeEmissions(): readonly Emission[] {
    return this.#intake.takeEmissions();
  }

  /** Hook `interrupt` of the VM, see vm.ts. */
  interrupt(): boolean {
    const { clockMs } = this.#slice;
    const intake = this.#intake;
    if (intake.end === undefined) {
      if (this.#host.stopRequested()) intake.end = { reason: 'stopped' };
      else if (this.#isSpent(clockMs)) intake.end = { reason: 'cpu' };
      else if (intake.hasEmissions && clockMs - this.#lastFlushMs > FLUSH_MS) {
        this.#lastFlushMs = clockMs;
        this.#host.flush(this, this.takeEmissions());
      }
      if (clockMs - this.#workingSinceMs > WORK_MS && this.#host.giveWay(GIVE_WAY_MS))
        this.#workingSinceMs = this.#slice.clockMs;
    }
    return intake.end !== undefined;
  }

  #isSpent(clockMs: number): boolean {
    const leftMs = this.#limits.cpuMs - this.meter.cpuMs;
    return clockMs > leftMs && this.#slice.ranMs > leftMs;
  }

  /** Hook `now` of the VM. */
  now(): number {
    const { taped } = this.meter;
    return taped === undefined ? Date.now() : readClock(taped);
  }

  /** Hook `send` of the VM. */
  receive(kind: number, id: number, payload: Buffer): string | undefined {
    if (kind === protocol.KIND.intl) return this.#formatted(payload.toString('utf8'));
    return this.#intake.receive(kind, id, payload);
  }

  /** Checks the limits at each call, because QuickJS does so only after thousands of steps, and each step may be a call. */
  #formatted(payload: string): string | undefined {
    if (this.interrupt()) return undefined;
    this.#intl ??= new IntlHost();
    return this.#intl.answer(payload);
  }

  #runSlice(act: () => void): End | undefined {
    const intake = this.#intake;
    this.#slice = new WorkTime(this.#host.threadId);
    this.#lastFlushMs = 0;
    this.#workingSinceMs = 0;
    try {
      act();
      this.#runJobs();
    } catch (error) {
      this.trapped = !(error instanceof GuestException);
      intake.end ??= endOf(error);
    }
    this.meter.cpuMs += this.#slice.ranMs;
    if (intake.end === undefined && this.meter.open.size === 0) intake.end = { reason: 'deadlock' };
    return intake.end;
  }

  #runJobs(): void {
    while (this.#intake.end === undefined && this.instance.runJob()) this.interrupt();
  }
}

/** The end of the run for an error that the instance threw. */
function endOf(error: unknown): End {
  if (error instanceof GuestException) {
    if (isOutOfMemory(error.thrown)) return { reason: 'memory' };
    return { reason: 'failed', error: protocol.parseFailed(JSON.stringify(error.thrown)) };
  }
  // V8 throws a RangeError when WebAssembly frames have filled the native stack: recursion inside a built-in.
  if (error instanceof RangeError)
    return { reason: 'failed', error: { name: 'RangeError', message: 'Maximum call stack size exceeded' } };
  return { reason: 'crashed', detail: error instanceof Error ? error.message : 'trap' };
}
