// Collects the output of a run, and turns its end into an Outcome, on every engine.
import { ERRORS, type ErrorCode } from '../errors.ts';
import { HOLD_ANYTHING, type Hold } from '../ground/memory-budget.ts';
import { omitUndefined } from '../ground/omit-undefined.ts';
import type { Display, Emit, GuestCall, GuestError, GuestReply, Job, Limits, Outcome, RunTape } from './engine.ts';
import { guestFrames, threwElsewhere } from './frames.ts';
import type { Emission, End } from './intake.ts';
import { displayBytes, type FailedPayload } from './protocol.ts';

/** Error codes that the prelude may raise itself; any other code must have come from the host in the same run. */
const GUEST_CODES: readonly string[] = ['budget_exceeded', 'result_too_large', 'capability_unknown', 'request_invalid'];

/** Copies of a result in memory until the response is sent: one here, and one in the thread that formats it. */
const RESULT_COPIES = 2;
/** Copies of a block: itself, and what is being sent of it. */
const DISPLAY_COPIES = 2;
export const TOO_MUCH_HELD =
  'The run was ended: its result or a call was too large for the memory that is left for this key. Calls it made have taken effect. Return less, or run fewer at a time.';
const RETRY_AFTER_MS = 1_000;

type Result =
  | { status: 'completed'; json: string; note?: string }
  | { status: 'failed'; error: GuestError }
  | { status: 'suspended' | 'unread' };

export class Transcript {
  readonly #limits: Limits;
  readonly #startedAt = performance.now();
  #stdout = '';
  #stderr = '';
  #droppedLogChars = 0;
  readonly #displays: Display[] = [];
  readonly #codes = new Set<string>(GUEST_CODES);

  readonly #hold: Hold;
  readonly #tape: RunTape | undefined;

  constructor({ limits, hold = HOLD_ANYTHING, tape }: Pick<Job, 'limits' | 'hold' | 'tape'>) {
    this.#limits = limits;
    this.#hold = hold;
    this.#tape = tape;
  }

  /** Allows an error code of the host for the outcome, in case the guest does not catch the error. */
  noteCode(code: string): void {
    this.#codes.add(code);
  }

  /** Adds logs and displays; ignores calls and timers. */
  add(emission: Emission): void {
    switch (emission.kind) {
      case 'log':
        if (emission.stream === 'stdout') this.#stdout = this.#keep(this.#stdout, emission.text);
        else this.#stderr = this.#keep(this.#stderr, emission.text);
        return;
      case 'dropped':
        this.#droppedLogChars += emission.chars;
        return;
      case 'display':
        this.#displays.push(this.#held(emission.display));
        return;
    }
  }

  /** Blocks are kept until the response is sent, so they count as the caller's memory. */
  #held(display: Display): Display {
    const bytes = displayBytes(display);
    if (this.#hold.take(bytes * DISPLAY_COPIES)) return display;
    return {
      kind: 'text',
      text: `(a block of ${bytes} bytes was not kept: it was too large for the memory that is left for this key)`,
    };
  }

  #keep(log: string, text: string): string {
    const room = Math.max(0, this.#limits.maxLogChars - log.length);
    this.#droppedLogChars += Math.max(0, text.length - room);
    return log + text.slice(0, room);
  }

