// The messages between a run and the runner in its sandbox. Receives frames in order and in turns with other runs, and sends
// replies, large ones as files. Creating the sandbox and ending the run is in run.ts.
import type { CommandHandle, Sandbox } from '../../e2b/sdk.ts';
import type { HostTurns, TurnOwner } from '../../ground/host-turns.ts';
import { type JsonText, sizeOf, type Utf8, utf8Of, wholeText } from '../../ground/json-text.ts';
import { HOLD_ANYTHING } from '../../ground/memory-budget.ts';
import type { Sender } from '../../ground/thread-pool.ts';
import type { Delivery, GuestReply, Job, RunTape, TapeEnd } from '../engine.ts';
import { type Emission, type End, Intake } from '../intake.ts';
import { KIND, SETTLE, settlePayload } from '../protocol.ts';
import { answerTo, type Transcript } from '../transcript.ts';
import { maxPayloadBytes, readPayload, writePayload } from './files.ts';
import { StdinWriter } from './stdin.ts';
import { FrameReader, WireError } from './stdout.ts';
import { type EngineFrame, FILES, INLINE_CHARS, type RunnerFrame, toAscii } from './wire.ts';

/** Checks long payloads, whose bytes must not be used afterwards. Both return undefined if the payload is wrong. */
export type PayloadChecks = {
  /** Decodes a result, which is JSON after a note. */
  readonly readResult: (bytes: Utf8, noteChars: number, from: Sender) => Promise<string | undefined>;
  /** Returns the bytes, which are base64 after a media type. */
  readonly checkBase64: (bytes: Utf8, typeChars: number, from: Sender) => Promise<Utf8 | undefined>;
};

export type ConversationParts = {
  readonly job: Job;
  readonly transcript: Transcript;
  readonly sandbox: Sandbox;
  /** The folder of this run in the sandbox. */
  readonly folder: string;
  readonly checks: PayloadChecks;
  /** Frames are handled in turns, so that a runner's output does not delay other runs. */
  readonly turns: HostTurns;
  /** Aborted when the run is over. */
  readonly signal: AbortSignal;
  readonly onStarted: () => void;
  readonly onEnd: (end: End) => void;
  readonly onOverCpu: () => void;
  readonly onTapeEnd: (why: TapeEnd) => void;
  /** The caller has not enough memory left for a payload in a file. */
  readonly onNoMemory: () => void;
  readonly onLost: (cause: unknown) => void;
};

/** The CPU time that a runner reports is untrusted, so it is limited to what this many cores can use. */
const MAX_CORES = 16;
/** How long frames are handled in one turn. */
const TURN_MS = 0.4;

type Answer = Pick<EngineFrame, 'id' | 'how' | 'atMs'>;
type FileFrame = Extract<RunnerFrame, { file: number }>;

export class Conversation {
  readonly #parts: ConversationParts;
  readonly #owner: TurnOwner;
  readonly #intake: Intake;
  readonly #frames = new FrameReader();
  #stdin: StdinWriter | undefined;
  /** Replies from before stdin was open: the first output may come earlier. */
  #early: string[] = [];
  #files = 0;
  /** Resolves when all events so far are sent: a reply is sent after them. */
  #events: Promise<void> = Promise.resolve();
  #reportedMs = 0;
  #hostMs = 0;
  /** For a run with a tape: its deliveries so far, their number, and how many of them the guest has processed. */
  #delivering: Promise<void> = Promise.resolve();
  #deliveries = 0;
  #settled = -1;

  constructor(parts: ConversationParts) {
    const { job, signal, onTapeEnd } = parts;
    this.#parts = parts;
    this.#owner = { principalId: job.principal.id, name: 'frames of a microVM', paced: true };
    this.#intake = new Intake(job.limits);
    const deliver = (delivery: Delivery) => this.#deliver(delivery);
    job.tape?.attach({ deliver, end: onTapeEnd, signal: () => signal, maxTimerMs: job.limits.wallMs * 2 });
  }

