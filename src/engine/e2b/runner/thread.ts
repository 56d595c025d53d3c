// Inside the sandbox, the thread that holds the guest: a fresh context with the prelude, the guest's timers, and the
// door to the main thread. The sandbox is the wall; the context only gives clean globals.
import { randomBytes } from 'node:crypto';
import { createContext, runInContext, Script } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { CODE_FILE, KIND, SETTLE } from '../../protocol.ts';
import type { FromThread, ThreadData, ToThread } from './job.ts';

const { pack, job } = workerData as ThreadData;
if (parentPort === null) throw new Error('thread.ts runs as a worker thread');
const port = parentPort;
const post = (message: FromThread): void => port.postMessage(message);

const MAX_RANDOM_BYTES = 65_536;

type Guest = {
  readonly start: (evaluated: unknown, limitsJson: string) => void;
  readonly settle: (id: number, how: number, payload: string) => void;
};

const timers = new Map<number, NodeJS.Timeout>();
const calls = new Set<number>();
let crossings = 0;
let ended = false;

function end(reason: Extract<FromThread, { type: 'end' }>['reason']): void {
  if (ended) return;
  ended = true;
  post({ type: 'end', reason });
}

/** Buffers live outside the heap that `resourceLimits` bounds, and may be vast without ever being touched. */
function overMemory(): boolean {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external > job.memoryBytes * 1.5;
}

function open(): void {
  crossings += 1;
  if (crossings > job.maxCrossings) end('flood');
}

/** Never throws: an error of this realm would hand the guest this realm. */
function send(kind: number, id: number, payload: string): string | undefined {
  try {
    return ended ? undefined : receive(kind, id, payload);
  } catch {
    return undefined;
  }
}

function receive(kind: number, id: number, payload: string): string | undefined {
  switch (kind) {
    case KIND.timer:
      open();
      timers.set(id, setTimeout(fire, Math.min(Number(payload), 2_147_483_647), id));
      return undefined;
    case KIND.clear:
      clearTimeout(timers.get(id));
      timers.delete(id);
      return undefined;
    case KIND.random:
      return randomBytes(Math.min(Number(payload), MAX_RANDOM_BYTES)).toString('hex');
    case KIND.done:
    case KIND.failed:
      if (overMemory()) end('memory');
      else post({ type: 'said', kind, id, payload });
      ended = true;
      return undefined;
    case KIND.call:
      open();
      calls.add(id);
  }
  if (!ended) post({ type: 'said', kind, id, payload });
  return undefined;
}

/** Microtasks are drained before an immediate runs: with nothing open then, nothing can ever happen again. */
function lookForDeadlock(): void {
  setImmediate(() => {
    if (calls.size === 0 && timers.size === 0) end('deadlock');
  });
}

const context = createContext(Object.create(null));
const inside = (code: string, fileName: string): unknown => runInContext(code, context, { filename: fileName });
const importError = inside('message => new Error(message)', 'ground.js') as (message: string) => Error;

function enter(act: () => void): void {
  if (ended) return;
  try {
    act();
  } catch (error) {
    if (isStackOverflow(error)) fail(error);
    else end('crashed');
  }
  lookForDeadlock();
}

function isStackOverflow(error: unknown): boolean {
  return (error as { name?: unknown } | null)?.name === 'RangeError';
}

function fire(id: number): void {
  timers.delete(id);
  enter(() => guest.settle(id, SETTLE.fired, ''));
}

function loadGuest(): Guest {
  const global = inside('globalThis', 'ground.js') as object;
  inside(pack.ground, 'ground.js');
  Object.assign(global, { __send: send });
  if (pack.descriptionJson !== undefined) Object.assign(global, { __description: pack.descriptionJson });
  inside(pack.prelude, 'prelude.js');
  return inside('(() => { const guest = __guest; delete globalThis.__guest; return guest })()', 'ground.js') as Guest;
}

/** What the agent's code evaluates to; undefined when it failed already. */
function evaluate(): { readonly value: unknown } | undefined {
  let script: Script;
  try {
    script = new Script(`(${job.source}\n)`, {
      filename: CODE_FILE,
      importModuleDynamically: () => {
        throw importError(pack.importMessage);
      },
    });
  } catch (error) {
    fail(error, syntaxPlace(error));
    return undefined;
  }
  try {
    return { value: script.runInContext(context) };
  } catch (error) {
    fail(error);
    return undefined;
  }
}

function fail(error: unknown, stack?: string): void {
  const { name, message, stack: own } = (error ?? {}) as { name?: unknown; message?: unknown; stack?: unknown };
  const text = (value: unknown, otherwise: string) => (typeof value === 'string' ? value : otherwise);
  const payload = JSON.stringify({
    name: text(name, 'Error'),
    message: text(message, String(error)).slice(0, 8_000),
    stack: stack ?? text(own, '').slice(0, 8_000),
  });
  post({ type: 'said', kind: KIND.failed, id: 0, payload });
  ended = true;
}

/** Node writes the place of a syntax error above its stack: file:line, the line, and a caret under the column. */
function syntaxPlace(error: unknown): string {
  const [first = '', , caret = ''] = String((error as { stack?: unknown } | null)?.stack).split('\n');
  const line = /^code\.js:(\d+)$/.exec(first)?.[1];
  return line === undefined ? '' : `    at ${CODE_FILE}:${line}:${caret.indexOf('^') + 1}`;
}

// What the agent's code leaves rejected is nobody's business, as in any browser tab.
process.on('unhandledRejection', () => undefined);
process.on('uncaughtException', () => end('crashed'));

const guest = loadGuest();
port.on('message', ({ id, how, payload }: ToThread) => {
  if (!calls.delete(id)) return;
  enter(() => guest.settle(id, how, payload));
});
post({ type: 'started' });
enter(() => {
  const evaluated = evaluate();
  if (evaluated !== undefined) guest.start(evaluated.value, job.limitsJson);
});
