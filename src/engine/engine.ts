// The contract every engine keeps: types only. Knows neither the broker nor E2B's API; engines are handed `callHost`.
import type { ErrorCode } from '../errors.ts';
import type { JsonExcess } from '../ground/json-size.ts';
import type { Hold } from '../ground/memory-budget.ts';
import type { Principal } from '../principal.ts';

/** `search` sees the description; `read` and `write` see `api`, `Sandbox` and `display`. Rules differ on the host only. */
export type Surface = 'search' | 'read' | 'write';

/** What one run may use. Every field is enforced by the engine on the host, whatever the guest does. */
export type Limits = {
  /** From the first line of the agent's code to the answer, waits included; what comes before has bounds of its own. */
  readonly wallMs: number;
  /** Guest CPU time, waits excluded. */
  readonly cpuMs: number;
  readonly memoryBytes: number;
  /** The result as JSON text. */
  readonly maxResultChars: number;
  /** stdout and stderr, each. What is over is dropped and counted. */
  readonly maxLogChars: number;
  /** JSON text of one call's arguments. */
  readonly maxCallChars: number;
  /** Values in one call's arguments, and keys. */
  readonly maxCallValues: number;
  /** Calls and timers a guest may have open at once; one more rejects inside the guest with `budget_exceeded`. */
  readonly maxPendingCalls: number;
  /** All display() blocks of a run together. */
  readonly maxDisplayBytes: number;
};

/** One message from the guest: the capability it wants and its arguments as JSON text, exactly as the guest wrote it. */
export type GuestCall = {
  readonly capability: string;
  readonly argsJson: string;
  /** The arguments were too much to look at, see intake.ts: they are left out. */
  readonly excess?: JsonExcess;
  /** What a person decided on this very call, see tape.ts. Never the guest's word. */
  readonly decision?: 'approved' | 'refused' | 'unanswered';
};

/** `json` is handed to the guest's JSON.parse unread, so that large upstream answers cross once. */
export type GuestReply =
  | {
      readonly ok: true;
      readonly json: string;
      /** To be called once the reply is on its way to the guest and its text no longer held here. */
      readonly delivered?: () => void;
    }
  | { readonly ok: false; readonly error: { readonly name: string; readonly code: string; readonly message: string } };

/** Sends the guest an event of a call, as JSON text. Reaches it in order, and before an answer given later. */
export type Emit = (json: string) => void;

/** Answers one call. Never rejects. `signal` aborts when the run ends, for whatever reason. */
export type CallHost = (call: GuestCall, signal: AbortSignal, emit?: Emit) => Promise<GuestReply>;

/** The same for a run that can be interrupted: a held call is not answered in it, a person is to be asked `Q` first. */
export type AskHost<Q = unknown> = (call: GuestCall, signal: AbortSignal, emit?: Emit) => Promise<GuestReply | Held<Q>>;
type Held<Q> = { readonly held: Q };

/** An answer to a call, an event of it, or a timer that fired, and when the guest got it. `how` as in protocol.ts. */
export type Recorded = {
  readonly id: number;
  readonly how: 0 | 1 | 2 | 3;
  readonly payload: string;
  readonly atMs: number;
};
/** `code`: of the error that the call is rejected with. */
export type Delivery = Recorded & { readonly code?: string; readonly delivered?: (() => void) | undefined };

/** What a guest can observe beside its answers: where its randomness and its clock start from. */
export type TapeStart = { readonly seed: string; readonly startedMs: number };
/** Why the run is over before its function is. */
export type TapeEnd = 'suspended' | ErrorCode;

/** What an engine does for a tape. Each delivery reaches the guest in order, when it has done all it can with the last. */
export type TapeEngine = {
  deliver(delivery: Delivery): void;
  end(why: TapeEnd): void;
  /** Aborts when the run is over. Asked for when there is a call to make. */
  readonly signal: () => AbortSignal;
  readonly maxTimerMs: number;
};

