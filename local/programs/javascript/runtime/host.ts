// JavaScript's way to the host: one blocking call, JSON both ways, bytes as base64. Runs inside QuickJS, like everything
// in this folder; there is nothing of Node here but what this folder makes.
import type { Answer, Args, Operation } from '../../operations.ts';

declare global {
  /** Given by the worker. */
  var __host: (request: string) => string;
}

const send = globalThis.__host;
Reflect.deleteProperty(globalThis, '__host');

/** Node's codes for the host's. */
const CODES: Readonly<Record<string, string>> = {
  not_found: 'ENOENT',
  already_exists: 'EEXIST',
  invalid_argument: 'EINVAL',
  permission_denied: 'EACCES',
  resource_exhausted: 'ENOSPC',
};

export class HostError extends Error {
  code: string;
  path: string | undefined;
  constructor(code: string, message: string, path: string | undefined) {
    super(message);
    this.code = code;
    this.path = path;
  }
}

/** @throws HostError with a code such as ENOENT */
export function call<O extends Operation>(op: O, args: Args<O>): Answer<O> {
  const answer = JSON.parse(send(JSON.stringify({ op, args }, encode)), decode);
  if (answer.error === undefined) return answer.value;
  const path = 'path' in args ? String(args.path) : undefined;
  const code = CODES[answer.error] ?? answer.error;
  throw new HostError(code, path === undefined ? answer.message : `${code}: ${answer.message}`, path);
}

/** By `this`: a Buffer has a toJSON of its own, which comes first. */
function encode(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const original = this[key];
  return original instanceof Uint8Array ? { base64: toBase64(original) } : value;
}

function decode(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('base64' in value)) return value;
  return fromBase64(String(value.base64));
}

type Codec = { fromBase64(text: string): Uint8Array };
type Encoded = { toBase64(): string };

const toBase64 = (bytes: Uint8Array): string => (bytes as unknown as Encoded).toBase64();
const fromBase64 = (text: string): Uint8Array => (Uint8Array as unknown as Codec).fromBase64(text);
