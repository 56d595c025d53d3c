// What the worker gives the runtime, and the way to the host: one blocking call, JSON both ways, bytes as base64. Runs
// inside QuickJS, like everything in this folder; there is nothing of Node here but what this folder makes.
import type { Answer } from '../../host-calls.ts';
import type { Args, Operation } from '../../operations.ts';

type FromWorker = {
  /** A call to the host. */
  host(request: string): string;
  /** Digests and random bytes: JSON in, base64 out. */
  hash(request: string): string;
  /** Evaluates a script that bears a file's name. */
  compile(source: string, file: string): (...args: unknown[]) => void;
  /** Types out, the rest in its place. */
  strip(source: string): string;
  /** Whether a source imports, exports or awaits at its top: 'true' or 'false'. */
  isModule(source: string): string;
  /** The text of a part of the runtime that is loaded when asked for. */
  library(name: string): string;
  print(kind: string, text: string): void;
  /** Ends the program at the next step of its code; nothing catches it. */
  exit(code: string): void;
};
declare global {
  var __worker: FromWorker;
}
export const worker = globalThis.__worker;
Reflect.deleteProperty(globalThis, '__worker');

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
  const answer = JSON.parse(worker.host(JSON.stringify({ op, args }, encode)), decode);
  if (answer.error === undefined) return answer.value;
  const path = 'path' in args ? String(args.path) : undefined;
  const code = CODES[answer.error] ?? answer.error;
  throw new HostError(code, path === undefined ? answer.message : `${code}: ${answer.message}`, path);
}

type Codec = { fromBase64(text: string): Uint8Array };
type Encoded = { toBase64(): string };

/** By `this`: a Buffer has a toJSON of its own, which comes first. */
function encode(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const original = this[key];
  return original instanceof Uint8Array ? { base64: (original as unknown as Encoded).toBase64() } : value;
}

function decode(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('base64' in value)) return value;
  return (Uint8Array as unknown as Codec).fromBase64(String(value.base64));
}

/** All of the program's input, to its end. */
export function readStdin(): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let part = call('stdin', {}); part !== null; part = call('stdin', {})) parts.push(part);
  return parts;
}
