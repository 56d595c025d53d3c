// Starts and ends a run inside the guest: calls the agent's function once, then sends the host the result or the error,
// whichever comes first.
import { type GuestLimits, KIND } from '../../engine/protocol.ts';
import { nextTimer, openCalls, run, send, startTimer } from './bridge.ts';
import { finishLogs } from './console.ts';
import { describeThrown } from './errors.ts';
import * as is from './intrinsics.ts';
import { addNote, takeNotes } from './notes.ts';
import { brief, takeRejections } from './rejections.ts';
import { renderValue } from './render.ts';
import { shorten } from './shorten.ts';

const UNDEFINED =
  'The function returned undefined: either `return` is missing, or what it returned has no such field; return the whole object once to see its fields.';

/** Turns of the promise queue after the function has returned; each takes about a microsecond. */
const TURNS = 10;
/** Timers that are due within this time after the function has returned still fire. */
const PATIENCE_MS = 100;

let ended = false;
/** Whether the agent's function has returned: then an error in a timer becomes a note, and the result is kept. */
let returned = false;

/** `evaluated`: the value of the agent's code. A function is called; any other value is the result. */
export async function start(evaluated: unknown, limitsJson: string): Promise<void> {
  run.limits = is.parse(limitsJson) as GuestLimits;
  run.startedAt = is.now();
  run.evaluated = evaluated;
  try {
    const value = await (typeof evaluated === 'function' ? (evaluated as () => unknown)() : evaluated);
    returned = true;
    await someTurns();
    await dueTimers();
    succeed(value);
  } catch (error) {
    fail(error);
  }
}

/** Lets promises settle that were not awaited, so that their rejections can be reported. */
async function someTurns(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await undefined;
}

/** Waits for timers that are due soon, so that errors of short work that is not awaited are reported as well. */
async function dueTimers(): Promise<void> {
  const until = is.now() + PATIENCE_MS;
  for (let next = nextTimer(until); next !== undefined; next = nextTimer(until)) {
    await new is.PromiseCtor<void>(resolve => void startTimer(is.max(0, next - is.now()), resolve));
    await someTurns();
  }
}

function succeed(value: unknown): void {
  if (ended) return;
  const { maxResultChars } = run.limits;
  const rendered = renderValue(value, maxResultChars) ?? {
    json: shorten(value, maxResultChars),
    note: `The result is longer than ${maxResultChars} characters, so part of it was left out. Return only the fields you need: map, filter or slice before returning.`,
  };
  const note = noteOn(value, rendered.note);
  end(KIND.done, note.length, note + rendered.json);
}

function noteOn(value: unknown, rendering: string | undefined): string {
  let note = '';
  if (value === undefined) note = UNDEFINED;
  else if (typeof value === 'function')
    note = 'The code returned a function instead of a result: call it, and return what it returns.';
  else if (rendering !== undefined) note = rendering;
  const more = joined(takeNotes(), takeRejections());
  return joined(joined(note, more), noteOnOpenCalls('not awaited and may not have been sent: put'));
}

const joined = (note: string, more: string): string => (note === '' || more === '' ? note + more : `${note} ${more}`);

function noteOnOpenCalls(were: string): string {
  const open = openCalls();
  if (open === 0) return '';
  const calls = open === 1 ? '1 call was' : `${open} calls were`;
  return `${calls} ${were} \`await\` before each (forEach does not wait; use for…of or Promise.all).`;
}

/** Ends the run with the thrown value. */
export function fail(thrown: unknown): void {
  if (ended) return;
  if (returned) {
    addNote(`A timer threw after the function had returned: ${brief(thrown)}.`);
    return;
  }
  // Promise.all rejects with the first error, so calls that are still open may have been awaited.
  const open = noteOnOpenCalls('still open when this was thrown. If not awaited, put');
  const note = joined(joined(takeNotes(), takeRejections(thrown)), open);
  end(KIND.failed, 0, is.recordJson({ ...describeThrown(thrown), note }));
}

function end(kind: number, id: number, payload: string): void {
  ended = true;
  finishLogs();
  send(kind, id, payload);
}
