// Writes values as JSON. JSON.stringify is not used: it throws on BigInt and cycles, loses Map, Set and Error, and calls a
// `toJSON` that the agent's code may have put on Object.prototype. The length is checked while writing.
import * as is from './intrinsics.ts';

const MAX_DEPTH = 100;
const MAX_TYPED_ARRAY_ITEMS = 1024;

/** The current place in the value, with its parents, in which cycles are found. */
type Place = { readonly parent: Place | undefined; readonly key: string; readonly value: object };

type Walk = {
  /** True for arguments: a value that JSON cannot represent is refused. In results it is shown as well as possible. */
  readonly strict: boolean;
  readonly root: string;
  readonly maxChars: number;
  chars: number;
  note: string | undefined;
};

/** Thrown to stop the walk; the agent's code never sees it. */
const TOO_LONG = is.freeze({ tooLong: true });

/** The JSON of a call's arguments; undefined if longer than `maxChars`. Throws a TypeError that names the place. */
export function renderArguments(value: unknown, maxChars: number): string | undefined {
  return bounded({ strict: true, root: 'arguments', maxChars, chars: 0, note: undefined }, value)?.json;
}

/** The JSON of a result or log argument; undefined if longer than `maxChars`. `note` says what is not shown in full. */
export function renderValue(
  value: unknown,
  maxChars: number,
  root = 'result',
): { json: string; note: string | undefined } | undefined {
  return bounded({ strict: false, root, maxChars, chars: 0, note: undefined }, value);
}

function bounded(walk: Walk, value: unknown): { json: string; note: string | undefined } | undefined {
  try {
    return { json: write(walk, value, '', undefined, 0) ?? 'null', note: walk.note };
  } catch (error) {
    if (error === TOO_LONG) return undefined;
    throw error;
  }
}

/** The JSON of a value, or undefined for values that JSON leaves out. */
function write(walk: Walk, value: unknown, key: string, parent: Place | undefined, depth: number): string | undefined {
  switch (typeof value) {
    case 'string':
      return text(walk, value);
    case 'number':
      return count(walk, is.isFiniteNumber(value) ? is.stringify(value) : 'null');
    case 'boolean':
      return count(walk, value ? 'true' : 'false');
    case 'bigint':
      return bigint(walk, value, key, parent);
    case 'object':
      return value === null ? count(walk, 'null') : object(walk, value, key, parent, depth);
    case 'function':
      return walk.strict || parent !== undefined ? undefined : text(walk, '[function]');
    case 'symbol':
      return walk.strict ? undefined : text(walk, is.symbolText(value));
    default:
      return undefined;
  }
}

function count(walk: Walk, piece: string): string {
  walk.chars += piece.length;
  if (walk.chars > walk.maxChars) throw TOO_LONG;
  return piece;
}

function text(walk: Walk, value: string): string {
  if (walk.chars + value.length > walk.maxChars) throw TOO_LONG;
  return count(walk, is.stringify(value));
}

function bigint(walk: Walk, value: bigint, key: string, parent: Place | undefined): string {
  if (!walk.strict) return text(walk, is.StringCtor(value));
  if (!is.isSafeInteger(is.NumberCtor(value)))
    throw new is.TypeErrorCtor(
      `${path(walk, key, parent)} is a BigInt too large for a JSON number: send it as a string`,
    );
  return count(walk, is.StringCtor(value));
}

function object(walk: Walk, value: object, key: string, parent: Place | undefined, depth: number): string | undefined {
  for (let above = parent; above !== undefined; above = above.parent)
    if (above.value === value)
      return refuse(walk, key, parent, 'is circular', `[circular: ${path(walk, above.key, above.parent)}]`);
  if (depth >= MAX_DEPTH)
    return refuse(walk, key, parent, `is nested deeper than ${MAX_DEPTH} levels`, '[nested too deep]');
  const place = { parent, key, value };
  if (walk.strict) return container(walk, value, place, depth);
  try {
    return container(walk, value, place, depth);
  } catch (error) {
    if (error === TOO_LONG) throw error;
    return text(walk, `[unreadable: ${briefly(error)}]`);
  }
}

