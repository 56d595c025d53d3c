// structuredClone in JavaScript, because the engine's own extension traps on deep values, which loses the whole instance.
type Copies = Map<object, unknown>;

function cloneAny(value: unknown, copies: Copies): unknown {
  if (typeof value === 'function' || typeof value === 'symbol')
    throw new DOMException(`${String(value)} could not be cloned.`, 'DataCloneError');
  if (typeof value !== 'object' || value === null) return value;
  if (copies.has(value)) return copies.get(value);
  return cloneObject(value, copies);
}

function cloneObject(value: object, copies: Copies): unknown {
  const keep = <T extends object>(copy: T): T => {
    copies.set(value, copy);
    return copy;
  };
  if (value instanceof Date) return keep(new Date(value.getTime()));
  if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
  if (value instanceof ArrayBuffer) return keep(value.slice(0));
  if (ArrayBuffer.isView(value)) return keep(cloneView(value, copies));
  if (value instanceof Map) {
    const copy = keep(new Map());
    for (const [key, item] of value) copy.set(cloneAny(key, copies), cloneAny(item, copies));
    return copy;
  }
  if (value instanceof Set) {
    const copy = keep(new Set());
    for (const item of value) copy.add(cloneAny(item, copies));
    return copy;
  }
  if (value instanceof Error) return keep(cloneError(value, copies));
  if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet || value instanceof WeakRef)
    throw new DOMException('#<Object> could not be cloned.', 'DataCloneError');
  const copy = keep(Array.isArray(value) ? new Array(value.length) : {});
  for (const key of Object.keys(value))
    Object.defineProperty(copy, key, {
      value: cloneAny((value as Record<string, unknown>)[key], copies),
      writable: true,
      configurable: true,
      enumerable: true,
    });
  return copy;
}

function cloneView(view: ArrayBufferView, copies: Copies): ArrayBufferView {
  const buffer = cloneAny(view.buffer, copies) as ArrayBuffer;
  if (view instanceof DataView) return new DataView(buffer, view.byteOffset, view.byteLength);
  const { length } = view as Uint8Array;
  const View = (view as Uint8Array).constructor as new (b: ArrayBuffer, o: number, n: number) => Uint8Array;
  return new View(buffer, view.byteOffset, length);
}

const ERRORS = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

function cloneError(error: Error, copies: Copies): Error {
  const Ctor = Object.hasOwn(ERRORS, error.name) ? ERRORS[error.name as keyof typeof ERRORS] : Error;
  const copy = new Ctor(error.message);
  if (error.stack !== undefined) copy.stack = error.stack;
  if (error.cause !== undefined) copy.cause = cloneAny(error.cause, copies);
  return copy;
}

export const cloneGlobals = { structuredClone: (value: unknown) => cloneAny(value, new Map()) };
