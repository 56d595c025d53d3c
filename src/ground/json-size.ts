// Measures JSON text before it is parsed, in one pass over its bytes that builds nothing and stops at the first limit.
// For text that is not JSON, the result is at least what a parser would build before it fails.

export type JsonSize = {
  /** In UTF-8. */
  readonly bytes: number;
  /** Objects, arrays, strings, numbers, booleans and nulls; keys are not values. */
  readonly values: number;
  readonly keys: number;
  /** 1 for a scalar, 2 for an array of scalars. */
  readonly depth: number;
  /** Without quotes, with escapes counted as written. */
  readonly longestKeyBytes: number;
};

export type JsonLimits = {
  readonly maxBytes: number;
  readonly maxValues: number;
  readonly maxKeys: number;
  readonly maxDepth: number;
  readonly maxKeyBytes: number;
};

/** The first limit that was exceeded. `found` is the count at that point; the whole text may contain more. */
export type JsonExcess = { readonly of: keyof JsonSize; readonly found: number; readonly limit: number };

export type JsonVerdict =
  | { readonly fits: true; readonly size: JsonSize }
  | { readonly fits: false; readonly excess: JsonExcess };

export const NO_JSON_LIMITS: JsonLimits = {
  maxBytes: Number.POSITIVE_INFINITY,
  maxValues: Number.POSITIVE_INFINITY,
  maxKeys: Number.POSITIVE_INFINITY,
  maxDepth: Number.POSITIVE_INFINITY,
  maxKeyBytes: Number.POSITIVE_INFINITY,
};

const CHUNK_BYTES = 65_536;
const ENCODER = new TextEncoder();

/** Measures a whole text. For text that arrives in pieces, use JsonMeter. */
export function judgeJson(text: string | Uint8Array, limits: JsonLimits): JsonVerdict {
  const excess = measure(text, limits, new JsonMeter(limits));
  return 'of' in excess ? { fits: false, excess } : { fits: true, size: excess };
}

function measure(text: string | Uint8Array, limits: JsonLimits, meter: JsonMeter): JsonExcess | JsonSize {
  if (typeof text !== 'string') return meter.push(text) ?? meter.end();
  // UTF-8 has at least as many bytes as the text has UTF-16 units, so text that is too long need not be encoded.
  if (text.length > limits.maxBytes) return { of: 'bytes', found: text.length, limit: limits.maxBytes };
  const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, text.length * 3));
  for (let at = 0; at < text.length; ) {
    const { read, written } = ENCODER.encodeInto(text.slice(at, at + CHUNK_BYTES), chunk);
    const excess = meter.push(chunk.subarray(0, written));
    if (excess !== undefined) return excess;
    at += read;
  }
  return meter.end();
}

/** Part of a sentence: "more than 20000 values". */
export function describeExcess({ of, limit }: JsonExcess): string {
  switch (of) {
    case 'bytes':
      return `more than ${limit} bytes`;
    case 'values':
      return `more than ${limit} values`;
    case 'keys':
      return `more than ${limit} keys`;
    case 'depth':
      return `values nested deeper than ${limit} levels`;
    case 'longestKeyBytes':
      return `a key longer than ${limit} bytes`;
  }
}

