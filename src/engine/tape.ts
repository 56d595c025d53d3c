// Records the replies that a run gets, so that it can be interrupted and continued on another replica: there the function
// runs again from its start and gets the same replies in the same order. Works on every engine, between the guest and its
// host: the engine passes calls and timers to the tape, and the tape's deliveries to the guest.
import { createHash, randomUUID } from 'node:crypto';
import { toGatewayError } from '../errors.ts';
import { copyOf, sizeOf, wholeText } from '../ground/json-text.ts';
import type { AskHost, Delivery, GuestCall, GuestReply, Recorded, RunTape, TapeEngine, TapeStart } from './engine.ts';
import { SETTLE, settlePayload } from './protocol.ts';
import { answerTo } from './transcript.ts';

/** A call or timer of the guest. A call has a digest (`key`) to compare; a timer its length and when it was set. */
type Opened =
  | { readonly id: number; readonly key: string }
  | { readonly id: number; ms: number; readonly atMs: number };

/** Calls are kept as text until the run is interrupted, because most never are and the digest takes time. */
type Noted = Opened | { readonly id: number; readonly text: string };

export type Recording = TapeStart & {
  readonly answers: readonly Recorded[];
  readonly opened: readonly Opened[];
  /** Total length of the answers, in characters, or bytes of large ones. */
  readonly chars: number;
  readonly interruptedMs: number;
};

export type TapeOptions<Q> = {
  readonly askHost: AskHost<Q>;
  /** Maximum total length of the answers that are kept; a run that got more cannot be interrupted. */
  readonly maxChars: number;
  /** Takes memory of the caller, see Job; returns false if there is not enough. */
  readonly hold: (bytes: number) => boolean;
  /** The run up to its interruption, and the user's decisions on the calls that were held, by their ids. */
  readonly recording?: Recording | undefined;
  readonly decisions?: ReadonlyMap<number, GuestCall['decision']>;
  /** Awaited when the guest is where it was interrupted, before anything is sent. @throws GatewayError to prevent it */
  readonly beforeSending?: () => Promise<void>;
};

export class Tape<Q = unknown> implements RunTape {
  readonly #options: TapeOptions<Q>;
  readonly #answers: Recorded[];
  readonly #opened = new Map<number, Noted>();
  /** The calls and timers of the recording. */
  readonly #expected: ReadonlyMap<number, Opened>;
  /** Number of answers replayed so far; undefined when the replay is over and calls are sent. */
  #replayed: number | undefined;
  readonly #held = new Map<number, Q>();
  readonly #waiting = new Map<number, GuestCall>();
  readonly #timers = new Map<number, NodeJS.Timeout | undefined>();
  #engine: TapeEngine | undefined;
  #live = 0;
  #idle = false;
  #isContinued = false;
  #chars: number;
  #start: TapeStart | undefined;
  #lastMs: number;

  constructor(options: TapeOptions<Q>) {
    const { recording } = options;
    this.#options = options;
    this.#start = recording;
    this.#answers = [...(recording?.answers ?? [])];
    this.#expected = new Map(recording?.opened.map(opened => [opened.id, opened]));
    this.#replayed = recording === undefined ? undefined : 0;
    this.#chars = recording?.chars ?? 0;
    this.#lastMs = recording?.interruptedMs ?? 0;
  }

