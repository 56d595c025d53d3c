// The interface of all engines; types only. Engines do not depend on the broker or E2B's API: `callHost` is a parameter.
import type { ErrorCode } from '../errors.ts';
import type { Base64 } from '../ground/base64.ts';
import type { JsonExcess } from '../ground/json-size.ts';
import type { JsonPart, JsonText, Utf8 } from '../ground/json-text.ts';
import type { Hold } from '../ground/memory-budget.ts';
import type { Principal } from '../principal.ts';

/** `search` has the API description; `read` and `write` have `api`, `Sandbox` and `display`, with different rules on the host. */
export type Surface = 'search' | 'read' | 'write';

/** The limits of one run. The engine enforces every field on the host, whatever the guest does. */
export type Limits = {
  /** From the first line of the agent's code to the result, waits included. The time before has limits of its own. */
  readonly wallMs: number;
  /** CPU time of the guest, without waits. */
  readonly cpuMs: number;
  readonly memoryBytes: number;
  /** Length of the result as JSON. */
  readonly maxResultChars: number;
  /** Length of stdout and of stderr. More is dropped and counted. */
  readonly maxLogChars: number;
  /** Length of the arguments of one call as JSON. */
  readonly maxCallChars: number;
  /** Number of values, and of keys, in the arguments of one call. */
  readonly maxCallValues: number;
  /** Open calls and timers at one time; one more rejects inside the guest with `budget_exceeded`. */
  readonly maxPendingCalls: number;
  /** Size of all display() blocks of a run together. */
  readonly maxDisplayBytes: number;
};

/** A call from the guest: the capability, and its arguments as JSON exactly as the guest wrote it. */
export type GuestCall = {
  readonly capability: string;
  readonly argsJson: JsonPart;
  /** The arguments exceed a limit and are left out, see intake.ts. */
  readonly excess?: JsonExcess;
  /** The user's decision on this call, see tape.ts. It never comes from the guest. */
  readonly decision?: 'approved' | 'refused' | 'unanswered';
};

/** `json` is passed to the guest's JSON.parse without being parsed here, because it may be large. Its bytes move. */
export type GuestReply =
  | {
      readonly ok: true;
      readonly json: JsonText;
      /** To be called when the reply is being sent to the guest and its text is no longer kept here. */
      readonly delivered?: () => void;
    }
  | { readonly ok: false; readonly error: { readonly name: string; readonly code: string; readonly message: string } };

/** Sends the guest an event of a call, as JSON. Events arrive in order, and before a reply that is sent later. */
export type Emit = (json: string) => void;

/** Performs one call and returns the reply. Never rejects. `signal` aborts when the run ends for any reason. */
export type CallHost = (call: GuestCall, signal: AbortSignal, emit?: Emit) => Promise<GuestReply>;

/** The same for a run that can be interrupted: a held call gets no reply until the user has answered the question `Q`. */
export type AskHost<Q = unknown> = (call: GuestCall, signal: AbortSignal, emit?: Emit) => Promise<GuestReply | Held<Q>>;
type Held<Q> = { readonly held: Q };

/** A reply to a call, an event of it, or a timer that fired, with the guest's time of it. `how` as in protocol.ts. */
export type Recorded = {
  readonly id: number;
  readonly how: 0 | 1 | 2 | 3;
  readonly payload: string | Utf8;
  readonly atMs: number;
};
/** `code`: the code of the error with which the call is rejected. */
export type Delivery = Omit<Recorded, 'payload'> & {
  readonly payload: JsonText;
  readonly code?: string | undefined;
  readonly delivered?: (() => void) | undefined;
};

/** Seed of the guest's random numbers and start of its clock: with the replies, all that can influence the guest. */
export type TapeStart = { readonly seed: string; readonly startedMs: number };
/** Why the run ends before its function has returned. */
export type TapeEnd = 'suspended' | ErrorCode;

/** What a tape needs of an engine. Deliveries reach the guest in order, each when the guest is idle after the last one. */
export type TapeEngine = {
  deliver(delivery: Delivery): void;
  end(why: TapeEnd): void;
  /** Returns the signal that aborts when the run is over. */
  readonly signal: () => AbortSignal;
  readonly maxTimerMs: number;
};

