// Merges the messages in which a daemon streams the output of a process, because the SDK takes about 70 µs for each
// message, however small. Consecutive pieces of one stream become one message, and keepalives are dropped. Other
// messages stay as they are. Pure.
import { isRecord, tryParseJson } from '../ground/json.ts';

const PREFIX_BYTES = 5;
/** Larger messages are not merged. */
const SMALL_BYTES = 8_192;
/** Flags of a message that is neither compressed nor the last one. */
const PLAIN = 0;

/** Without it, parsing would only throw, which takes longer than reading an output. */
const OPENING_BRACE = 0x7b;

type Stream = 'stdout' | 'stderr';
type Known = { readonly stream: Stream; readonly base64: string } | 'keepalive';

/** `messages`: with their prefixes, as wholeMessages passes them on. */
export function mergeOutput(messages: readonly Uint8Array[]): Uint8Array[] {
  const merged: Uint8Array[] = [];
  let stream: Stream = 'stdout';
  let pieces: Buffer[] = [];
  const flush = () => {
    if (pieces.length > 0) merged.push(outputOf(stream, pieces));
    pieces = [];
  };
  for (const message of messages) {
    const known = read(message);
    if (known === 'keepalive') continue;
    if (known === undefined || known.stream !== stream) flush();
    if (known === undefined) merged.push(message);
    else {
      stream = known.stream;
      pieces.push(Buffer.from(known.base64, 'base64'));
    }
  }
  flush();
  return merged;
}

/** Returns undefined for messages that are neither exactly an output nor exactly a keepalive. */
function read(message: Uint8Array): Known | undefined {
  if (message[0] !== PLAIN || message.length > SMALL_BYTES || message[PREFIX_BYTES] !== OPENING_BRACE) return undefined;
  const whole = onlyField(parse(message));
  const event = whole?.name === 'event' ? onlyField(whole.value) : undefined;
  if (event?.name === 'keepalive') return 'keepalive';
  const output = event?.name === 'data' ? onlyField(event.value) : undefined;
  if (output === undefined || typeof output.value !== 'string' || !BASE64.test(output.value)) return undefined;
  const { name, value } = output;
  return name === 'stdout' || name === 'stderr' ? { stream: name, base64: value } : undefined;
}

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

const parse = ({ buffer, byteOffset, length }: Uint8Array): unknown =>
  tryParseJson(Buffer.from(buffer, byteOffset + PREFIX_BYTES, length - PREFIX_BYTES).toString());

function onlyField(value: unknown): { readonly name: string; readonly value: unknown } | undefined {
  if (!isRecord(value)) return undefined;
  const [entry, more] = Object.entries(value);
  return entry === undefined || more !== undefined ? undefined : { name: entry[0], value: entry[1] };
}

function outputOf(stream: Stream, pieces: readonly Buffer[]): Uint8Array {
  const json = Buffer.from(`{"event":{"data":{"${stream}":"${Buffer.concat(pieces).toString('base64')}"}}}`);
  const message = new Uint8Array(PREFIX_BYTES + json.length);
  new DataView(message.buffer).setUint32(1, json.length);
  message.set(json, PREFIX_BYTES);
  return message;
}