/** What a tape is to an engine, see tape.ts. */
export type RunTape = {
  readonly start: TapeStart;
  /** The guest is not yet where it was interrupted: it may not end. */
  readonly replaying: boolean;
  /** Once, before the guest starts. */
  attach(engine: TapeEngine): void;
  call(id: number, call: GuestCall): void;
  timer(id: number, ms: number): void;
  clear(id: number): void;
  /** The guest has done all it can with what was delivered. */
  idle(): void;
  /** The run is over. */
  close(): void;
};

export type Job = {
  /** One expression that evaluates to a function (or promise of a value), as guest/accept/code.ts accepted it. */
  readonly source: string;
  /** `source` is what the agent wrote. An engine that makes no expression of it itself ends the run as `unread`. */
  readonly asWritten?: boolean;
  readonly surface: Surface;
  readonly callHost: CallHost;
  /** Time that the host has worked for the run so far: it counts as the guest's own CPU time. */
  readonly hostMs?: () => number;
  /** What is kept for the run until its answer is sent is the caller's memory. */
  readonly hold?: Hold;
  readonly limits: Limits;
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal;
  readonly principal: Principal;
  /** Records or replays the run, and is asked instead of `callHost`. Undefined: the run cannot be interrupted. */
  readonly tape?: RunTape | undefined;
};

export type GuestError = {
  readonly name: string;
  readonly message: string;
  /** Set when the gateway, not the guest, made the error. */
  readonly code?: ErrorCode;
  /** 1-based, in the agent's own text: `source` keeps its lines. */
  readonly line?: number;
  /** 1-based, in `(${source}\n)` as evaluated, the bracket counted; guest/accept/code.ts `ownColumn` makes it the agent's. */
  readonly column?: number;
  /** What the agent's code called there threw: a built-in, or the gateway's own. */
  readonly elsewhere?: true;
  /** Guest frames only, in the agent's own line numbers. */
  readonly stack?: string;
  readonly retryAfterMs?: number;
  /** What would surprise the agent: "1 call was still open". */
  readonly note?: string;
};

/** A block for display(): an image or file as base64, or text. */
export type Display =
  | { readonly kind: 'blob'; readonly mimeType: string; readonly base64: string }
  | { readonly kind: 'text'; readonly text: string };

type Ran = {
  readonly stdout: string;
  readonly stderr: string;
  /** Characters dropped over maxLogChars. */
  readonly droppedLogChars: number;
  readonly displays: readonly Display[];
  readonly durationMs: number;
  readonly cpuMs: number;
  /** Until the run was taken up: a worker free, or its sandbox there. Part of durationMs. */
  readonly queuedMs?: number;
};

export type Completed = Ran & {
  readonly status: 'completed';
  /** Valid JSON text. */
  readonly json: string;
  /** What would surprise the agent: "the function returned a function". */
  readonly note?: string;
};
export type Failed = Ran & { readonly status: 'failed'; readonly error: GuestError };
/** It waits for a person. Its tape has what is needed to go on; only a run with a tape ends so. */
export type Suspended = Ran & { readonly status: 'suspended' };
/** Nothing of it ran: it is for guest/accept to read, or to refuse. Only a run `asWritten` ends so. */
type Unread = Ran & { readonly status: 'unread' };
export type Outcome = Completed | Failed | Suspended | Unread;

export type EngineStats = {
  /** Worker threads, or sandboxes there may be: as many runs as it works on at once. */
  readonly workers: number;
  /** Runs that have theirs. */
  readonly running: number;
  /** Runs put aside until an answer comes, with no worker of their own meanwhile. */
  readonly waiting: number;
  /** Runs that wait for a worker, or until their sandbox is ready. */
  readonly queued: number;
};

export interface Engine {
  /** For people; of two engines together, both. */
  readonly name: string;
  /** Of the one that runs this. */
  nameFor(surface: Surface): string;
  /** Never throws or rejects for what a guest does; `busy` and `engine_lost` come as failed outcomes too. */
  run(job: Job): Promise<Outcome>;
  /** Replaces what `search` sees. Runs already started keep the old one. `descriptionJson`: see spec/description.ts. */
  describe(descriptionJson: string): Promise<void>;
  stats(): EngineStats;
  close(): Promise<void>;
}
