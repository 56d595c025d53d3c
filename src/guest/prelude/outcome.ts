// How a run starts and ends inside the guest: calls the agent's function once, then tells the host the result or the
// error, whichever comes first.
import { type FailedPayload, type GuestLimits, KIND, MAX_ERROR_CHARS } from '../../engine/protocol.ts';
import { explainAbsent } from './absent.ts';
import { openCalls, run, send } from './bridge.ts';
import { reportDropped } from './console.ts';
import * as is from './intrinsics.ts';
import { renderValue } from './render.ts';

const UNDEFINED =
  'The function returned undefined: either `return` is missing, or what it returned has no such field; return the whole object once to see its fields.';

let ended = false;

/** `evaluated`: what the agent's code evaluated to; a function is called, anything else is the result. */
export async function start(evaluated: unknown, limitsJson: string): Promise<void> {
  run.limits = is.parse(limitsJson) as GuestLimits;
  run.startedAt = is.now();
  try {
    succeed(await (typeof evaluated === 'function' ? (evaluated as () => unknown)() : evaluated));
  } catch (error) {
    fail(error);
  }
}

function succeed(value: unknown): void {
  if (ended) return;
  const { maxResultChars } = run.limits;
  const rendered = renderValue(value, maxResultChars);
  if (rendered === undefined) {
    const message = `The result is longer than ${maxResultChars} characters. Return only the fields you need: map, filter or slice before returning.`;
    end(KIND.failed, 0, is.recordJson({ name: 'GatewayError', code: 'result_too_large', message }));
    return;
  }
  const note = noteOn(value, rendered.note);
  end(KIND.done, note.length, note + rendered.json);
}

function noteOn(value: unknown, rendering: string | undefined): string {
  let note = '';
  if (value === undefined) note = UNDEFINED;
  else if (typeof value === 'function')
    note = 'The code returned a function instead of a result: call it, and return what it returns.';
  else if (rendering !== undefined) note = rendering;
  const unawaited = noteOnOpenCalls('not awaited and may not have been sent: put');
  return note === '' || unawaited === '' ? note + unawaited : `${note} ${unawaited}`;
}

function noteOnOpenCalls(were: string): string {
  const open = openCalls();
  if (open === 0) return '';
  const calls = open === 1 ? '1 call was' : `${open} calls were`;
  return `${calls} ${were} \`await\` before each (forEach does not wait; use for…of or Promise.all).`;
}

/** Ends the run with whatever was thrown. */
export function fail(thrown: unknown): void {
  if (ended) return;
  // Promise.all gives up on the first that fails: those still open may well be awaited.
  const note = noteOnOpenCalls('still open when this was thrown. If not awaited, put');
  end(KIND.failed, 0, is.recordJson({ ...describeThrown(thrown), note }));
}

function end(kind: number, id: number, payload: string): void {
  ended = true;
  reportDropped();
  send(kind, id, payload);
}

/** Never throws, whatever the thrown thing does when it is looked at. */
export function describeThrown(thrown: unknown): FailedPayload {
  if (typeof thrown !== 'object' || thrown === null) return notAnError(thrown);
  const message = textField(thrown, 'message');
  const name = textField(thrown, 'name');
  if (message === undefined || name === undefined) {
    return isError(thrown) ? { name: name ?? 'Error', message: message ?? '', ...stackOf(thrown) } : notAnError(thrown);
  }
  const code = textField(thrown, 'code');
  const cause = causeOf(thrown);
  return {
    name,
    message: is.slice(explainAbsent(name, message) + cause, 0, MAX_ERROR_CHARS),
    ...stackOf(thrown),
    ...(name === 'GatewayError' && code !== undefined ? { code } : {}),
  };
}

function stackOf(thrown: object): { stack?: string } {
  const stack = textField(thrown, 'stack');
  return stack === undefined ? {} : { stack: is.slice(stack, 0, MAX_ERROR_CHARS) };
}

function causeOf(thrown: object): string {
  try {
    const { cause } = thrown as { cause?: unknown };
    if (cause === undefined) return '';
    const message = typeof cause === 'object' && cause !== null ? textField(cause, 'message') : undefined;
    return ` (cause: ${is.slice(message ?? shown(cause), 0, 500)})`;
  } catch {
    return '';
  }
}

function notAnError(thrown: unknown): FailedPayload {
  return { name: 'Error', message: `The code threw a value that is no Error: ${shown(thrown)}` };
}

function shown(value: unknown): string {
  if (value === undefined) return 'undefined';
  try {
    return renderValue(value, 2_000)?.json ?? 'a large object';
  } catch {
    return 'an unreadable object';
  }
}

function isError(thrown: object): boolean {
  try {
    return thrown instanceof is.ErrorCtor;
  } catch {
    return false;
  }
}

function textField(owner: object, name: string): string | undefined {
  try {
    const value = (owner as Record<string, unknown>)[name];
    return typeof value === 'string' ? is.slice(value, 0, MAX_ERROR_CHARS) : undefined;
  } catch {
    return undefined;
  }
}