  /** The runner's CPU time, plus the time that this process spent on reading its frames. */
  get cpuMs(): number {
    return Math.round(this.#reportedMs + this.#hostMs);
  }

  /** Adds time that the host spent on the run outside of reading its frames. */
  spend(ms: number): void {
    this.#hostMs += ms;
    this.#checkCpu();
  }

  openStdin(handle: CommandHandle): void {
    const { signal, onLost } = this.#parts;
    this.#stdin = new StdinWriter(handle, signal, onLost);
    for (const line of this.#early.splice(0)) this.#stdin.send(line);
  }

  /** The SDK awaits this before it reads on, so frames are handled in order and a flood of output is slowed down. */
  async onStdout(text: string): Promise<void> {
    const { turns, signal, onLost } = this.#parts;
    const frames = this.#frames.read(text);
    try {
      for (let done = false; !done && !signal.aborted; ) {
        const { value, ms } = await turns.take(this.#owner, () => this.#takeSome(frames));
        this.#hostMs += ms;
        if (value.file !== undefined) await this.#takeFile(value.file);
        this.#checkCpu();
        done = value.done;
      }
    } catch (caught) {
      onLost(caught);
    }
  }

  /** Counts output without frames towards the same limit. @throws WireError */
  countOther(text: string): void {
    this.#frames.count(text);
  }

  /** Handles frames for a moment, or until one has its payload in a file. */
  #takeSome(frames: Iterator<RunnerFrame>): { readonly done: boolean; readonly file?: FileFrame } {
    const until = performance.now() + TURN_MS;
    while (performance.now() < until && !this.#parts.signal.aborted) {
      const next = frames.next();
      if (next.done === true) return { done: true };
      const frame = next.value;
      if (frame.t === 'message' && 'file' in frame) return { done: false, file: frame };
      this.#take(frame);
    }
    return { done: false };
  }

  #take(frame: Exclude<RunnerFrame, FileFrame>): void {
    const { onStarted, onEnd } = this.#parts;
    if (frame.t === 'started') {
      onStarted();
      return;
    }
    this.#setReportedCpu(frame.cpuMs);
    if (frame.t === 'message') this.#receive(frame.kind, frame.id, frame.p);
    else if (frame.t === 'idle') this.#idle(frame.settled);
    else if (frame.reason === 'crashed') onEnd({ reason: 'crashed', detail: 'the guest crashed its thread' });
    else onEnd({ reason: frame.reason });
  }

  async #takeFile({ kind, id, file, bytes, cpuMs }: FileFrame): Promise<void> {
    const { sandbox, folder, job, turns, signal } = this.#parts;
    this.#setReportedCpu(cpuMs);
    if (bytes > maxPayloadBytes(kind, job.limits)) throw new WireError('a payload over its limit');
    // Bytes and text of the payload, until it is received; whoever keeps parts of it then counts them.
    const held = bytes * 2;
    const { hold = HOLD_ANYTHING } = job;
    if (!hold.take(held)) return this.#parts.onNoMemory();
    try {
      const payload = await readPayload(sandbox, `${folder}/${FILES.fromRunner(file)}`, bytes, signal);
      const checked = await this.#checked(kind, id, payload);
      const { ms } = await turns.take(this.#owner, () => this.#receive(kind, id, checked, true));
      this.#hostMs += ms;
    } finally {
      hold.give(held);
    }
  }

  /** @throws WireError if it is not what its kind requires */
  async #checked(kind: number, id: number, payload: Buffer<ArrayBuffer>): Promise<string | Buffer<ArrayBuffer>> {
    const { checks, job, signal } = this.#parts;
    const isBlock = kind === KIND.display && id > 0;
    if (kind !== KIND.done && !isBlock) return payload;
    const from = { principalId: job.principal.id, signal };
    const checked = await (isBlock ? checks.checkBase64(payload, id, from) : checks.readResult(payload, id, from));
    if (checked === undefined) throw new WireError('a payload is not what its kind requires');
    return typeof checked === 'string' ? checked : Buffer.from(checked.buffer, checked.byteOffset, checked.length);
  }

