// Converts the body of a response from its declared charset to UTF-8. Refuses unknown charsets, and bytes that are not
// valid in theirs, because reading them in another way would give a wrong value.
import { isUtf8 } from 'node:buffer';
import { TextDecoder } from 'node:util';
import { GatewayError } from '../errors.ts';

/** Maximum size of a response that has to be converted, because that blocks the main thread. */
const MAX_DECODED_BYTES = 1_000_000;
export const BYTE_ORDER_MARK: readonly number[] = [0xef, 0xbb, 0xbf];
/** From this status on, invalid bytes are replaced instead of refused, because error pages are for people. */
const FIRST_ERROR_STATUS = 400;

type Bytes = Buffer<ArrayBuffer>;

export type Reader = {
  /** Maximum size of the body. */
  readonly maxBytes: number;
  /** True if the bytes are UTF-8 already, so that they can be measured as they arrive. */
  readonly isUtf8: boolean;
  /** Returns the whole body in UTF-8. @throws GatewayError `upstream_failed` */
  read(body: Bytes): Bytes;
};

export function readerFor(contentType: string | undefined, status: number): Reader {
  const charset = charsetOf(contentType);
  const type = shown(contentType?.split(';', 1)[0]);
  const fatal = status < FIRST_ERROR_STATUS;
  if (charset === undefined || UTF8.test(charset))
    return {
      maxBytes: Number.POSITIVE_INFINITY,
      isUtf8: true,
      read(body) {
        if (fatal && !isUtf8(body)) throw unreadable(`bytes that are not UTF-8 text (${type})`);
        return BYTE_ORDER_MARK.every((byte, at) => body[at] === byte) ? body.subarray(BYTE_ORDER_MARK.length) : body;
      },
    };
  const decoder = decoderFor(charset, fatal);
  return {
    maxBytes: MAX_DECODED_BYTES,
    isUtf8: false,
    read(body) {
      if (decoder === undefined)
        throw unreadable(`text in the charset "${shown(charset)}", which the gateway does not know`);
      try {
        return Buffer.from(decode(body, decoder), 'utf8');
      } catch {
        throw unreadable(`bytes that are no text in the charset "${shown(charset)}" (${type})`);
      }
    },
  };
}

const UTF8 = /^(?:utf-?8|(?:us-)?ascii)$/i;

const charsetOf = (contentType = ''): string | undefined =>
  /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(contentType.slice(0, 1_000))?.[1];

function decoderFor(charset: string, fatal: boolean): TextDecoder | undefined {
  try {
    return new TextDecoder(charset, { fatal });
  } catch {
    return undefined;
  }
}

/** On the web, Latin-1 means windows-1252. Node 20's decoder leaves these characters as control characters. */
const WINDOWS_1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

const decode = (body: Buffer, decoder: TextDecoder): string =>
  decoder.encoding === 'windows-1252'
    ? body.toString('latin1').replace(/[\x80-\x9f]/g, char => WINDOWS_1252[char.charCodeAt(0) - 0x80] ?? char)
    : decoder.decode(body);

const shown = (text = ''): string => text.replace(/[^\w.+/-]/g, '').slice(0, 60) || 'of no type';

const unreadable = (what: string) => new GatewayError('upstream_failed', `The API answered with ${what}.`);
