// Receives a guest's messages, on every engine, and checks and counts them: nothing that a guest sends is used before it was
// checked here. Does not depend on how messages are transported or how the guest runs.
import { createHash } from 'node:crypto';
import { type JsonExcess, type JsonLimits, judgeJson } from '../ground/json-size.ts';
import type { Display, GuestCall, Limits } from './engine.ts';
import * as protocol from './protocol.ts';
import { type FailedPayload, KIND, ProtocolError } from './protocol.ts';
import { drawHex, type Taped } from './taped.ts';

const MAX_RANDOM_BYTES = 65_536;
const MAX_DEPTH = 100;
const MAX_KEY_BYTES = 4_096;
/** Limit for the arguments of all open calls of a run, which the host keeps in memory. */
const MAX_OPEN_CALL_CHARS = 16_000_000;

/** What the engine has counted for a run so far. Moves with the guest from worker to worker. */
export type Meter = {
  /** Time in which the guest occupied a worker, which counts as its CPU time. */
  cpuMs: number;
  /** The open calls and timers: id -> length of the arguments. */
  readonly open: Map<number, number>;
  openChars: number;
  /** Calls and timers made since the start. */
  crossings: number;
  logChars: number;
  displayBytes: number;
  displays: number;
  /** Set if the run is recorded or replayed. */
  readonly taped?: Taped;
};

export function newMeter(taped?: Taped): Meter {
  const counts = { cpuMs: 0, openChars: 0, crossings: 0, logChars: 0, displayBytes: 0, displays: 0 };
  return { ...counts, open: new Map(), ...(taped && { taped }) };
}

export type Emission =
  | ({ readonly kind: 'call'; readonly id: number } & GuestCall)
  | { readonly kind: 'timer'; readonly id: number; readonly ms: number }
  | { readonly kind: 'clear'; readonly id: number }
  | { readonly kind: 'log'; readonly stream: 'stdout' | 'stderr'; readonly text: string }
  | { readonly kind: 'dropped'; readonly chars: number }
  | { readonly kind: 'display'; readonly display: Display };

/** Why a run ended, as the worker reports it. */
export type End =
  | { readonly reason: 'done'; readonly json: string; readonly note?: string }
  | { readonly reason: 'failed'; readonly error: FailedPayload }
  /** Nothing was run, see `Unread`. */
  | { readonly reason: 'unread' }
  /** The CPU time limit was exceeded. */
  | { readonly reason: 'cpu' }
  /** The scheduler stopped it. */
  | { readonly reason: 'stopped' }
  /** The function has not settled, and no call, timer or promise job is left that could continue it. */
  | { readonly reason: 'deadlock' }
  | { readonly reason: 'memory' }
  /** More calls and timers than a run may make. */
  | { readonly reason: 'flood' }
  /** The instance trapped, or the guest sent a message that the prelude never sends. */
  | { readonly reason: 'crashed'; readonly detail: string };

export class Intake {
  readonly meter: Meter;
  /** Set when the run is over; later messages are ignored. */
  end: End | undefined;
  readonly #limits: Limits;
  #emissions: Emission[] = [];

  constructor(limits: Limits, meter = newMeter()) {
    this.#limits = limits;
    this.meter = meter;
  }

  get hasEmissions(): boolean {
    return this.#emissions.length > 0;
  }

  takeEmissions(): readonly Emission[] {
    const taken = this.#emissions;
    this.#emissions = [];
    return taken;
  }

  /**
   * Handles one message and returns the immediate reply, if it has one. A malformed message ends the run as crashed.
   * `payload`: text, or the same as UTF-8, whose memory is not used after the call. `isChecked`: a result is valid JSON, or a
   * block is base64, whose memory is used.
   */
  receive(kind: number, id: number, payload: string | Buffer, isChecked = false): string | undefined {
    if (this.end !== undefined) return undefined;
    try {
      if (kind === KIND.display)
        return this.#display(id, typeof payload === 'string' ? Buffer.from(payload) : payload, isChecked);
      return this.#accept(kind, id, typeof payload === 'string' ? payload : payload.toString('utf8'), isChecked);
    } catch (error) {
      this.end = { reason: 'crashed', detail: error instanceof Error ? error.message : 'malformed message' };
      return undefined;
    }
  }