function container(walk: Walk, value: object, place: Place, depth: number): string | undefined {
  const prototype = is.getPrototypeOf(value);
  if (is.isArray(value)) return array(walk, value.length, i => value[i], place, depth);
  if (prototype !== is.ObjectPrototype && prototype !== null) {
    const special = specialObject(walk, value, place, depth);
    if (special !== NOT_SPECIAL) return special;
  }
  const toJson = ownToJson(value);
  if (toJson !== undefined) {
    const plain: unknown = is.apply(toJson, value, [place.key]);
    return plain === value ? record(walk, value, place, depth) : write(walk, plain, place.key, place, depth + 1);
  }
  return record(walk, value, place, depth);
}

function record(walk: Walk, value: object, place: Place, depth: number): string {
  const names = is.keys(value);
  let out = count(walk, '{');
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    const before = walk.chars;
    const label = text(walk, name);
    const item = write(walk, property(walk, value, name), name, place, depth + 1);
    if (item === undefined) walk.chars = before;
    else {
      walk.chars += 2;
      out += `${out.length === 1 ? '' : ','}${label}:${item}`;
    }
  }
  return `${out}${count(walk, '}')}`;
}

/** Reads a property; a getter that throws does not affect the other properties. */
function property(walk: Walk, value: object, name: string): unknown {
  if (walk.strict) return (value as Record<string, unknown>)[name];
  try {
    return (value as Record<string, unknown>)[name];
  } catch (error) {
    return `[getter threw: ${briefly(error)}]`;
  }
}

function array(walk: Walk, length: number, at: (i: number) => unknown, place: Place, depth: number): string {
  let out = count(walk, '[');
  for (let i = 0; i < length; i++) {
    const item = write(walk, at(i), is.StringCtor(i), place, depth + 1) ?? count(walk, 'null');
    walk.chars += 1;
    out += i === 0 ? item : `,${item}`;
  }
  return `${out}${count(walk, ']')}`;
}

/** Not undefined, which means that the value is left out. */
const NOT_SPECIAL = Symbol('not special');

function specialObject(
  walk: Walk,
  value: object,
  place: Place,
  depth: number,
): string | undefined | typeof NOT_SPECIAL {
  if (value instanceof is.DateCtor)
    return is.isFiniteNumber(is.dateTime(value)) ? text(walk, is.dateToIso(value)) : count(walk, 'null');
  if (value instanceof is.PromiseCtor) return promise(walk, place);
  if (value instanceof is.ErrorCtor) return error(walk, value, place, depth);
  if (value instanceof is.MapCtor) return map(walk, value, place, depth);
  if (value instanceof is.SetCtor) {
    const items: Record<number, unknown> = is.create(null);
    let size = 0;
    is.setForEach(value, item => {
      items[size++] = item;
    });
    return array(walk, size, i => items[i], place, depth);
  }
  if (is.isView(value) || value instanceof is.ArrayBufferCtor) return bytes(walk, value, place, depth);
  if (value instanceof is.RegExpCtor) return text(walk, is.regExpText(value));
  if (value instanceof is.StringCtor) return text(walk, is.stringValue(value));
  if (value instanceof is.NumberCtor) return write(walk, is.numberValue(value), place.key, place, depth);
  if (value instanceof is.BooleanCtor) return write(walk, is.booleanValue(value), place.key, place, depth);
  return NOT_SPECIAL;
}

function promise(walk: Walk, place: Place): string {
  const where = path(walk, place.key, place.parent);
  if (walk.strict) throw new is.TypeErrorCtor(`${where} is a Promise: await it first`);
  walk.note ??= `${where} is a Promise: put \`await\` before it (for an array of promises: await Promise.all(...)).`;
  return text(walk, '[Promise: not awaited]');
}

/** V8's message; QuickJS gives none. */
export const ALL_REJECTED = 'All promises were rejected';

