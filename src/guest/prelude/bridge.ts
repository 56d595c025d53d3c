// The only connection from the guest to the host: one host function that takes and returns text. Keeps the pending calls
// and timers, and refuses early what the host would refuse anyway. Does not depend on any capability.
import { type GuestLimits, KIND, SETTLE } from '../../engine/protocol.ts';
import * as is from './intrinsics.ts';
import { renderArguments } from './render.ts';

type Send = (kind: number, id: number, payload: string) => string | undefined;
type Pending = {
  readonly fulfil: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** Created at the agent's call: its stack has the agent's line, which is no longer on the stack when the response comes. */
  readonly from: Error;
};

export type OnEvent = (event: unknown) => void;

const root = globalThis as { __send?: Send };
const hostSend = root.__send;
if (hostSend === undefined) throw new is.ErrorCtor('the prelude was evaluated without its host');
delete root.__send;
export const send: Send = hostSend;

const NO_LIMITS: GuestLimits = {
  maxResultChars: 0,
  maxLogChars: 0,
  maxCallChars: 0,
  maxPendingCalls: 0,
  maxDisplayBytes: 0,
};

/** Set at the start of each run. `evaluated`: the value of the agent's code. */
export const run: { limits: GuestLimits; startedAt: number; evaluated: unknown } = {
  limits: NO_LIMITS,
  startedAt: 0,
  evaluated: undefined,
};

const pending = new is.MapCtor<number, Pending>();
type Timer = { readonly action: () => void; readonly dueAt: number };
const timers = new is.MapCtor<number, Timer>();
/** Callbacks for events, by the id of their call. They are kept after the call's response, because events may follow it. */
const listeners = new is.MapCtor<number, OnEvent>();
let lastId = 0;

/** An error of the gateway inside the guest: an ordinary Error with the name GatewayError and a `code`. */
export function gatewayError(code: string, message: string): Error {
  const error = new is.ErrorCtor(message);
  is.define(error, 'name', 'GatewayError', false);
  is.define(error, 'code', code);
  return error;
}

/** Gives `error` the stack of `from`, unless something the agent's code did to stacks prevents it. */
export function moveTo(error: Error, from: Error): void {
  try {
    const stack = is.stackOf(from);
    if (typeof stack === 'string') is.define(error, 'stack', stack, false);
  } catch {}
}

export function openCalls(): number {
  return is.mapSize(pending);
}

function refuseWhenFull(): void {
  const { maxPendingCalls } = run.limits;
  if (is.mapSize(pending) + is.mapSize(timers) >= maxPendingCalls)
    throw gatewayError(
      'budget_exceeded',
      `More than ${maxPendingCalls} calls and timers are open at once. Await some of them before starting more.`,
    );
}

/** Calls a capability on the host. Rejects with a GatewayError, or with a TypeError for arguments that are not JSON. */
export function call(capability: string, args: unknown, onEvent?: OnEvent): Promise<unknown> {
  const from = new is.ErrorCtor();
  return new is.PromiseCtor((fulfil, reject) => {
    refuseWhenFull();
    const { maxCallChars } = run.limits;
    const argsJson = renderArguments(args, maxCallChars);
    if (argsJson === undefined)
      throw gatewayError('budget_exceeded', `The arguments are longer than ${maxCallChars} characters. Send less.`);
    refuseWhenFull(); // again, because a getter in the arguments may have made calls
    const id = ++lastId;
    is.mapSet(pending, id, { fulfil, reject, from });
    if (onEvent !== undefined) is.mapSet(listeners, id, onEvent);
    send(KIND.call, id, `${capability}\n${argsJson}`);
  });
}

/** Runs `action` once, after `ms`. */
export function startTimer(ms: number, action: () => void): number {
  refuseWhenFull();
  const id = ++lastId;
  is.mapSet(timers, id, { action, dueAt: is.now() + ms });
  send(KIND.timer, id, is.StringCtor(ms));
  return id;
}

/** When the next open timer fires, if that is not after `until`. */
export function nextTimer(until: number): number | undefined {
  let next: number | undefined;
  is.mapForEach(timers, ({ dueAt }) => {
    if (dueAt <= until && (next === undefined || dueAt < next)) next = dueAt;
  });
  return next;
}

export function clearTimer(id: number): void {
  if (is.mapDelete(timers, id)) send(KIND.clear, id, '');
}

/** Receives the host's response to a call or timer, or an event. Unknown ids belong to cleared timers and are ignored. */
export function settle(id: number, how: number, payload: string): void {
  if (how === SETTLE.fired) {
    const timer = is.mapGet(timers, id);
    if (timer === undefined) return;
    is.mapDelete(timers, id);
    timer.action();
    return;
  }
  if (how === SETTLE.event) {
    is.mapGet(listeners, id)?.(is.parse(payload));
    return;
  }
  const waiting = is.mapGet(pending, id);
  if (waiting === undefined) return;
  is.mapDelete(pending, id);
  if (how === SETTLE.fulfilled) {
    let value: unknown;
    try {
      value = is.parse(payload);
    } catch (error) {
      waiting.reject(error);
      return;
    }
    waiting.fulfil(value);
    return;
  }
  const { code, message } = is.parse(payload) as { code: string; message: string };
  const error = gatewayError(code, message);
  moveTo(error, waiting.from);
  waiting.reject(error);
}
