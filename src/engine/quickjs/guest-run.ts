// One run inside a worker: drives its instance slice by slice, and reports when the run is over.

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

/** A slice longer than this sends the scheduler its output so far: calls overlap with computing, logs survive a kill. */
const FLUSH_MS = 10;
/** A long slice that is to let others go first still gets an eighth of the time. */
const WORK_MS = 2;
const GIVE_WAY_MS = 14;

export type RunHost = {
  readonly threadId: number;
  /** The scheduler wants the slice to stop. */
  stopRequested(): boolean;
  /** Waits while others are to go first, at most so long. False: nobody is. */
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
  /** WebAssembly itself gave up, rather than QuickJS: this instance is not used again. */
  trapped = false;
  /** Of the slice that runs. */
  #slice: WorkTime;
  /** After the start of the slice. */
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

  /** `read` is part of the slice: its time is the run's. Nothing runs where it answers with nothing. */
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

  /** The interrupt hook of the instance. */
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

  /** The clock hook of the instance. */
  now(): number {
    const { taped } = this.meter;
    return taped === undefined ? Date.now() : readClock(taped);
  }

  /** The send hook of the instance. */
  receive(kind: number, id: number, payload: string): string | undefined {
    return kind === protocol.KIND.intl ? this.#formatted(payload) : this.#intake.receive(kind, id, payload);
  }

  /** No answer once the run is over: QuickJS looks at its budget only after thousands of steps, each of them one of these. */
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

/** What a throw out of the instance means for the run. */
function endOf(error: unknown): End {
  if (error instanceof GuestException) {
    if (isOutOfMemory(error.thrown)) return { reason: 'memory' };
    return { reason: 'failed', error: protocol.parseFailed(JSON.stringify(error.thrown)) };
  }
  // V8 throws a RangeError when WebAssembly frames filled the native stack: the guest recursed inside one built-in.
  if (error instanceof RangeError)
    return { reason: 'failed', error: { name: 'RangeError', message: 'Maximum call stack size exceeded' } };
  return { reason: 'crashed', detail: error instanceof Error ? error.message : 'trap' };
}
