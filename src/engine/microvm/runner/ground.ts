// Evaluated first in the guest's context: levels it with the embedded engine's. Takes away what that has not, and puts
// stand-ins where a script has to bring what this Node has not: the first use of one evaluates the script.

// Base64 at once: the prelude itself takes it, and must get it before the agent's code can patch what it is made of.
import 'core-js/modules/es.uint8-array.from-base64.js';
import 'core-js/modules/es.uint8-array.to-base64.js';

export type LateScript = 'newer' | 'url';

/** The runner's: evaluates a script in this context. Only this file ever holds it. */
declare const __late: (script: LateScript) => void;
/** The runner's as well; the prelude takes what this file puts in its place. */
declare const __send: (kind: number, id: number, payload: string) => string | undefined;

type Owner = Record<PropertyKey, unknown>;
type StandIn = {
  readonly owner: Owner;
  readonly name: PropertyKey;
  readonly own: PropertyDescriptor;
  /** Called with what the script put in its place. */
  readonly arrived: (value: unknown) => void;
};

const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf, apply } = Reflect;
const evaluate = ofThisRealm(__late);
Object.assign(globalThis, { __send: ofThisRealm(__send) });
delete (globalThis as Partial<{ __late: unknown }>).__late;
// Where core-js keeps its own state.
delete (globalThis as { '__core-js_shared__'?: unknown })['__core-js_shared__'];

const IteratorPrototype = getPrototypeOf(getPrototypeOf([][Symbol.iterator]()) as object);
const TypedArrayPrototype = getPrototypeOf(Uint8Array.prototype);

/** All that newer.ts may add, but what hangs on symbols it adds itself. */
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
 * The runner's functions catch what they throw, but not that the stack ends where they begin. Such an error is of their
 * realm, and would hand it to the guest. No iteration here: the agent's code may patch it.
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
    // What the agent's code has put there meanwhile, or taken away, is its own affair.
    if (before === undefined) delete owner[name];
    else defineProperty(owner, name, before);
  });
}

function place(script: LateScript, standIn: StandIn): void {
  defineProperty(standIn.owner, standIn.name, standIn.own);
  standIns[script].push(standIn);
}

/** A function, so that whoever takes it before the script is there holds what works then as well. */
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
// Not in every Node.
for (const name of ['DurationFormat', 'v8BreakIterator']) delete (Intl as unknown as Owner)[name];
