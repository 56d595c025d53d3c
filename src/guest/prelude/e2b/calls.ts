// Calls from the guest's Sandbox to the host: JSON with bytes as base64, and errors with the names of the SDK's classes.
// Security does not depend on this code, because the host checks every call.
import { byName, type Groups } from '../../by-name.ts';
import { moveTo, type OnEvent } from '../bridge.ts';
import type { GuestHost } from '../globals.ts';
import * as is from '../intrinsics.ts';
import { addNote } from '../notes.ts';
import { toBytes } from '../text.ts';
import { blobBytes } from '../web.ts';
import { ERRORS } from './public.ts';

export type Call = (method: string, args: object, onEvent?: OnEvent) => Promise<unknown>;
export type Options = Record<string, unknown>;

const SDK_ERROR = /^([A-Z][A-Za-z]*Error): ([\s\S]*)$/;

/** `call('commands.run', { sandboxId, … })`. Rejects with an error of the SDK (`NotFoundError`) or a GatewayError. */
export function createCall(host: GuestHost): Call {
  return async (method, args, onEvent) => {
    try {
      const answer = host.call(`Sandbox.${method}`, args, onEvent);
      const signal = (args as { opts?: { [SIGNAL]?: Signal } }).opts?.[SIGNAL];
      return await (signal === undefined ? answer : unlessAborted(answer, signal));
    } catch (error) {
      const { code, message } = error as { code?: string; message?: string };
      const [, name, text] = (code === 'sandbox_failed' && SDK_ERROR.exec(message ?? '')) || [];
      if (name === undefined) throw error;
      const failure = named(name, text ?? '');
      moveTo(failure, error as Error);
      throw failure;
    }
  };
}

/** The property in which `plain` keeps a call's AbortSignal, because the signal is not sent to the host. */
const SIGNAL = Symbol('signal');
type Signal = {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', act: () => void): void;
};

/** Rejects when the signal aborts. The call itself continues on the host. */
function unlessAborted(answer: Promise<unknown>, signal: Signal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    answer.then(resolve, reject);
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave);
  });
}

export function named(name: string, message: string): Error {
  const Known = Object.hasOwn(ERRORS, name) ? ERRORS[name] : undefined;
  if (Known !== undefined) return new Known(message);
  const error = new Error(message);
  Object.defineProperty(error, 'name', { value: name, writable: true, configurable: true });
  return error;
}

/** The id of a sandbox, given as the id or as an object with it. */
export function idOf(sandbox: unknown): string {
  if (typeof sandbox === 'string') return sandbox;
  const given = (sandbox ?? {}) as { sandboxId?: unknown; sandboxID?: unknown };
  const id = typeof given.sandboxId === 'string' ? given.sandboxId : given.sandboxID;
  if (typeof id === 'string') return id;
  throw new TypeError('Give a sandbox id (a string), e.g. Sandbox.connect(sandboxId).');
}

/** Data as it is sent: text as it is, bytes as `{ base64 }`. */
export function dataOf(data: unknown, what: string): string | { base64: string } {
  if (typeof data === 'string') return data;
  const blob = typeof data === 'object' && data !== null ? blobBytes(data) : undefined;
  if (blob !== undefined) return { base64: is.toBase64(blob) };
  if (data instanceof ArrayBuffer || ArrayBuffer.isView(data)) return { base64: is.toBase64(toBytes(data)) };
  throw new TypeError(`${what} must be a string or a Uint8Array; turn objects into text with JSON.stringify(…).`);
}

/** Options of the SDK that have no effect here, each with the reason. */
const WITHOUT_EFFECT = byName([
  ['the gateway adds the key', 'apiKey accessToken validateApiKey'],
  ['the gateway holds the connection to E2B', 'domain apiUrl sandboxUrl debug proxy headers apiHeaders'],
  ['console.log comes back with the result', 'logger'],
  ['the gateway sends as it must', 'gzip useOctetStream'],
  ['links are always signed', 'useSignature'],
  ['a sandbox is always secure', 'secure'],
]);

function signalOf(value: unknown): Signal | undefined {
  if (value === null) return undefined;
  if (typeof (value as Signal).aborted === 'boolean') return value as Signal;
  throw new TypeError('signal must be an AbortSignal, e.g. AbortSignal.timeout(5_000).');
}

/** Options as they can be sent. Functions are refused, because JSON would drop them silently. */
export function plain(options: unknown, callbacks: readonly string[] = [], kept: readonly string[] = []): Options {
  if (options === undefined || options === null) return {};
  if (typeof options !== 'object') throw new TypeError(`The options must be an object, e.g. { timeoutMs: 60_000 }.`);
  const out: Options = {};
  for (const [name, value] of Object.entries(options)) {
    if (callbacks.includes(name) || value === undefined) continue;
    if (name === 'signal') {
      out[SIGNAL as never] = signalOf(value);
      continue;
    }
    const why = kept.includes(name) ? undefined : WITHOUT_EFFECT[name];
    if (why !== undefined) {
      addNote(`The option ${name} has no effect here: ${why}.`);
      continue;
    }
    refuseMisspelt(value, name, callbacks);
    refuseFunctions(value, name, 0);
    out[name] = value;
  }
  return out;
}

function refuseMisspelt(value: unknown, name: string, callbacks: readonly string[]): void {
  if (typeof value !== 'function') return;
  const meant = callbacks.find(each => each.toLowerCase() === name.toLowerCase().replaceAll('_', ''));
  if (meant !== undefined) throw new TypeError(`There is no option ${name}: it is ${meant}.`);
}

function refuseFunctions(value: unknown, path: string, depth: number): void {
  if (typeof value === 'function') throw new TypeError(`${path} is a function: give the value itself.`);
  if (typeof value !== 'object' || value === null || depth > 6) return;
  for (const [name, inner] of Object.entries(value)) refuseFunctions(inner, `${path}.${name}`, depth + 1);
}

const DATES = ['startedAt', 'endAt', 'timestamp', 'modifiedTime'];

/** Turns date strings into Date objects, as in the SDK. */
export function revive<T>(value: T): T {
  if (Array.isArray(value)) return value.map(revive) as T;
  if (typeof value !== 'object' || value === null) return value;
  const record = value as Record<string, unknown>;
  for (const name of DATES) if (typeof record[name] === 'string') record[name] = new Date(record[name]);
  return value;
}

/** Defines members that other SDKs, older versions and other languages have; using one throws the hint. */
export function hint(target: object, style: 'method' | 'sync' | 'property', hints: Groups<string>): void {
  for (const [name, instead] of Object.entries(byName(hints))) {
    const refuse = () => {
      throw new TypeError(`${name} is not there. ${instead}`);
    };
    Object.defineProperty(
      target,
      name,
      style === 'property'
        ? { get: refuse, configurable: true }
        : { value: style === 'method' ? rejected(refuse) : refuse, configurable: true, writable: true },
    );
  }
}

const rejected = (refuse: () => never) => async (): Promise<never> => refuse();

/** Defines members that are not enumerable, so that they do not show when the object is returned or logged. */
export function hide(target: object, members: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(members)) {
    Object.defineProperty(target, name, { value, enumerable: false, configurable: true, writable: true });
  }
}
