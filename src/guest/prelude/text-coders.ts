// TextEncoder and TextDecoder, for UTF-8, UTF-16LE and windows-1252, which the web uses for Latin-1.
import { nodeError, wrongType } from './buffer/checks.ts';
import { binaryString, concatBytes, decodeUtf8, decodeUtf16, encodeUtf8, invalidData, wholeUtf8 } from './text.ts';

class GuestTextEncoder {
  get encoding(): string {
    return 'utf-8';
  }
  encode(text = ''): Uint8Array {
    return encodeUtf8(String(text));
  }
  encodeInto(text: unknown, target: unknown): { read: number; written: number } {
    if (typeof text !== 'string') throw wrongType('"src" argument', 'of type string', text);
    if (!(target instanceof Uint8Array)) throw wrongType('"dest" argument', 'an instance of Uint8Array', target);
    let read = 0;
    let written = 0;
    for (const character of text) {
      const bytes = encodeUtf8(character);
      if (written + bytes.length > target.length) break;
      target.set(bytes, written);
      written += bytes.length;
      read += character.length;
    }
    return { read, written };
  }
}

const LABELS = new Map(
  Object.entries({
    'utf-8': 'unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8',
    'utf-16le': 'csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le',
    'windows-1252':
      'ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252',
  }).flatMap(([encoding, labels]) => labels.split(' ').map(label => [label, encoding] as const)),
);

/** The characters that windows-1252 has at 0x80 to 0x9f instead of Latin-1's control characters. */
const WINDOWS = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

class GuestTextDecoder {
  readonly #encoding: string;
  readonly #fatal: boolean;
  readonly #ignoreBOM: boolean;
  #held = new Uint8Array(0);
  #isStart = true;

  constructor(label: unknown = 'utf-8', options: { fatal?: unknown; ignoreBOM?: unknown } | null = {}) {
    const encoding = LABELS.get(String(label).trim().toLowerCase());
    if (encoding === undefined)
      throw nodeError(RangeError, 'ERR_ENCODING_NOT_SUPPORTED', `The "${label}" encoding is not supported`);
    if ((typeof options !== 'object' && typeof options !== 'function') || Array.isArray(options))
      throw wrongType('"options" argument', 'of type object', options);
    this.#encoding = encoding;
    this.#fatal = Boolean(options?.fatal);
    this.#ignoreBOM = Boolean(options?.ignoreBOM);
  }

  get encoding(): string {
    return this.#encoding;
  }
  get fatal(): boolean {
    return this.#fatal;
  }
  get ignoreBOM(): boolean {
    return this.#ignoreBOM;
  }

  decode(source?: unknown, options: { stream?: unknown } | null = {}): string {
    const bytes = concatBytes([this.#held, source === undefined ? new Uint8Array(0) : bytesIn(source)]);
    const isLast = !options?.stream;
    const end = isLast ? bytes.length : this.#wholeEnd(bytes);
    this.#held = bytes.slice(end);
    const isStart = this.#isStart;
    this.#isStart = isLast || (isStart && end === 0);
    try {
      const text = this.#text(bytes.subarray(0, end));
      return isStart && !this.#ignoreBOM && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
    } catch (error) {
      this.#held = new Uint8Array(0);
      this.#isStart = true;
      throw error;
    }
  }

  #text(bytes: Uint8Array): string {
    if (this.#encoding === 'utf-8') return decodeUtf8(bytes, this.#fatal);
    if (this.#encoding === 'windows-1252')
      return binaryString(bytes).replace(/[\x80-\x9f]/g, one => WINDOWS[one.charCodeAt(0) - 0x80] as string);
    const text = decodeUtf16(bytes.subarray(0, bytes.length & ~1)) as string & {
      isWellFormed(): boolean;
      toWellFormed(): string;
    };
    const isWhole = bytes.length % 2 === 0;
    if (this.#fatal && !(isWhole && text.isWellFormed())) throw invalidData(this.#encoding);
    // Half a unit at the end and an unpaired surrogate before it count as one error.
    return isWhole || /[\ud800-\udbff]$/.test(text) ? text.toWellFormed() : `${text.toWellFormed()}\ufffd`;
  }

  /** The offset at which the last whole character ends. */
  #wholeEnd(bytes: Uint8Array): number {
    if (this.#encoding === 'utf-8') return wholeUtf8(bytes);
    if (this.#encoding === 'windows-1252') return bytes.length;
    const end = bytes.length & ~1;
    return ((bytes[end - 1] ?? 0) & 0xfc) === 0xd8 ? end - 2 : end;
  }
}

function bytesIn(source: unknown): Uint8Array {
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  throw wrongType('"list" argument', 'an instance of SharedArrayBuffer, ArrayBuffer or ArrayBufferView', source);
}

export const textGlobals = { TextEncoder: GuestTextEncoder, TextDecoder: GuestTextDecoder };
