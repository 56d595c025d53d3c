// Evaluated first in the guest's context, to give it the same built-ins as the embedded engine. Removes those that the
// embedded engine does not have. For those that this Node does not have, it defines placeholders (stand-ins), whose first use
// evaluates a script that brings the real ones.

// Base64 is loaded at once: the prelude uses it, and needs it before the agent's code can patch anything.
import 'core-js/modules/es.uint8-array.from-base64.js';
import 'core-js/modules/es.uint8-array.to-base64.js';

export type LateScript = 'newer' | 'url';

/** From the runner: evaluates a script in this context. No other code gets it. */
declare const __late: (script: LateScript) => void;
/** From the runner: replaced below by a wrapper, which the prelude takes. */
declare const __send: (kind: number, id: number, payload: string) => string | undefined;

type Owner = Record<PropertyKey, unknown>;
type StandIn = {
  readonly owner: Owner;
  readonly name: PropertyKey;
  readonly own: PropertyDescriptor;
  /** Called with the value that the script defined. */
  readonly arrived: (value: unknown) => void;
};

const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf, apply } = Reflect;
const evaluate = ofThisRealm(__late);
Object.assign(globalThis, { __send: ofThisRealm(__send) });
delete (globalThis as Partial<{ __late: unknown }>).__late;
// The global in which core-js keeps its state.
delete (globalThis as { '__core-js_shared__'?: unknown })['__core-js_shared__'];

const IteratorPrototype = getPrototypeOf(getPrototypeOf([][Symbol.iterator]()) as object);
const TypedArrayPrototype = getPrototypeOf(Uint8Array.prototype);

/** Everything that newer.ts may add, except members of symbols that it adds itself. */
export const METHODS: readonly (readonly [owner: unknown, names: string])[] = [
  [Array, 'fromAsync'],
  [Array.prototype, 'toReversed toSorted toSpliced with'],
  [DataView.prototype, 'getFloat16 setFloat16'],
  [Error, 'isError'],
  [IteratorPrototype, 'drop every filter find flatMap forEach map reduce some take toArray'],
  [(globalThis as { Iterator?: unknown }).Iterator, 'concat'],
  [Map, 'groupBy'],
  [Map.prototype, 'getOrInsert getOrInsertComputed'],
  [Math, 'f16round sumPrecise'],
  [Object, 'groupBy'],
  [Promise, 'try withResolvers'],
  [RegExp, 'escape'],
  [Set.prototype, 'difference intersection isDisjointFrom isSubsetOf isSupersetOf symmetricDifference union'],
  [String.prototype, 'isWellFormed toWellFormed'],
  [TypedArrayPrototype, 'toReversed toSorted with'],
  [Uint8Array, 'fromHex'],
  [Uint8Array.prototype, 'setFromBase64 setFromHex toHex'],
];
const GLOBALS = 'AsyncDisposableStack DisposableStack DOMException Iterator SuppressedError atob btoa';
const SYMBOLS = 'asyncDispose dispose';

const standIns: Record<LateScript, StandIn[]> = { newer: [], url: [] };

/**
 * Wraps a function of the runner. It catches its own errors, except a stack overflow at its first line: that error would
 * belong to the runner's realm and give the guest access to it. No iteration here, because the agent's code may patch it.
 */
function ofThisRealm<Args extends unknown[], Result>(runners: (...args: Args) => Result): (...args: Args) => Result {
  const TooDeep = RangeError;
  return (...args) => {
    try {
      return apply(runners, undefined, args) as Result;
    } catch {
      throw new TooDeep('Maximum call stack size exceeded');
    }
  };
}

function load(script: LateScript): void {
  const placed = standIns[script];
  standIns[script] = [];
  const found = placed.map(({ owner, name }) => getOwnPropertyDescriptor(owner, name));
  for (const { owner, name } of placed) delete owner[name];
  evaluate(script);
  placed.forEach(({ owner, name, own, arrived }, index) => {
    arrived(owner[name]);
    const before = found[index];
    if (before?.value === own.value && before?.get === own.get) return;
    // The agent's code has replaced or deleted it meanwhile, so that is restored.
    if (before === undefined) delete owner[name];
    else defineProperty(owner, name, before);
  });
}

function place(script: LateScript, standIn: StandIn): void {
  defineProperty(standIn.owner, standIn.name, standIn.own);
  standIns[script].push(standIn);
}

/** The placeholder is a function, so that code that kept a reference to it can still use it after the script was loaded. */
function lateMethod(owner: Owner, name: string): void {
  let real: unknown;
  const methods = {
    [name](this: unknown, ...args: unknown[]): unknown {
      if (real === undefined) load('newer');
      return apply(real as () => unknown, this, args);
    },
  };
  const own = { value: methods[name], writable: true, configurable: true, enumerable: false };
  const arrived = (value: unknown): void => {
    real = value;
  };
  place('newer', { owner, name, own, arrived });
}

function lateValue(script: LateScript, owner: Owner, name: string): void {
  let real: unknown;
  const own: PropertyDescriptor = {
    get() {
      if (real === undefined) load(script);
      return real;
    },
    set(value: unknown) {
      defineProperty(owner, name, { value, writable: true, configurable: true, enumerable: false });
    },
    configurable: true,
    enumerable: false,
  };
  const arrived = (value: unknown): void => {
    real = value;
  };
  place(script, { owner, name, own, arrived });
}

const missing = (owner: unknown, names: string): string[] =>
  owner === undefined ? [] : names.split(' ').filter(name => !Object.hasOwn(owner as Owner, name));

const root = globalThis as unknown as Owner;
for (const [owner, names] of METHODS) for (const name of missing(owner, names)) lateMethod(owner as Owner, name);
for (const name of missing(root, GLOBALS)) lateValue('newer', root, name);
for (const name of missing(Symbol, SYMBOLS)) lateValue('newer', Symbol as unknown as Owner, name);
for (const name of missing(root, 'URL URLSearchParams')) lateValue('url', root, name);

for (const name of ['Atomics', 'WebAssembly']) delete root[name];
// Only some versions of Node have these.
for (const name of ['DurationFormat', 'v8BreakIterator']) delete (Intl as unknown as Owner)[name];