const [QUOTE, BACKSLASH, COLON, COMMA, OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [
  0x22, 0x5c, 0x3a, 0x2c, 0x5b, 0x5d, 0x7b, 0x7d,
] as const;
const SPACE = 0x20;

// The states of the scanner between two bytes.
const NOWHERE = 0;
const IN_STRING = 1;
const AFTER_BACKSLASH = 2;
/** A string has ended: the next byte that is not a space decides whether it was a key. */
const AFTER_STRING = 3;
const IN_SCALAR = 4;

/** Parts of strings up to this length are read byte by byte, which is faster than two native searches. */
const SHORT_BYTES = 48;

/** Finds the next quote or backslash in a chunk by native searches, none of which reads a byte twice. */
class StringMarks {
  readonly #chunk: Uint8Array;
  #quoteAt = -1;
  #backslashAt = -1;

  constructor(chunk: Uint8Array) {
    this.#chunk = chunk;
  }

  /** The length of the chunk if there is none. `at` must not decrease. */
  nextFrom(at: number): number {
    if (this.#quoteAt < at) this.#quoteAt = this.#find(QUOTE, at);
    if (this.#backslashAt < at) this.#backslashAt = this.#find(BACKSLASH, at);
    return Math.min(this.#quoteAt, this.#backslashAt);
  }

  #find(byte: number, from: number): number {
    const found = this.#chunk.indexOf(byte, from);
    return found < 0 ? this.#chunk.length : found;
  }
}

/** Where the string that is read at `from` has its next quote or backslash; the length of the chunk if there is none. */
function endOfPlain(chunk: Uint8Array, from: number, marks: StringMarks): number {
  const shortEnd = Math.min(chunk.length, from + SHORT_BYTES);
  let at = from;
  while (at < shortEnd && chunk[at] !== QUOTE && chunk[at] !== BACKSLASH) at++;
  return at < shortEnd ? at : marks.nextFrom(at);
}

/** Measures text as it arrives. Does not keep the pieces. */
export class JsonMeter {
  readonly #limits: JsonLimits;
  #state = NOWHERE;
  #bytes = 0;
  #values = 0;
  #keys = 0;
  #open = 0;
  #deepest = 0;
  /** Length of the string that is being read or was read last. */
  #stringBytes = 0;
  #longestKeyBytes = 0;

  constructor(limits: JsonLimits) {
    this.#limits = limits;
  }

  /** Returns the first limit that the text has exceeded so far. Do not push more after that. */
  push(piece: Uint8Array): JsonExcess | undefined {
    this.#bytes += piece.length;
    if (this.#bytes > this.#limits.maxBytes) return this.#excess();
    for (let i = 0; i < piece.length; i += CHUNK_BYTES) {
      this.#scan(piece.subarray(i, i + CHUNK_BYTES));
      const excess = this.#excess();
      if (excess !== undefined) return excess;
    }
    return undefined;
  }

  /** Call it after the last piece. */
  end(): JsonExcess | JsonSize {
    if (this.#state === AFTER_STRING) this.#countValue();
    this.#state = NOWHERE;
    return this.#excess() ?? this.#size();
  }

  #scan(chunk: Uint8Array): void {
    let state = this.#state;
    const marks = new StringMarks(chunk);
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i] as number;
      if (state === IN_STRING) {
        const end = endOfPlain(chunk, i, marks);
        this.#stringBytes += end - i;
        i = end;
        if (chunk[end] === QUOTE) state = AFTER_STRING;
        else if (end < chunk.length) {
          this.#stringBytes += 1;
          state = AFTER_BACKSLASH;
        }
        continue;
      }
      if (state === AFTER_BACKSLASH) {
        this.#stringBytes += 1;
        state = IN_STRING;
        continue;
      }
      if (byte <= SPACE) {
        if (state === IN_SCALAR) state = NOWHERE;
        continue;
      }
      if (state === AFTER_STRING) {
        if (byte === COLON) this.#countKey();
        else this.#countValue();
      }
      state = this.#take(byte, state);
    }
    this.#state = state;
  }

  /** Handles a byte outside of strings that is not white space. Returns the next state. */
  #take(byte: number, state: number): number {
    switch (byte) {
      case QUOTE:
        this.#stringBytes = 0;
        return IN_STRING;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        this.#countValue();
        this.#open += 1;
        return NOWHERE;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        this.#open -= 1;
        return NOWHERE;
      case COMMA:
      case COLON:
        return NOWHERE;
      default:
        if (state !== IN_SCALAR) this.#countValue();
        return IN_SCALAR;
    }
  }

  #countValue(): void {
    this.#values += 1;
    if (this.#open >= this.#deepest) this.#deepest = this.#open + 1;
  }

  #countKey(): void {
    this.#keys += 1;
    if (this.#stringBytes > this.#longestKeyBytes) this.#longestKeyBytes = this.#stringBytes;
  }

  #size(): JsonSize {
    return {
      bytes: this.#bytes,
      values: this.#values,
      keys: this.#keys,
      depth: this.#deepest,
      longestKeyBytes: this.#longestKeyBytes,
    };
  }

  #excess(): JsonExcess | undefined {
    const { maxBytes, maxValues, maxKeys, maxDepth, maxKeyBytes } = this.#limits;
    if (this.#bytes > maxBytes) return { of: 'bytes', found: this.#bytes, limit: maxBytes };
    if (this.#values > maxValues) return { of: 'values', found: this.#values, limit: maxValues };
    if (this.#keys > maxKeys) return { of: 'keys', found: this.#keys, limit: maxKeys };
    if (this.#deepest > maxDepth) return { of: 'depth', found: this.#deepest, limit: maxDepth };
    if (this.#longestKeyBytes > maxKeyBytes)
      return { of: 'longestKeyBytes', found: this.#longestKeyBytes, limit: maxKeyBytes };
    return undefined;
  }
}