  /** A new run gets its seed and start time when this is first read. */
  get start(): TapeStart {
    this.#start ??= { seed: randomUUID() + randomUUID(), startedMs: this.#now() };
    return { seed: this.#start.seed, startedMs: this.#start.startedMs };
  }

  get replaying(): boolean {
    return this.#replayed !== undefined;
  }

  /** The calls that the user must decide on, by id, in the order in which they were made. */
  get held(): ReadonlyMap<number, Q> {
    return this.#held;
  }

  recording(): Recording {
    const opened = [...this.#opened.values()].map(digested);
    return { ...this.start, answers: this.#answers, opened, chars: this.#chars, interruptedMs: this.#lastMs };
  }

  /** Called once, before the guest starts. */
  attach(engine: TapeEngine): void {
    this.#engine = engine;
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#engine = undefined;
  }

  // Calls and timers of the guest.

  call(id: number, call: GuestCall): void {
    this.#idle = false;
    if (!this.#open({ id, text: textOf(call) })) return;
    if (this.#replayed === undefined) void this.#ask(id, call);
    else this.#waiting.set(id, call);
    this.#replay();
  }

  timer(id: number, ms: number): void {
    this.#idle = false;
    if (!this.#open({ id, ms, atMs: this.#now() })) return;
    if (this.#replayed === undefined) this.#startTimer(id, ms);
    else this.#timers.set(id, undefined);
    this.#replay();
  }

  clear(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }

  /** The guest is idle: it waits for deliveries. */
  idle(): void {
    this.#idle = true;
    if (this.#replayed === undefined) this.#suspendIfHeld();
    // At this point of a replay, it should have made all the calls that it made before.
    else if (this.#replayed < this.#answers.length || this.#opened.size < this.#expected.size) this.#diverge();
    else void this.#continueRun();
  }

  // Replay.

  #open(opened: Noted): boolean {
    if (this.#replayed === undefined) {
      this.#opened.set(opened.id, isLong(opened) ? digested(opened) : opened);
      return true;
    }
    const expected = this.#expected.get(opened.id);
    if (expected === undefined || !isSame(expected, digested(opened))) {
      this.#diverge();
      return false;
    }
    this.#opened.set(opened.id, expected);
    return true;
  }

  #replay(): void {
    while (this.#replayed !== undefined && this.#engine !== undefined) {
      const next = this.#answers[this.#replayed];
      if (next === undefined || !this.#opened.has(next.id)) return;
      this.#replayed += 1;
      if (next.how !== SETTLE.event) {
        this.#waiting.delete(next.id);
        this.#timers.delete(next.id);
      }
      this.#idle = false;
      this.#engine.deliver(replayed(next));
    }
  }

  #diverge(): void {
    this.#engine?.end('replay_diverged');
  }

  /** The guest is where it was interrupted, and calls are sent from now on. Runs once, although `idle` may be called again. */
  async #continueRun(): Promise<void> {
    if (this.#isContinued) return;
    this.#isContinued = true;
    try {
      await this.#options.beforeSending?.();
    } catch (caught) {
      this.#engine?.end(toGatewayError(caught).code);
      return;
    }
    this.#replayed = undefined;
    const { interruptedMs = 0 } = this.#options.recording ?? {};
    for (const id of [...this.#timers.keys()]) {
      const timer = this.#opened.get(id);
      if (timer !== undefined && 'ms' in timer) this.#startTimer(id, timer.ms - (interruptedMs - timer.atMs));
    }
    for (const [id, call] of this.#waiting) {
      const decision = this.#options.decisions?.get(id);
      void this.#ask(id, decision === undefined ? call : { ...call, decision });
    }
    this.#waiting.clear();
  }

  // New replies.

  async #ask(id: number, call: GuestCall): Promise<void> {
    const signal = this.#engine?.signal();
    if (signal === undefined) return;
    this.#live += 1;
    const emit = (payload: string) => this.#deliver({ id, how: SETTLE.event, payload });
    const reply = await answerTo(this.#options.askHost, call, signal, emit);
    this.#live -= 1;
    if ('held' in reply) {
      this.#held.set(id, reply.held);
      this.#suspendIfHeld();
    } else this.#record(id, reply);
  }

  #record(id: number, reply: GuestReply): void {
    const more = reply.ok ? { delivered: reply.delivered } : { code: reply.error.code };
    this.#deliver({ id, ...settlePayload(reply), ...more });
  }

  #startTimer(id: number, ms: number): void {
    const fire = () => {
      this.#timers.delete(id);
      this.#deliver({ id, how: SETTLE.fired, payload: '' });
    };
    const { maxTimerMs = 0 } = this.#engine ?? {};
    this.#timers.set(id, setTimeout(fire, Math.max(0, Math.min(ms, maxTimerMs))));
  }

  #deliver({ payload, ...answer }: Omit<Delivery, 'atMs'>): void {
    if (this.#engine === undefined) return;
    const atMs = this.#now();
    const { id, how } = answer;
    if (this.#take(sizeOf(payload))) this.#answers.push({ id, how, payload: copyOf(payload), atMs });
    this.#idle = false;
    this.#engine.deliver({ ...answer, payload, atMs });
  }

  /** Returns false if an answer of this size cannot be kept. Then the run cannot be interrupted any more. */
  #take(size: number): boolean {
    const fits = this.#chars + size <= this.#options.maxChars && this.#options.hold(size);
    this.#chars = fits ? this.#chars + size : Number.POSITIVE_INFINITY;
    if (!fits) this.#answers.length = 0;
    return fits;
  }

  get #isTooLong(): boolean {
    return this.#chars > this.#options.maxChars;
  }

  /** The current time, never earlier than a previous one. */
  #now(): number {
    this.#lastMs = Math.max(this.#lastMs, Date.now());
    return this.#lastMs;
  }

  #suspendIfHeld(): void {
    if (!this.#idle || this.#live > 0 || this.#held.size === 0) return;
    this.#now();
    this.#engine?.end(this.#isTooLong ? 'approval_too_large' : 'suspended');
  }
}

/** The exact text of a call: when the code runs again, it writes the same arguments. */
const textOf = ({ capability, argsJson, excess }: GuestCall): string =>
  `${capability}\n${wholeText(argsJson)}\n${excess === undefined ? '' : excess.of}`;

/** Longer calls are replaced by their digest at once, because the broker keeps their text already. */
const MAX_KEPT_CHARS = 1_000;
const isLong = (noted: Noted): boolean => 'text' in noted && noted.text.length > MAX_KEPT_CHARS;

function digested(noted: Noted): Opened {
  if (!('text' in noted)) return noted;
  return { id: noted.id, key: createHash('sha256').update(noted.text).digest('base64url').slice(0, 22) };
}

const isSame = (one: Opened, other: Opened): boolean =>
  'key' in one ? 'key' in other && one.key === other.key : 'ms' in other && one.ms === other.ms;

/** What the guest gets in a replay. A copy, because bytes move to it, and the next interruption needs them again. */
function replayed(recorded: Recorded): Delivery {
  const delivery = { ...recorded, payload: copyOf(recorded.payload) };
  if (recorded.how !== SETTLE.rejected) return delivery;
  const { code } = JSON.parse(wholeText(recorded.payload)) as { code: string };
  return { ...delivery, code };
}