  #setReportedCpu(cpuMs: number): void {
    this.#reportedMs = Math.min(cpuMs, MAX_CORES * this.#parts.job.limits.wallMs);
  }

  #receive(kind: number, id: number, payload: string | Buffer<ArrayBuffer>, isChecked = false): void {
    this.#intake.receive(kind, id, payload, isChecked);
    const { end } = this.#intake;
    for (const emission of this.#intake.takeEmissions())
      if (end === undefined || emission.kind !== 'call') this.#handle(emission);
    if (end !== undefined) this.#parts.onEnd(end);
  }

  #handle(emission: Emission): void {
    const { job, transcript, signal } = this.#parts;
    switch (emission.kind) {
      case 'call': {
        const { id, kind: _kind, ...call } = emission;
        if (job.tape !== undefined) job.tape.call(id, call);
        else {
          const emit = (payload: string) => {
            this.#events = this.#events.then(() => this.#answer({ id, how: SETTLE.event }, payload));
          };
          void answerTo(job.callHost, call, signal, emit).then(reply => this.#reply(id, reply));
        }
        return;
      }
      case 'timer':
        this.#tape.timer(emission.id, emission.ms);
        return;
      case 'clear':
        this.#tape.clear(emission.id);
        return;
      default:
        transcript.add(emission);
    }
  }

  /** Without a tape, timers stay in the runner and are never sent. @throws WireError */
  get #tape(): RunTape {
    const { tape } = this.#parts.job;
    if (tape === undefined) throw new WireError('a timer without a tape');
    return tape;
  }

  #deliver({ id, how, payload, atMs, code, delivered }: Delivery): void {
    const { transcript } = this.#parts;
    if (code !== undefined) transcript.noteCode(code);
    this.#deliveries += 1;
    this.#delivering = this.#delivering.then(async () => {
      await this.#answer({ id, how, atMs }, payload, () => {
        // The guest has cleared the timer meanwhile.
        this.#deliveries -= 1;
        this.#idle(this.#settled);
      });
      delivered?.();
    });
  }

  #idle(settled: number): void {
    this.#settled = settled;
    if (settled === this.#deliveries && !this.#parts.signal.aborted) this.#parts.job.tape?.idle();
  }

  #checkCpu(): boolean {
    const { job, onOverCpu } = this.#parts;
    const over = (job.hostMs?.() ?? 0) + this.cpuMs > job.limits.cpuMs;
    if (over) onOverCpu();
    return over;
  }

  async #reply(id: number, reply: GuestReply): Promise<void> {
    await this.#events;
    if (!reply.ok) this.#parts.transcript.noteCode(reply.error.code);
    const { how, payload } = settlePayload(reply);
    await this.#answer({ id, how }, payload);
    if (reply.ok) reply.delivered?.();
  }

  async #answer(answer: Answer, payload: JsonText, unwanted?: () => void): Promise<void> {
    const { signal, onLost } = this.#parts;
    if (signal.aborted || this.#checkCpu()) return;
    if (answer.how !== SETTLE.event && !this.#intake.answer(answer.id)) return unwanted?.();
    try {
      this.#send(toAscii(await this.#carry(answer, payload)));
    } catch (caught) {
      onLost(caught);
    }
  }

  async #carry(answer: Answer, payload: JsonText): Promise<EngineFrame> {
    if (sizeOf(payload) <= INLINE_CHARS) return { ...answer, p: wholeText(payload) };
    const { sandbox, folder, signal } = this.#parts;
    const bytes = utf8Of(payload);
    const file = ++this.#files;
    await writePayload(sandbox, `${folder}/${FILES.toRunner(file)}`, bytes, signal);
    return { ...answer, file, bytes: bytes.length };
  }

  #send(line: string): void {
    if (this.#stdin === undefined) this.#early.push(line);
    else this.#stdin.send(line);
  }
}
