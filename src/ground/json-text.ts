// JSON text on its way from the thread that makes it to the thread that parses it. Large parts are bytes, which move from
// thread to thread without a copy, and which the main thread does not read.

/** UTF-8. Whoever posts it to another thread moves it and must not use it afterwards. */
export type Utf8 = Uint8Array<ArrayBuffer>;
/** Bytes in the pieces in which they arrived. A character may be split between two. */
export type Pieces = readonly Utf8[];
export type JsonPart = string | Utf8;
/** The parts in order make one JSON value. */
export type JsonText = JsonPart | readonly JsonPart[];

/** In bytes for parts that are bytes, else in characters. */
export const sizeOf = (text: JsonText): number =>
  isOne(text) ? text.length : text.reduce((size, part) => size + part.length, 0);

export const wholeText = (text: JsonText): string => partsOf(text).map(stringOf).join('');

export const partsOf = (text: JsonText): readonly JsonPart[] => (isOne(text) ? [text] : text);

/** Joins the parts if all are strings. */
export const jsonOf = (parts: readonly JsonPart[]): JsonText =>
  parts.every(part => typeof part === 'string') ? parts.join('') : parts;

/** The buffers that move when the text is posted. Small bytes may share a buffer with others, and are copied. */
export const buffersOf = (text: JsonText): ArrayBuffer[] =>
  typeof text === 'string' ? [] : partsOf(text).flatMap(part => (ownsBuffer(part) ? [part.buffer] : []));

const ownsBuffer = (part: JsonPart): part is Utf8 =>
  typeof part !== 'string' && part.length > 0 && part.length === part.buffer.byteLength;

/** All parts as UTF-8, with a buffer of its own. */
export const utf8Of = (text: JsonText): Utf8 =>
  concatUtf8(partsOf(text).map(part => (typeof part === 'string' ? ENCODER.encode(part) : part)));

/** The text in one part, whose memory stays when the original is posted. */
export function copyOf(text: JsonText): string | Utf8 {
  const parts = partsOf(text);
  if (parts.every(part => typeof part === 'string')) return parts.join('');
  const [only] = parts;
  return only instanceof Uint8Array && parts.length === 1 ? new Uint8Array(only) : utf8Of(text);
}

/** A copy with a buffer of its own, unless there is one piece that has one. */
export function concatUtf8(pieces: Pieces): Utf8 {
  const [only] = pieces;
  if (only !== undefined && pieces.length === 1 && ownsBuffer(only)) return only;
  const whole = new Uint8Array(pieces.reduce((bytes, { length }) => bytes + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** The pieces together, with a buffer of their own. */
export function bufferOf(pieces: Pieces): Buffer<ArrayBuffer> {
  const { buffer, byteOffset, length } = concatUtf8(pieces);
  return Buffer.from(buffer, byteOffset, length);
}

const ENCODER = new TextEncoder();

const isOne = (text: JsonText): text is JsonPart => typeof text === 'string' || text instanceof Uint8Array;

export const stringOf = (part: JsonPart): string =>
  typeof part === 'string' ? part : Buffer.from(part.buffer, part.byteOffset, part.length).toString('utf8');
