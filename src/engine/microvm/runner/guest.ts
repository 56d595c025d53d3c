// The guest inside its sandbox: a new context with the prelude, timers, and the connection to the host. The sandbox isolates
// the guest; the context only provides clean globals.
import { createContext, runInContext, Script } from 'node:vm';
import { CODE_FILE, KIND, SETTLE } from '../../protocol.ts';
import { drawHex, READS_A_MS, type Taped, tapedFrom } from '../../taped.ts';
import type { RunnerEnd } from '../wire.ts';
import { installClock } from './clock.ts';
import type { LateScript } from './ground.ts';
import type { Pack, RunnerJob } from './job.ts';

const MAX_RANDOM_BYTES = 65_536;
const MAX_MESSAGE_CHARS = 8_000;
/** Checked at the end of the run: buffers that were never written to are not seen by the watch thread. */
const MEMORY_SLACK = 1.5;

/** The functions of the prelude. */
type Entry = {
  readonly reject: (promise: unknown, reason: unknown, handled: boolean) => void;
  readonly takeRejections: () => string;
  readonly start: (evaluated: unknown, limitsJson: string) => void;
  readonly settle: (id: number, how: number, payload: string) => void;
};

export type Outside = {
  send(kind: number, id: number, payload: string): void;
  end(reason: RunnerEnd): void;
  /** The guest is idle after this many replies; only for a run with a tape. */
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
      // The timer was cleared meanwhile.
      if (this.#taped !== undefined && !this.#ended) this.#outside.idle(this.#settled);
      return;
    }
    this.#enter(() => {
      if (atMs !== undefined) this.#setClock?.(atMs);
      this.#entry.settle(id, how, payload);
    });
  }

  /** Called when Node reports a rejection, which is after the guest's promise jobs have run. */
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

  /** Hides errors like #send. If the script fails, the built-in is missing where it is used. */
  #evaluateLate(script: LateScript): void {
    try {
      this.#inside(unpack(this.#pack.late[script]));
    } catch {}
  }

  // Messages of the guest.

  /** Must not throw: an error of this realm would give the guest access to it. ground.ts handles a stack overflow. */
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
        else this.#sendAfterRejections(kind, id, payload);
        return undefined;
      case KIND.call:
        this.#count();
        this.#calls.add(id);
    }
    if (!this.#ended) this.#outside.send(kind, id, payload);
    return undefined;
  }

  #sendLast(kind: number, id: number, payload: string): void {
    if (!this.#ended) this.#outside.send(kind, id, payload);
    this.#ended = true;
  }

  /** Sends the last message in an immediate, which runs after Node has reported the rejections of this turn. */
  #sendAfterRejections(kind: number, id: number, payload: string): void {
    if (this.#ended) return;
    this.#ended = true;
    setImmediate(() => {
      const last = withNote(kind, id, payload, this.#moreRejections());
      this.#outside.send(kind, last.id, last.payload);
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

  // Calls into the guest.

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
    // An immediate runs after all microtasks. If nothing is open then, the function can never settle.
    setImmediate(() => {
      if (this.#calls.size === 0 && this.#timers.size === 0) this.end('deadlock');
      else if (this.#taped !== undefined && !this.#ended) this.#outside.idle(this.#settled);
    });
  }

  /** The value of the agent's code; undefined if it failed. */
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

  /** Reports an error outside the prelude's own promise chain. */
  #fail(error: unknown, place?: string): void {
    const { name, message, stack } = (error ?? {}) as { name?: unknown; message?: unknown; stack?: unknown };
    const text = (value: unknown, otherwise: string) =>
      (typeof value === 'string' ? value : otherwise).slice(0, MAX_MESSAGE_CHARS);
    const failure = {
      name: text(name, 'Error'),
      message: text(message, String(error)),
      stack: place ?? text(stack, ''),
    };
    this.#sendLast(KIND.failed, 0, JSON.stringify(failure));
  }
}

/** Adds a note to the prelude's last message, see protocol.ts. */
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

// Modules that most runs do not need, and that take milliseconds to load.

function randomHex(bytes: number, taped: Taped | undefined): string {
  const { createHash, randomBytes } = require('node:crypto') as typeof import('node:crypto');
  if (taped !== undefined) return drawHex(taped, bytes, createHash);
  return randomBytes(bytes).toString('hex');
}

function unpack(packed: string): string {
  const { gunzipSync } = require('node:zlib') as typeof import('node:zlib');
  return gunzipSync(Buffer.from(packed, 'base64')).toString('utf8');
}

/** Node writes the place of a syntax error before its stack: file:line, the line, and a caret under the column. */
function syntaxPlace(error: unknown): string {
  const [first = '', , caret = ''] = String((error as { stack?: unknown } | null)?.stack).split('\n');
  const line = /^code\.js:(\d+)$/.exec(first)?.[1];
  return line === undefined ? '' : `    at ${CODE_FILE}:${line}:${caret.indexOf('^') + 1}`;
}