function error(walk: Walk, value: Error, place: Place, depth: number): string {
  const plain: Record<string, unknown> = is.create(null);
  plain.name = property(walk, value, 'name');
  const message = property(walk, value, 'message');
  plain.message = message === '' && plain.name === 'AggregateError' ? ALL_REJECTED : message;
  const cause = property(walk, value, 'cause');
  if (cause !== undefined) plain.cause = cause;
  // These are not enumerable, and are the only content of an AggregateError or SuppressedError.
  const errors = property(walk, value, 'errors');
  if (is.isArray(errors)) plain.errors = errors;
  const suppressed = property(walk, value, 'suppressed');
  if (suppressed !== undefined) plain.suppressed = suppressed;
  const names = is.keys(value);
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    is.define(plain, name, property(walk, value, name));
  }
  return record(walk, plain, place, depth);
}

/** Writes an object if all keys are strings, else a list of pairs. */
function map(walk: Walk, value: Map<unknown, unknown>, place: Place, depth: number): string {
  const pairs: Record<number, readonly [unknown, unknown]> = is.create(null);
  const named: Record<string, unknown> = is.create(null);
  let size = 0;
  let strings = true;
  is.mapForEach(value, (item, key) => {
    pairs[size++] = [key, item];
    if (typeof key !== 'string') strings = false;
    else is.define(named, key, item);
  });
  return strings ? record(walk, named, place, depth) : array(walk, size, i => pairs[i], place, depth);
}

function bytes(walk: Walk, value: ArrayBufferView | ArrayBuffer, place: Place, depth: number): string {
  if (value instanceof is.DataViewCtor) return text(walk, '[DataView]');
  const view = is.isView(value) ? value : new is.Uint8ArrayCtor(value);
  const length = is.viewLength(view);
  if (walk.strict || length <= MAX_TYPED_ARRAY_ITEMS)
    return array(walk, length, i => (view as unknown as Record<number, unknown>)[i], place, depth);
  const name = is.viewName(view);
  walk.note ??= `${path(walk, place.key, place.parent)} is a ${name} of ${length} items and was left out. Return Buffer.from(bytes).toString('base64') or a part of it, or show it with display({ mimeType, data: bytes }).`;
  return text(walk, `[${name} of ${length} items]`);
}

/** The value's `toJSON`, as JSON.stringify finds it, but not one on Object.prototype. */
function ownToJson(value: object): ((key: string) => unknown) | undefined {
  const found = (value as { toJSON?: unknown }).toJSON;
  if (typeof found !== 'function') return undefined;
  const patched = is.getOwnPropertyDescriptor(is.ObjectPrototype, 'toJSON');
  return patched !== undefined && patched.value === found ? undefined : (found as (key: string) => unknown);
}

function refuse(walk: Walk, key: string, parent: Place | undefined, problem: string, shown: string): string {
  const where = path(walk, key, parent);
  if (walk.strict) throw new is.TypeErrorCtor(`${where} ${problem}: it cannot be sent as JSON`);
  walk.note ??= `${where} ${problem} and was not shown in full.`;
  return text(walk, shown);
}

const MAX_PATH_CHARS = 200;

function path(walk: Walk, key: string, parent: Place | undefined): string {
  if (parent === undefined) return walk.root;
  let out = step(key, parent.value);
  for (let at = parent; at.parent !== undefined && out.length < MAX_PATH_CHARS; at = at.parent)
    out = step(at.key, at.parent.value) + out;
  return walk.root + is.slice(out, 0, MAX_PATH_CHARS);
}

function step(key: string, owner: object): string {
  return is.isArray(owner) ? `[${key}]` : `.${key}`;
}

/** A short text about a thrown value; never throws. */
function briefly(thrown: unknown): string {
  try {
    const message = thrown instanceof is.ErrorCtor ? thrown.message : thrown;
    return is.slice(typeof message === 'object' ? 'an object' : is.StringCtor(message), 0, 200);
  } catch {
    return 'unknown';
  }
}
