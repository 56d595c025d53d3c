// The guest inside its sandbox: a fresh context with the prelude, its timers, and the way to the host. The sandbox is
// the wall; the context only gives clean globals. Knows nothing of frames.
import { createContext, runInContext, Script } from 'node:vm';
import { CODE_FILE, KIND, SETTLE } from '../../protocol.ts';
import { drawHex, READS_A_MS, type Taped, tapedFrom } from '../../taped.ts';
import type { RunnerEnd } from '../wire.ts';
import { installClock } from './clock.ts';
import type { LateScript } from './ground.ts';
import type { Pack, RunnerJob } from './job.ts';

const MAX_RANDOM_BYTES = 65_536;
const MAX_MESSAGE_CHARS = 8_000;
/** Asked at the end: buffers may be vast without ever being touched, which the watch cannot see. */
const MEMORY_SLACK = 1.5;

/** Of the prelude. */
type Entry = {
  readonly reject: (promise: unknown, reason: unknown, handled: boolean) => void;
  readonly takeRejections: () => string;
  readonly start: (evaluated: unknown, limitsJson: string) => void;
  readonly settle: (id: number, how: number, payload: string) => void;
};

export type Outside = {
  say(kind: number, id: number, payload: string): void;
  end(reason: RunnerEnd): void;
  /** The guest has done all it can with as many answers; only where the run has a tape. */
  idle(settled: number): void;
};

export class Guest {
  readonly #context = createContext(Object.create(null));
  readonly #timers = new Map<number, NodeJS.Timeout>();
  readonly #calls = new Set<number>();
  readonly #job: RunnerJob;
  readonly #pack: Pack;
  readonly #outside: Outside;
  readonly #entry: Entry;
  #crossings = 0;
  #ended = false;
  readonly #taped: Taped | undefined;
  readonly #setClock: ((atMs: number) => void) | undefined;
  #settled = 0;

  constructor(pack: Pack, job: RunnerJob, outside: Outside) {
    this.#job = job;
    this.#pack = pack;
    this.#outside = outside;
    if (job.tape !== undefined) {
      this.#taped = tapedFrom(job.tape);
      const install = `(${installClock.toString()})(${job.tape.startedMs}, ${READS_A_MS})`;
      this.#setClock = this.#inside(install) as (atMs: number) => void;
    }
    const global = this.#inside('globalThis') as object;
    Object.assign(global, {
      __late: (script: LateScript) => this.#evaluateLate(script),
      __send: (kind: number, id: number, text: string) => this.#send(kind, id, text),
    });
    this.#inside(pack.ground);
    if (pack.description !== undefined) Object.assign(global, { __description: unpack(pack.description) });
    this.#inside(pack.prelude);
    this.#entry = this.#inside('(() => { const guest = __guest; delete globalThis.__guest; return guest })()') as Entry;
  }

