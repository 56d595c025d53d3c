// One run inside a worker: takes the guest's messages, checks and counts them, and drives its instance slice by slice.
// The border between hostile and ours: nothing a guest sends is used before it was checked here.
import type { Limits } from '../engine.ts';
import * as protocol from '../protocol.ts';
import { KIND, ProtocolError } from '../protocol.ts';
import type { Instance } from './instance.ts';
import type { Emission, End, Meter, Settlement } from './messages.ts';
import { GuestException } from './vm.ts';

export const CODE_FILE = 'code.js';

/** A slice longer than this tells the scheduler what it has so far: calls overlap with computing, logs survive a kill. */
const FLUSH_MS = 10;
const MAX_RANDOM_BYTES = 65_536;

function newMeter(): Meter {
  return { cpuMs: 0, open: new Set(), crossings: 0, logChars: 0, displayBytes: 0 };
}

export type RunHost = {
  /** The scheduler wants the slice to stop. */
  stopRequested(): boolean;
  flush(run: GuestRun, emissions: readonly Emission[]): void;
};

export class GuestRun {
  readonly id: number;
  readonly instance: Instance;
  readonly meter: Meter;
  readonly #limits: Limits;
  readonly #host: RunHost;
  /** WebAssembly itself gave up, rather than QuickJS: this instance is not used again. */
  trapped = false;
  #emissions: Emission[] = [];
  #end: End | undefined;
  #sliceStart = 0;
  #lastFlush = 0;

  constructor(id: number, instance: Instance, limits: Limits, host: RunHost, meter = newMeter()) {
    this.id = id;
    this.instance = instance;
    this.#limits = limits;
    this.#host = host;
    this.meter = meter;
  }

