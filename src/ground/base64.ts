// Base64 as bytes, one for each ASCII character. Large blocks stay in this form: threads pass it on without a copy, V8 does
// not keep it in its heap, and a response is written from it.

export type Base64 = Uint8Array<ArrayBuffer> & { readonly __base64: unique symbol };

const PADDING = 0x3d;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** 1 for each character of the alphabet. */
const IS_CHARACTER = /* @__PURE__ */ alphabetTable();

function alphabetTable(): Uint8Array {
  const table = new Uint8Array(256);
  for (let i = 0; i < ALPHABET.length; i++) table[ALPHABET.charCodeAt(i)] = 1;
  return table;
}

/** Returns a copy of the characters in a buffer of its own, or undefined if they are not base64 with padding. */
export function base64In(characters: Uint8Array): Base64 | undefined {
  return isBase64(characters) ? (new Uint8Array(characters) as Base64) : undefined;
}

/**
 * Whether they are base64 with padding. Checks four characters in one step, and does not stop at a wrong one, because blocks
 * have millions and are mostly right.
 */
export function isBase64(characters: Uint8Array): boolean {
  if (characters.length % 4 !== 0) return false;
  const end = characters.length - paddingOf(characters);
  const is = (i: number) => IS_CHARACTER[characters[i] as number] as number;
  let all = 1;
  let i = 0;
  for (; i + 3 < end; i += 4) all &= is(i) & is(i + 1) & is(i + 2) & is(i + 3);
  for (; i < end; i++) all &= is(i);
  return all === 1;
}

function paddingOf(characters: Uint8Array): number {
  if (characters.at(-1) !== PADDING) return 0;
  return characters.at(-2) === PADDING ? 2 : 1;
}

/** The number of bytes that it encodes. */
export const decodedBytes = (base64: Base64): number => (base64.length / 4) * 3 - paddingOf(base64);

export const base64Text = ({ buffer, byteOffset, length }: Base64, maxChars = length): string =>
  Buffer.from(buffer, byteOffset, length).toString('latin1', 0, maxChars);