  start(): void {
    this.#enter(() => {
      const evaluated = this.#evaluate();
      if (evaluated !== undefined) this.#entry.start(evaluated.value, this.#job.limitsJson);
    });
  }

  settle(id: number, how: number, payload: string, atMs?: number): void {
    this.#settled += 1;
    if (how !== SETTLE.event && !this.#calls.delete(id)) {
      // Of a timer that was cleared meanwhile.
      if (this.#taped !== undefined && !this.#ended) this.#outside.idle(this.#settled);
      return;
    }
    this.#enter(() => {
      if (atMs !== undefined) this.#setClock?.(atMs);
      this.#entry.settle(id, how, payload);
    });
  }

  /** As Node reports them: once the guest's promises have had their turn. */
  reject(promise: unknown, reason: unknown, handled: boolean): void {
    try {
      this.#entry.reject(promise, reason, handled);
    } catch {}
  }

  end(reason: RunnerEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#outside.end(reason);
  }

  #inside(code: string): unknown {
    return runInContext(code, this.#context, { filename: 'prelude.js' });
  }

  /** As #send: what it did not bring is found missing where it was asked for. */
  #evaluateLate(script: LateScript): void {
    try {
      this.#inside(unpack(this.#pack.late[script]));
    } catch {}
  }

  // What the guest says.

  /** An error of this realm would hand the guest this realm: none from within, and ground.ts sees to the rest. */
  #send(kind: number, id: number, payload: string): string | undefined {
    try {
      return this.#ended ? undefined : this.#receive(kind, id, payload);
    } catch {
      return undefined;
    }
  }

  #receive(kind: number, id: number, payload: string): string | undefined {
    switch (kind) {
      case KIND.timer:
        this.#count();
        if (this.#taped !== undefined) {
          this.#calls.add(id);
          break;
        }
        this.#timers.set(
          id,
          setTimeout(() => this.#fire(id), Math.min(Number(payload), 2_147_483_647)),
        );
        return undefined;
      case KIND.clear:
        if (this.#taped !== undefined) {
          this.#calls.delete(id);
          break;
        }
        clearTimeout(this.#timers.get(id));
        this.#timers.delete(id);
        return undefined;
      case KIND.random:
        return randomHex(Math.min(Number(payload), MAX_RANDOM_BYTES), this.#taped);
      case KIND.done:
      case KIND.failed:
        if (this.#overMemory()) this.end('memory');
        else this.#sayAfterRejections(kind, id, payload);
        return undefined;
      case KIND.call:
        this.#count();
        this.#calls.add(id);
    }
    if (!this.#ended) this.#outside.say(kind, id, payload);
    return undefined;
  }

  #sayLast(kind: number, id: number, payload: string): void {
    if (!this.#ended) this.#outside.say(kind, id, payload);
    this.#ended = true;
  }

  /** An immediate comes after Node has reported what was rejected in this turn. */
  #sayAfterRejections(kind: number, id: number, payload: string): void {
    if (this.#ended) return;
    this.#ended = true;
    setImmediate(() => {
      const last = withNote(kind, id, payload, this.#moreRejections());
      this.#outside.say(kind, last.id, last.payload);
    });
  }

  #moreRejections(): string {
    try {
      return this.#entry.takeRejections();
    } catch {
      return '';
    }
  }

  #count(): void {
    this.#crossings += 1;
    if (this.#crossings > this.#job.maxCrossings) this.end('flood');
  }

  #overMemory(): boolean {
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external > this.#job.memoryBytes * MEMORY_SLACK;
  }

  // Into the guest.

  #fire(id: number): void {
    this.#timers.delete(id);
    this.#enter(() => this.#entry.settle(id, SETTLE.fired, ''));
  }

  #enter(act: () => void): void {
    if (this.#ended) return;
    try {
      act();
    } catch (error) {
      if ((error as { name?: unknown } | null)?.name === 'RangeError') this.#fail(error);
      else this.end('crashed');
    }
    // Microtasks are drained before an immediate runs: with nothing open then, nothing can ever happen again.
    setImmediate(() => {
      if (this.#calls.size === 0 && this.#timers.size === 0) this.end('deadlock');
      else if (this.#taped !== undefined && !this.#ended) this.#outside.idle(this.#settled);
    });
  }

  /** What the agent's code evaluates to; undefined when it failed already. */
  #evaluate(): { readonly value: unknown } | undefined {
    let script: Script;
    try {
      const importError = this.#inside('message => new Error(message)') as (message: string) => Error;
      script = new Script(`(${this.#job.source}\n)`, {
        filename: CODE_FILE,
        importModuleDynamically: () => {
          throw importError(this.#pack.importMessage);
        },
      });
    } catch (error) {
      this.#fail(error, syntaxPlace(error));
      return undefined;
    }
    try {
      return { value: script.runInContext(this.#context) };
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  /** An error outside the prelude's own promise chain. */
  #fail(error: unknown, place?: string): void {
    const { name, message, stack } = (error ?? {}) as { name?: unknown; message?: unknown; stack?: unknown };
    const text = (value: unknown, otherwise: string) =>
      (typeof value === 'string' ? value : otherwise).slice(0, MAX_MESSAGE_CHARS);
    const failure = {
      name: text(name, 'Error'),
      message: text(message, String(error)),
      stack: place ?? text(stack, ''),
    };
    this.#sayLast(KIND.failed, 0, JSON.stringify(failure));
  }
}

/** The prelude's last message with one more note, see protocol.ts. */
function withNote(kind: number, id: number, payload: string, more: string): { id: number; payload: string } {
  if (more === '') return { id, payload };
  const join = (note: string): string => (note === '' ? more : `${note} ${more}`);
  if (kind === KIND.done) {
    const note = join(payload.slice(0, id));
    return { id: note.length, payload: note + payload.slice(id) };
  }
  const failed = JSON.parse(payload) as { note?: string };
  return { id, payload: JSON.stringify({ ...failed, note: join(failed.note ?? '') }) };
}

// Modules that most runs do without, and that take their milliseconds to load.

function randomHex(bytes: number, taped: Taped | undefined): string {
  const { createHash, randomBytes } = require('node:crypto') as typeof import('node:crypto');
  if (taped !== undefined) return drawHex(taped, bytes, createHash);
  return randomBytes(bytes).toString('hex');
}

function unpack(packed: string): string {
  const { gunzipSync } = require('node:zlib') as typeof import('node:zlib');
  return gunzipSync(Buffer.from(packed, 'base64')).toString('utf8');
}

/** Node writes the place of a syntax error above its stack: file:line, the line, and a caret under the column. */
function syntaxPlace(error: unknown): string {
  const [first = '', , caret = ''] = String((error as { stack?: unknown } | null)?.stack).split('\n');
  const line = /^code\.js:(\d+)$/.exec(first)?.[1];
  return line === undefined ? '' : `    at ${CODE_FILE}:${line}:${caret.indexOf('^') + 1}`;
}