  /** `stopping`: why the engine stopped the run, if it did. */
  outcomeOf(end: End, cpuMs: number, stopping?: ErrorCode): Outcome {
    const byItself = end.reason === 'done' || end.reason === 'failed';
    if (byItself && this.#tape?.replaying === true) return this.failed(gatewayFault('replay_diverged'), cpuMs);
    if (end.reason === 'unread') return this.unread(cpuMs);
    if (end.reason !== 'done') return this.failed(this.#errorOf(end, stopping), cpuMs);
    const { json, note } = end;
    if (!this.#hold.take(json.length * RESULT_COPIES))
      return this.failed(gatewayFault('result_too_large', TOO_MUCH_HELD, RETRY_AFTER_MS), cpuMs);
    return this.#outcome({ status: 'completed', json, ...omitUndefined({ note }) }, cpuMs);
  }

  failed(error: GuestError, cpuMs: number): Outcome {
    return this.#outcome({ status: 'failed', error }, cpuMs);
  }

  unread(cpuMs: number): Outcome {
    return this.#outcome({ status: 'unread' }, cpuMs);
  }

  suspended(cpuMs: number): Outcome {
    return this.#outcome({ status: 'suspended' }, cpuMs);
  }

  #outcome(result: Result, cpuMs: number): Outcome {
    return {
      ...result,
      stdout: this.#stdout,
      stderr: this.#stderr,
      droppedLogChars: this.#droppedLogChars,
      displays: this.#displays,
      durationMs: performance.now() - this.#startedAt,
      cpuMs,
    };
  }

  #errorOf(end: Exclude<End, { reason: 'done' | 'unread' }>, stopping: ErrorCode | undefined): GuestError {
    switch (end.reason) {
      case 'failed':
        return this.#guestError(end.error);
      case 'cpu':
        return this.#limitFault('cpu_exceeded');
      case 'stopped':
        return this.#limitFault(stopping ?? 'cancelled');
      case 'deadlock':
        return gatewayFault('never_settles');
      case 'memory':
        return this.#limitFault('memory_exceeded');
      case 'flood':
        return gatewayFault(
          'budget_exceeded',
          'The run made thousands of calls and timers. Poll less often, with longer waits.',
        );
      case 'crashed':
        return gatewayFault('engine_lost');
    }
  }

  #limitFault(code: ErrorCode): GuestError {
    return gatewayFault(code, limitDetail(code, this.#limits));
  }

  #guestError({ name, message, stack, code, note }: FailedPayload): GuestError {
    if (isOutOfMemory({ name, message })) return this.#limitFault('memory_exceeded');
    const frames = guestFrames(stack ?? '');
    const [top] = frames;
    return {
      name,
      message,
      ...omitUndefined({ note }),
      ...(code !== undefined && this.#codes.has(code) && code in ERRORS ? { code: code as ErrorCode } : {}),
      ...(top === undefined ? {} : { line: top.line, column: top.column }),
      ...(top === undefined || !threwElsewhere(stack ?? '') ? {} : { elsewhere: true }),
      ...(top === undefined ? {} : { stack: frames.map(frame => frame.text).join('\n') }),
    };
  }
}

/** Recognises the errors of QuickJS and V8 for too little memory. */
export function isOutOfMemory({ name, message }: { readonly name: string; readonly message: string }): boolean {
  return (
    (name === 'InternalError' && message === 'out of memory') ||
    (name === 'RangeError' && message === 'Array buffer allocation failed')
  );
}

export function gatewayFault(code: ErrorCode, detail?: string, retryAfterMs?: number): GuestError {
  const message = detail ?? ERRORS[code].message;
  return { name: 'GatewayError', code, message, ...omitUndefined({ retryAfterMs }) };
}

/** The message for an exceeded limit of the run, with the limit's value; undefined for other codes. */
export function limitDetail(code: ErrorCode, limits: Limits): string | undefined {
  const limit = limitOf(code, limits);
  return limit === undefined ? undefined : `${ERRORS[code].message} The limit is ${limit}.`;
}

function limitOf(code: ErrorCode, { wallMs, cpuMs, memoryBytes }: Limits): string | undefined {
  if (code === 'time_exceeded') return `${wallMs} ms`;
  if (code === 'cpu_exceeded') return `${cpuMs} ms`;
  return code === 'memory_exceeded' ? `${Math.round(memoryBytes / 1_048_576)} MB` : undefined;
}

/** Ensures that a call gets a reply and never a rejection, as CallHost requires. */
export async function answerTo<Reply>(
  callHost: (call: GuestCall, signal: AbortSignal, emit: Emit) => Promise<Reply>,
  call: GuestCall,
  signal: AbortSignal,
  emit: Emit,
): Promise<Reply | GuestReply> {
  try {
    return await callHost(call, signal, emit);
  } catch {
    return {
      ok: false,
      error: { name: 'GatewayError', code: 'internal', message: 'The gateway failed to answer this call.' },
    };
  }
}
