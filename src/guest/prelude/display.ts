// display(value): shows images and files as content blocks beside the text. Accepts a result of the code interpreter,
// { mimeType, data }, bytes, text, or any value with a JSON form.
import { KIND, MAX_DISPLAYS } from '../../engine/protocol.ts';
import { gatewayError, run, send } from './bridge.ts';
import * as is from './intrinsics.ts';
import { renderValue } from './render.ts';
import { decodeUtf8, encodeUtf8 } from './text.ts';

let used = 0;
let blocks = 0;

/** The fields of a code interpreter result, richest first: only the first that is present is shown, as in a notebook. */
const FORMATS = [
  { field: 'png', mimeType: 'image/png', base64: true },
  { field: 'jpeg', mimeType: 'image/jpeg', base64: true },
  { field: 'svg', mimeType: 'image/svg+xml' },
  { field: 'pdf', mimeType: 'application/pdf', base64: true },
  { field: 'html', mimeType: 'text/html' },
  { field: 'markdown', mimeType: 'text' },
  { field: 'latex', mimeType: 'text' },
  { field: 'text', mimeType: 'text' },
];

/** `typeChars`: length of the media type at the start of the payload; 0 for text. */
function put(payload: string, typeChars = 0): void {
  const { maxDisplayBytes } = run.limits;
  if (used + payload.length > maxDisplayBytes)
    throw gatewayError(
      'budget_exceeded',
      `All that is displayed in one run may hold ${maxDisplayBytes} bytes. Show a smaller image, or a part of the file.`,
    );
  if (blocks >= MAX_DISPLAYS)
    throw gatewayError(
      'budget_exceeded',
      `One run may display ${MAX_DISPLAYS} blocks. Join texts, or show the rest later.`,
    );
  used += payload.length;
  blocks += 1;
  send(KIND.display, typeChars, payload);
}

function putBytes(mimeType: string, bytes: Uint8Array): void {
  put(mimeType + is.toBase64(bytes), mimeType.length);
}

function sniff(bytes: Uint8Array): string {
  const [a, b, c] = [bytes[0], bytes[1], bytes[2]];
  if (a === 0x89 && b === 0x50) return 'image/png';
  if (a === 0xff && b === 0xd8) return 'image/jpeg';
  if (a === 0x47 && b === 0x49 && c === 0x46) return 'image/gif';
  if (a === 0x25 && b === 0x50 && c === 0x44) return 'application/pdf';
  return 'application/octet-stream';
}

function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof is.Uint8ArrayCtor) return value;
  if (value instanceof is.ArrayBufferCtor) return new is.Uint8ArrayCtor(value);
  return undefined;
}

const DATA_URL = /^data:([\w.+-]+\/[\w.+-]+);base64,/;
const MAX_DATA_URL_HEAD = 200;

/** The start of a data: URL and its media type. QuickJS tries a pattern at each position, so only the head is searched. */
const headOf = (text: string): RegExpExecArray | null => DATA_URL.exec(text.slice(0, MAX_DATA_URL_HEAD));

const TEXT_TYPE = /^(?:text\/|application\/json\b|image\/svg\+xml\b)/i;

/**
 * Decodes base64, which may have line breaks or a data: prefix. For a text type, data that is not base64 of UTF-8 text is
 * taken as the text itself (a word like "test" is valid base64 too); for other types it throws.
 */
function bytesOfText(mimeType: string, data: string): Uint8Array {
  const isText = TEXT_TYPE.test(mimeType);
  try {
    const bytes = is.fromBase64(data.slice(headOf(data)?.[0].length ?? 0));
    if (isText) decodeUtf8(bytes, true);
    return bytes;
  } catch {
    if (isText) return encodeUtf8(data);
    throw new is.TypeErrorCtor('display({ mimeType, data }): data must be base64 text or a Uint8Array');
  }
}

/** The media types that the host accepts; it would end the run for any other. */
const MIME_TYPE = /^[a-z0-9.+-]{1,60}\/[a-z0-9.+-]{1,100}$/i;

function checkedType(mimeType: string): string {
  if (MIME_TYPE.test(mimeType)) return mimeType;
  throw new is.TypeErrorCtor(
    'display({ mimeType, data }): mimeType must be a bare media type, e.g. "image/png" or "text/html", without parameters',
  );
}

function putTyped(written: string, data: unknown): void {
  const mimeType = checkedType(written);
  const bytes = bytesOf(data);
  if (bytes !== undefined) putBytes(mimeType, bytes);
  else if (typeof data === 'string') putBytes(mimeType, bytesOfText(mimeType, data));
  else throw new is.TypeErrorCtor('display({ mimeType, data }): data must be base64 text or a Uint8Array');
}

function putResult(value: Record<string, unknown>): boolean {
  for (let i = 0; i < FORMATS.length; i++) {
    const { field, mimeType, base64 } = FORMATS[i] as (typeof FORMATS)[number];
    const data = value[field];
    if (typeof data !== 'string' || data === '') continue;
    if (base64) putTyped(mimeType, data);
    else if (mimeType === 'text') put(data);
    else putBytes(mimeType, encodeUtf8(data));
    return true;
  }
  return false;
}

function putText(text: string): void {
  const url = headOf(text);
  if (url === null) put(text);
  else putTyped(url[1] ?? '', text);
}

function putObject(value: object): boolean {
  const { mimeType, data, results } = value as { mimeType?: unknown; data?: unknown; results?: unknown };
  if (typeof mimeType === 'string') {
    putTyped(mimeType, data);
    return true;
  }
  const list = is.isArray(value) ? value : results;
  if (!is.isArray(list) || list.length === 0 || typeof list[0] !== 'object')
    return putResult(value as Record<string, unknown>);
  for (let i = 0; i < list.length; i++) display(list[i]);
  return true;
}

/** The global `display`. Throws a GatewayError with `budget_exceeded` when all blocks together are too large or too many. */
export function display(value: unknown): void {
  const bytes = bytesOf(value);
  if (typeof value === 'string') putText(value);
  else if (bytes !== undefined) putBytes(sniff(bytes), bytes);
  else if (typeof value !== 'object' || value === null || !putObject(value)) {
    const rendered = renderValue(value, run.limits.maxDisplayBytes, 'value');
    put(rendered === undefined ? '[too large to display]' : rendered.json);
  }
}
