// The built-ins that the prelude uses, captured before any of the agent's code runs, so that patching them later has no
// effect here. Prelude code that runs after the start uses only these, own properties, and syntax without lookups: no
// iteration protocol, no array writes by index (a setter on Object.prototype would see them), no methods.
export const { apply, getPrototypeOf, getOwnPropertyDescriptor } = Reflect;
const { defineProperty } = Object;
export const { freeze, keys, create } = Object;
export const { parse, stringify } = JSON;
export const { isArray } = Array;
export const { isView } = ArrayBuffer;
export const { now } = Date;
export const { floor, min, max } = Math;
export const { isSafeInteger, isFinite: isFiniteNumber } = Number;

export const ObjectPrototype = Object.prototype;
export const PromiseCtor = Promise;
export const ErrorCtor = Error;
export const TypeErrorCtor = TypeError;
export const DateCtor = Date;
export const MapCtor = Map;
export const SetCtor = Set;
export const RegExpCtor = RegExp;
export const ArrayBufferCtor = ArrayBuffer;
export const Uint8ArrayCtor = Uint8Array;
export const DataViewCtor = DataView;
export const StringCtor = String;
export const NumberCtor = Number;
export const BooleanCtor = Boolean;

type Method<Self, Args extends readonly unknown[], Result> = (this: Self, ...args: Args) => Result;

/** The method as a function that takes the receiver first; later changes of the prototype do not affect it. */
function uncurry<Self, Args extends readonly unknown[], Result>(method: Method<Self, Args, Result>) {
  return (self: Self, ...args: Args): Result => apply(method, self, args) as Result;
}

function getter<Self, Result>(prototype: object, name: PropertyKey): (self: Self) => Result {
  const get = getOwnPropertyDescriptor(prototype, name)?.get;
  if (get === undefined) throw new ErrorCtor(`no getter ${StringCtor(name)}`);
  return self => apply(get, self, []) as Result;
}

const prototypeStack = getOwnPropertyDescriptor(Error.prototype, 'stack')?.get;
/** The error's stack, which is an own property or a getter of the prototype, depending on the engine. */
export function stackOf(error: Error): unknown {
  const own = getOwnPropertyDescriptor(error, 'stack');
  const get = own === undefined ? prototypeStack : own.get;
  return get === undefined ? own?.value : apply(get, error, []);
}

export const promiseThen = uncurry(Promise.prototype.then) as <V, R>(
  promise: Promise<V>,
  act: (value: V) => R,
) => Promise<R>;
export const mapGet = uncurry(Map.prototype.get) as <K, V>(map: Map<K, V>, key: K) => V | undefined;
export const mapSet = uncurry(Map.prototype.set) as <K, V>(map: Map<K, V>, key: K, value: V) => Map<K, V>;
export const mapDelete = uncurry(Map.prototype.delete) as <K, V>(map: Map<K, V>, key: K) => boolean;
export const mapClear = uncurry(Map.prototype.clear) as (map: Map<unknown, unknown>) => void;
export const mapForEach = uncurry(Map.prototype.forEach) as <K, V>(
  map: Map<K, V>,
  visit: (value: V, key: K) => void,
) => void;
export const mapSize = getter<Map<unknown, unknown>, number>(Map.prototype, 'size');
export const setForEach = uncurry(Set.prototype.forEach) as <V>(set: Set<V>, visit: (value: V) => void) => void;
export const dateToIso = uncurry(Date.prototype.toISOString);
export const dateTime = uncurry(Date.prototype.getTime);
export const regExpText = uncurry(RegExp.prototype.toString);
export const functionText = uncurry(Function.prototype.toString);
export const slice = uncurry(String.prototype.slice);
export const indexOf = uncurry(String.prototype.indexOf) as (text: string, what: string, from?: number) => number;
export const symbolText = uncurry(Symbol.prototype.toString);
export const numberValue = uncurry(Number.prototype.valueOf);
export const stringValue = uncurry(String.prototype.valueOf);
export const booleanValue = uncurry(Boolean.prototype.valueOf);

const TypedArrayPrototype = getPrototypeOf(Uint8Array.prototype) as object;
type View = ArrayBufferView;
export const viewLength = getter<View, number>(TypedArrayPrototype, 'length');
export const viewName = getter<View, string>(TypedArrayPrototype, Symbol.toStringTag);
export const viewBuffer = getter<View, ArrayBuffer>(TypedArrayPrototype, 'buffer');
export const viewOffset = getter<View, number>(TypedArrayPrototype, 'byteOffset');
export const viewBytes = getter<View, number>(TypedArrayPrototype, 'byteLength');

type Base64Array = Uint8Array & { toBase64(): string };
/** Base64 with the engine's own functions. */
export const toBase64 = uncurry((Uint8Array.prototype as Base64Array).toBase64) as (bytes: Uint8Array) => string;
const decodeBase64 = (Uint8Array as unknown as { fromBase64(text: string): Uint8Array }).fromBase64;
export const fromBase64 = (text: string): Uint8Array => apply(decodeBase64, Uint8ArrayCtor, [text]);

/** The JSON of a flat record of strings. JSON.stringify gets no object, so a patched `toJSON` is never called. */
export function recordJson(record: Readonly<Record<string, string | undefined>>): string {
  const names = keys(record);
  let out = '';
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    const value = record[name];
    if (value !== undefined) out += `${out === '' ? '' : ','}${stringify(name)}:${stringify(value)}`;
  }
  return `{${out}}`;
}

/** Defines an own property like an assignment does. The descriptor has no prototype, so a patched one has no effect. */
export function define(owner: object, name: string, value: unknown, enumerable = true): void {
  const descriptor = { __proto__: null, value, writable: true, configurable: true, enumerable };
  defineProperty(owner, name, descriptor);
}

/** Defines a global for the agent's code. It is writable, as in any JavaScript engine, because no rule depends on it. */
export function defineGlobal(name: string, value: unknown): void {
  define(globalThis, name, value, false);
}