/** The interface of a tape for an engine, see tape.ts. */
export type RunTape = {
  readonly start: TapeStart;
  /** True until the guest is where it was interrupted; it must not end before. */
  readonly replaying: boolean;
  /** To be called once, before the guest starts. */
  attach(engine: TapeEngine): void;
  call(id: number, call: GuestCall): void;
  timer(id: number, ms: number): void;
  clear(id: number): void;
  /** To be called when the guest is idle: it waits for further deliveries. */
  idle(): void;
  /** To be called when the run is over. */
  close(): void;
};

export type Job = {
  /** One expression, as guest/accept/code.ts accepted it. Its value is a function, a result, or a promise of one. */
  readonly source: string;
  /** `source` is the agent's own text. An engine that does not accept it itself ends the run as `unread`. */
  readonly asWritten?: boolean;
  readonly surface: Surface;
  readonly callHost: CallHost;
  /** CPU time that the host has used for the run so far; it counts as the guest's CPU time. */
  readonly hostMs?: () => number;
  /** Counts the memory that is kept for the run until its response is sent, for the caller. */
  readonly hold?: Hold;
  readonly limits: Limits;
  /** Aborted when the caller disconnects. */
  readonly signal: AbortSignal;
  readonly principal: Principal;
  /** Records or replays the run, and is called instead of `callHost`. Undefined: the run cannot be interrupted. */
  readonly tape?: RunTape | undefined;
};

export type GuestError = {
  readonly name: string;
  readonly message: string;
  /** Set if the error is the gateway's and not the guest's. */
  readonly code?: ErrorCode;
  /** 1-based, in the agent's text: `source` has the same lines. */
  readonly line?: number;
  /** 1-based, in the evaluated text `(${source}\n)`. `ownColumn` of guest/accept/code.ts converts it to the agent's text. */
  readonly column?: number;
  /** The error was thrown inside a function that this place calls: a built-in, or one of the gateway's. */
  readonly elsewhere?: true;
  /** Only the frames of the agent's code, with its line numbers. */
  readonly stack?: string;
  readonly retryAfterMs?: number;
  /** Something the agent may not expect: "1 call was still open". */
  readonly note?: string;
};

/** A block for display(): an image or file as base64, or text. */
export type Display =
  | { readonly kind: 'blob'; readonly mimeType: string; readonly base64: Base64 }
  | { readonly kind: 'text'; readonly text: string };

type Ran = {
  readonly stdout: string;
  readonly stderr: string;
  /** Number of characters that were dropped because of maxLogChars. */
  readonly droppedLogChars: number;
  readonly displays: readonly Display[];
  readonly durationMs: number;
  readonly cpuMs: number;
  /** Time until a worker was free or the sandbox was ready. Part of durationMs. */
  readonly queuedMs?: number;
};

export type Completed = Ran & {
  readonly status: 'completed';
  /** Valid JSON text. */
  readonly json: string;
  /** Something the agent may not expect: "the function returned a function". */
  readonly note?: string;
};
export type Failed = Ran & { readonly status: 'failed'; readonly error: GuestError };
/** The run waits for a user's decision, and its tape has what is needed to continue. Only for runs with a tape. */
export type Suspended = Ran & { readonly status: 'suspended' };
/** Nothing was run, because guest/accept must accept or refuse the code first. Only for runs `asWritten`. */
type Unread = Ran & { readonly status: 'unread' };
export type Outcome = Completed | Failed | Suspended | Unread;

export type EngineStats = {
  /** Number of worker threads, or maximum number of sandboxes: so many runs are executed at one time. */
  readonly workers: number;
  /** Runs that have a worker or a sandbox. */
  readonly running: number;
  /** Runs that wait for the reply to a call, and have no worker meanwhile. */
  readonly waiting: number;
  /** Runs that wait for a worker, or for their sandbox to be ready. */
  readonly queued: number;
};

export interface Engine {
  /** The name for logs and status; if two engines are combined, of both. */
  readonly name: string;
  /** The name of the engine that runs this tool. */
  nameFor(surface: Surface): string;
  /** Never throws or rejects because of a guest; `busy` and `engine_lost` are failed outcomes too. */
  run(job: Job): Promise<Outcome>;
  /** Replaces the description for `search`. Runs that have started keep the old one. See spec/description.ts. */
  describe(descriptionJson: string): Promise<void>;
  stats(): EngineStats;
  close(): Promise<void>;
}