  start(source: string): End | undefined {
    const limitsJson = JSON.stringify(protocol.guestLimits(this.#limits));
    return this.#slice(() => this.instance.start(source, CODE_FILE, limitsJson, this.#limits.memoryBytes));
  }

  settle(settlements: readonly Settlement[]): End | undefined {
    return this.#slice(() => {
      for (const { id, how, payload } of settlements) {
        if (!this.meter.open.delete(id)) continue; // cleared in the meantime
        this.instance.settle(id, how, payload);
        if (this.#end !== undefined) return;
        this.#runJobs();
      }
    });
  }

  takeEmissions(): readonly Emission[] {
    const taken = this.#emissions;
    this.#emissions = [];
    return taken;
  }

  /** The interrupt hook of the instance. */
  interrupt(): boolean {
    const now = performance.now();
    if (this.#end === undefined) {
      if (this.#host.stopRequested()) this.#end = { reason: 'stopped' };
      else if (this.meter.cpuMs + now - this.#sliceStart > this.#limits.cpuMs) this.#end = { reason: 'cpu' };
      else if (this.#emissions.length > 0 && now - this.#lastFlush > FLUSH_MS) {
        this.#lastFlush = now;
        this.#host.flush(this, this.takeEmissions());
      }
    }
    return this.#end !== undefined;
  }

  /** The send hook of the instance. */
  receive(kind: number, id: number, payload: string): string | undefined {
    if (this.#end !== undefined) return undefined;
    try {
      return this.#accept(kind, id, payload);
    } catch (error) {
      this.#end = { reason: 'crashed', detail: error instanceof Error ? error.message : 'malformed message' };
      return undefined;
    }
  }

  #slice(act: () => void): End | undefined {
    this.#sliceStart = performance.now();
    this.#lastFlush = this.#sliceStart;
    try {
      act();
      this.#runJobs();
    } catch (error) {
      this.trapped = !(error instanceof GuestException);
      this.#end ??= endOf(error);
    }
    this.meter.cpuMs += performance.now() - this.#sliceStart;
    if (this.#end === undefined && this.meter.open.size === 0) this.#end = { reason: 'deadlock' };
    return this.#end;
  }

  #runJobs(): void {
    while (this.#end === undefined && this.instance.runJob()) this.interrupt();
  }

  #accept(kind: number, id: number, payload: string): string | undefined {
    switch (kind) {
      case KIND.call: {
        const call = protocol.parseCall(payload);
        if (call.argsJson.length > this.#limits.maxCallChars) throw new ProtocolError('call over its limit');
        this.#open(id);
        this.#emissions.push({ kind: 'call', id, ...call });
        return undefined;
      }
      case KIND.timer:
        this.#open(id);
        this.#emissions.push({ kind: 'timer', id, ms: milliseconds(payload) });
        return undefined;
      case KIND.clear:
        if (this.meter.open.delete(id)) this.#emissions.push({ kind: 'clear', id });
        return undefined;
      case KIND.done:
        this.#finish(protocol.parseDone(id, payload));
        return undefined;
      case KIND.failed:
        this.#end = payload === '' ? { reason: 'memory' } : { reason: 'failed', error: protocol.parseFailed(payload) };
        return undefined;
      case KIND.log:
        this.#log(id, payload);
        return undefined;
      case KIND.dropped:
        this.#emissions.push({ kind: 'dropped', chars: Number.isSafeInteger(id) && id > 0 ? id : 0 });
        return undefined;
      case KIND.display:
        this.#display(payload);
        return undefined;
      case KIND.random:
        return randomHex(payload);
      default:
        throw new ProtocolError('message of an unknown kind');
    }
  }

  #open(id: number): void {
    if (!Number.isSafeInteger(id) || id < 1) throw new ProtocolError('call or timer without an id');
    this.meter.open.add(id);
    this.meter.crossings += 1;
    if (this.meter.open.size > this.#limits.maxPendingCalls) throw new ProtocolError('too many calls open');
    if (this.meter.crossings > protocol.MAX_CROSSINGS) this.#end = { reason: 'flood' };
  }

  #finish(done: protocol.DonePayload): void {
    if (done.json.length > this.#limits.maxResultChars * 2) throw new ProtocolError('result over its limit');
    this.#end = { reason: 'done', ...done };
  }

  #log(stream: number, text: string): void {
    this.meter.logChars += text.length;
    const over = this.meter.logChars - 2 * this.#limits.maxLogChars;
    const kept = over > 0 ? text.slice(0, Math.max(0, text.length - over)) : text;
    if (kept !== '')
      this.#emissions.push({ kind: 'log', stream: stream === protocol.STDERR ? 'stderr' : 'stdout', text: kept });
    if (over > 0) this.meter.logChars = 2 * this.#limits.maxLogChars;
  }

  #display(payload: string): void {
    const display = protocol.parseDisplay(payload);
    this.meter.displayBytes += protocol.displayBytes(display);
    if (this.meter.displayBytes > this.#limits.maxDisplayBytes) throw new ProtocolError('displays over their limit');
    this.#emissions.push({ kind: 'display', display });
  }
}

function milliseconds(payload: string): number {
  const ms = Number(payload);
  if (!(ms >= 0)) throw new ProtocolError('timer without a time');
  return Math.min(ms, 2_147_483_647);
}

function randomHex(payload: string): string {
  const bytes = Number(payload);
  if (!Number.isSafeInteger(bytes) || bytes < 0 || bytes > MAX_RANDOM_BYTES)
    throw new ProtocolError('random out of range');
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('hex');
}

/** What a throw out of the instance means for the run. */
function endOf(error: unknown): End {
  if (error instanceof GuestException) {
    if (isOutOfMemory(error.thrown)) return { reason: 'memory' };
    return { reason: 'failed', error: protocol.parseFailed(JSON.stringify(error.thrown)) };
  }
  // V8 says RangeError when WebAssembly frames filled the native stack: the guest recursed inside one built-in.
  if (error instanceof RangeError)
    return { reason: 'failed', error: { name: 'RangeError', message: 'Maximum call stack size exceeded' } };
  return { reason: 'crashed', detail: error instanceof Error ? error.message : 'trap' };
}

export function isOutOfMemory({ name, message }: { readonly name: string; readonly message: string }): boolean {
  return name === 'InternalError' && message === 'out of memory';
}