  #accept(kind: number, id: number, payload: string, isChecked: boolean): string | undefined {
    switch (kind) {
      case KIND.call: {
        const call = protocol.parseCall(payload);
        if (call.argsJson.length > this.#limits.maxCallChars) throw new ProtocolError('call over its limit');
        const excess = this.#excessOf(call.argsJson);
        const argsJson = excess === undefined ? call.argsJson : '';
        this.#open(id, argsJson.length);
        this.#emissions.push({ ...call, kind: 'call', id, argsJson, ...(excess && { excess }) });
        return undefined;
      }
      case KIND.timer:
        this.#open(id, 0);
        this.#emissions.push({ kind: 'timer', id, ms: milliseconds(payload) });
        return undefined;
      case KIND.clear:
        if (this.answer(id)) this.#emissions.push({ kind: 'clear', id });
        return undefined;
      case KIND.done:
        this.#finish(protocol.parseDone(id, payload), isChecked);
        return undefined;
      case KIND.failed:
        this.end = payload === '' ? { reason: 'memory' } : { reason: 'failed', error: protocol.parseFailed(payload) };
        return undefined;
      case KIND.log:
        this.#log(id, payload);
        return undefined;
      case KIND.dropped:
        this.#emissions.push({ kind: 'dropped', chars: Number.isSafeInteger(id) && id > 0 ? id : 0 });
        return undefined;
      case KIND.random:
        return randomHex(payload, this.meter.taped);
      default:
        throw new ProtocolError('message of an unknown kind');
    }
  }

  /** Marks a call or timer as no longer open. Returns false if it was not open. */
  answer(id: number): boolean {
    this.meter.openChars -= this.meter.open.get(id) ?? 0;
    return this.meter.open.delete(id);
  }

  #excessOf(argsJson: string): JsonExcess | undefined {
    const left = MAX_OPEN_CALL_CHARS - this.meter.openChars;
    if (argsJson.length > left) return { of: 'bytes', found: argsJson.length, limit: left };
    const verdict = judgeJson(argsJson, jsonLimits(this.#limits));
    return verdict.fits ? undefined : verdict.excess;
  }

  #open(id: number, chars: number): void {
    if (!Number.isSafeInteger(id) || id < 1 || this.meter.open.has(id))
      throw new ProtocolError('call or timer without an id of its own');
    this.meter.open.set(id, chars);
    this.meter.openChars += chars;
    this.meter.crossings += 1;
    if (this.meter.open.size > this.#limits.maxPendingCalls) throw new ProtocolError('too many calls open');
    if (this.meter.crossings > protocol.MAX_CROSSINGS) this.end = { reason: 'flood' };
  }

  /** The engine guarantees that a result is valid JSON, so the host checks it. */
  #finish(done: protocol.DonePayload, isChecked: boolean): void {
    if (done.json.length > this.#limits.maxResultChars * 2) throw new ProtocolError('result over its limit');
    if (!isChecked) JSON.parse(done.json);
    this.end = { reason: 'done', ...done };
  }

  #log(stream: number, text: string): void {
    this.meter.logChars += text.length;
    const over = this.meter.logChars - 2 * this.#limits.maxLogChars;
    const kept = over > 0 ? text.slice(0, Math.max(0, text.length - over)) : text;
    if (kept !== '')
      this.#emissions.push({ kind: 'log', stream: stream === protocol.STDERR ? 'stderr' : 'stdout', text: kept });
    if (over > 0) this.meter.logChars = 2 * this.#limits.maxLogChars;
  }

  #display(typeChars: number, payload: Buffer, isChecked: boolean): undefined {
    const display = protocol.parseDisplay(typeChars, payload, isChecked);
    this.meter.displayBytes += protocol.displayBytes(display);
    this.meter.displays += 1;
    if (this.meter.displays > protocol.MAX_DISPLAYS) throw new ProtocolError('too many displays');
    if (this.meter.displayBytes > this.#limits.maxDisplayBytes) throw new ProtocolError('displays over their limit');
    this.#emissions.push({ kind: 'display', display });
  }
}

const jsonLimits = ({ maxCallValues }: Limits): JsonLimits => ({
  maxBytes: Number.POSITIVE_INFINITY, // counted in characters already
  maxValues: maxCallValues,
  maxKeys: maxCallValues,
  maxDepth: MAX_DEPTH,
  maxKeyBytes: MAX_KEY_BYTES,
});

function milliseconds(payload: string): number {
  const ms = Number(payload);
  if (!(ms >= 0)) throw new ProtocolError('timer without a time');
  return Math.min(ms, 2_147_483_647);
}

function randomHex(payload: string, taped: Taped | undefined): string {
  const bytes = Number(payload);
  if (!Number.isSafeInteger(bytes) || bytes < 0 || bytes > MAX_RANDOM_BYTES)
    throw new ProtocolError('random out of range');
  if (taped !== undefined) return drawHex(taped, bytes, createHash);
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('hex');
}
