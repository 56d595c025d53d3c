// One run as the scheduler sees it: where it stands, what it has said so far, and how its end becomes an Outcome.
// Knows nothing of workers' threads or queues.
import { ERRORS, type ErrorCode } from '../../errors.ts';
import type { Display, GuestError, Job, Outcome } from '../engine.ts';
import type { FailedPayload } from '../protocol.ts';
import { guestFrames } from './frames.ts';
import { isOutOfMemory } from './guest-run.ts';
import type { Parked } from './instance.ts';
import type { Emission, End, Meter, Settlement } from './messages.ts';

export type RunState =
  /** Not started. */
  | 'queued'
  /** A worker runs a slice of it. */
  | 'running'
  /** Sits in a worker, waiting for answers. */
  | 'resident'
  /** Told to leave its worker; its pages are on their way. */
  | 'parking'
  /** Out of all workers, waiting for answers. */
  | 'parked'
  /** Out of all workers, answers are there, waiting for its turn. */
  | 'ready'
  | 'ended';

/** Codes the prelude itself may raise; any other must have come from the host in this very run. */
const GUEST_CODES: readonly string[] = ['budget_exceeded', 'result_too_large', 'capability_unknown', 'request_invalid'];

export class Run {
  readonly id: number;
  readonly job: Job;
  readonly imageId: number;
  readonly abort = new AbortController();
  readonly timers = new Map<number, NodeJS.Timeout>();
  readonly queuedAt = performance.now();
  state: RunState = 'queued';
  /** Set once it starts. */
  startedAt: number | undefined;
  deadlineAt = Number.POSITIVE_INFINITY;
  cpuMs = 0;
  settlements: Settlement[] = [];
  parked: { readonly guest: Parked; readonly meter: Meter } | undefined;
  /** Why the scheduler asked it to stop; the worker may still be at it. */
  stopping: ErrorCode | undefined;
  onEnd: () => void = () => undefined;
  #stdout = '';
  #stderr = '';
  #droppedLogChars = 0;
  readonly #displays: Display[] = [];
  readonly #codes = new Set<string>(GUEST_CODES);
  readonly #resolve: (outcome: Outcome) => void;

  constructor(id: number, job: Job, imageId: number, resolve: (outcome: Outcome) => void) {
    this.id = id;
    this.job = job;
    this.imageId = imageId;
    this.#resolve = resolve;
  }

  get principal(): string {
    return this.job.principal.id;
  }

  get parkedBytes(): number {
    return this.parked?.guest.pages.length ?? 0;
  }

  takeSettlements(): readonly Settlement[] {
    const { settlements } = this;
    this.settlements = [];
    return settlements;
  }

  /** A code the host used in refusing a call: if the guest lets it escape, the outcome may bear it. */
  noteCode(code: string): void {
    this.#codes.add(code);
  }

  /** Takes in what was said for the agent; calls and timers are the scheduler's. */
  hear(emission: Emission): void {
    switch (emission.kind) {
      case 'log':
        if (emission.stream === 'stdout') this.#stdout = this.#keep(this.#stdout, emission.text);
        else this.#stderr = this.#keep(this.#stderr, emission.text);
        return;
      case 'dropped':
        this.#droppedLogChars += emission.chars;
        return;
      case 'display':
        this.#displays.push(emission.display);
        return;
    }
  }

  #keep(log: string, text: string): string {
    const room = Math.max(0, this.job.limits.maxLogChars - log.length);
    this.#droppedLogChars += Math.max(0, text.length - room);
    return log + text.slice(0, room);
  }

  finish(end: End): void {
    if (end.reason === 'done') {
      const { json, note } = end;
      this.#answer(note === undefined ? { status: 'completed', json } : { status: 'completed', json, note });
    } else this.fail(this.#errorOf(end));
  }

  failWith(code: ErrorCode, detail?: string, retryAfterMs?: number): void {
    this.fail(gatewayFault(code, detail, retryAfterMs));
  }

  fail(error: GuestError): void {
    this.#answer({ status: 'failed', error });
  }

  #errorOf(end: Exclude<End, { reason: 'done' }>): GuestError {
    switch (end.reason) {
      case 'failed':
        return this.#guestError(end.error);
      case 'cpu':
        return gatewayFault('cpu_exceeded', cpuDetail(this.job.limits.cpuMs));
      case 'stopped':
        return gatewayFault(this.stopping ?? 'cancelled');
      case 'deadlock':
        return gatewayFault('never_settles');
      case 'memory':
        return gatewayFault('memory_exceeded', memoryDetail(this.job.limits.memoryBytes));
      case 'flood':
        return gatewayFault(
          'budget_exceeded',
          'The run made thousands of calls and timers. Poll less often, with longer waits.',
        );
      case 'crashed':
        return gatewayFault('engine_lost');
    }
  }

  #guestError({ name, message, stack, code }: FailedPayload): GuestError {
    if (isOutOfMemory({ name, message }))
      return gatewayFault('memory_exceeded', memoryDetail(this.job.limits.memoryBytes));
    const frames = guestFrames(stack ?? '');
    const [top] = frames;
    return {
      name,
      message,
      ...(code !== undefined && this.#codes.has(code) && code in ERRORS ? { code: code as ErrorCode } : {}),
      ...(top === undefined ? {} : { line: top.line, column: top.column }),
      ...(top === undefined ? {} : { stack: frames.map(frame => frame.text).join('\n') }),
    };
  }

  #answer(
    result: { status: 'completed'; json: string; note?: string } | { status: 'failed'; error: GuestError },
  ): void {
    if (this.state === 'ended') return;
    this.state = 'ended';
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
    this.abort.abort();
    this.onEnd();
    this.settlements = [];
    this.parked = undefined;
    this.#resolve({
      ...result,
      stdout: this.#stdout,
      stderr: this.#stderr,
      droppedLogChars: this.#droppedLogChars,
      displays: this.#displays,
      durationMs: performance.now() - this.queuedAt,
      cpuMs: this.cpuMs,
      ...(this.startedAt !== undefined && { queuedMs: this.startedAt - this.queuedAt }),
    });
  }
}

export function gatewayFault(code: ErrorCode, detail?: string, retryAfterMs?: number): GuestError {
  const message = detail ?? ERRORS[code].message;
  return { name: 'GatewayError', code, message, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

export function cpuDetail(cpuMs: number): string {
  return `${ERRORS.cpu_exceeded.message} The limit is ${cpuMs} ms.`;
}

function memoryDetail(bytes: number): string {
  return `${ERRORS.memory_exceeded.message} The limit is ${Math.round(bytes / 1_048_576)} MB.`;
}
