// The output of a run so far, and how its end becomes an Outcome, on every engine. Knows neither threads nor sandboxes.
import { ERRORS, type ErrorCode } from '../errors.ts';
import { HOLD_ANYTHING, type Hold } from '../ground/memory-budget.ts';
import { omitUndefined } from '../ground/omit-undefined.ts';
import type { Display, Emit, GuestCall, GuestError, GuestReply, Job, Limits, Outcome, RunTape } from './engine.ts';
import { guestFrames, threwElsewhere } from './frames.ts';
import type { Emission, End } from './intake.ts';
import { displayBytes, type FailedPayload } from './protocol.ts';

/** Codes the prelude itself may raise; any other must have come from the host in this very run. */
const GUEST_CODES: readonly string[] = ['budget_exceeded', 'result_too_large', 'capability_unknown', 'request_invalid'];

/** What there is of a result until the answer is sent: itself, and its copy in the thread that formats it. */
const RESULT_COPIES = 2;
/** Of a block: itself, the text of the answer, and its bytes on their way out. */
const DISPLAY_COPIES = 3;
export const TOO_MUCH_HELD =
  'The run was ended: what it returned or sent is too large beside what is held for this key already. Calls it made have taken effect. Return less, or run fewer at a time.';
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

  /** A code the host used in refusing a call: if the guest does not catch it, the outcome may have it. */
  noteCode(code: string): void {
    this.#codes.add(code);
  }

  /** Keeps logs and displays; ignores calls and timers. */
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

  /** Blocks are kept until the answer is sent, so they count as the caller's memory. */
  #held(display: Display): Display {
    const bytes = displayBytes(display);
    if (this.#hold.take(bytes * DISPLAY_COPIES)) return display;
    return { kind: 'text', text: `(a block of ${bytes} bytes was not kept: too much is held for this key already)` };
  }

  #keep(log: string, text: string): string {
    const room = Math.max(0, this.#limits.maxLogChars - log.length);
    this.#droppedLogChars += Math.max(0, text.length - room);
    return log + text.slice(0, room);
  }

  /** `stopping`: why the engine itself stopped the run, if it did. */
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

/** The messages of QuickJS and of V8. */
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

/** The sentence of a limit of the run, with its value; undefined for other codes. */
export function limitDetail(code: ErrorCode, limits: Limits): string | undefined {
  const limit = limitOf(code, limits);
  return limit === undefined ? undefined : `${ERRORS[code].message} The limit is ${limit}.`;
}

function limitOf(code: ErrorCode, { wallMs, cpuMs, memoryBytes }: Limits): string | undefined {
  if (code === 'time_exceeded') return `${wallMs} ms`;
  if (code === 'cpu_exceeded') return `${cpuMs} ms`;
  return code === 'memory_exceeded' ? `${Math.round(memoryBytes / 1_048_576)} MB` : undefined;
}

/** Keeps the promise that CallHost makes: a reply, never a rejection. */
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
