// What an interpreter may ask of its host: the arguments of each operation, which are checked before anything is done.
import { z } from 'zod';
import { Failure } from '../machine/failure.ts';
import type { LocalRequest, LocalResponse } from '../machine/machine.ts';

const bytes: z.ZodType<Uint8Array> = z.instanceof(Uint8Array);
const path = z
  .string()
  .startsWith('/')
  .max(4_096)
  .refine(text => !text.includes('\0'));
const pairs = z.array(z.tuple([z.string().max(256), z.coerce.string().max(16_384)])).max(256);
const id = z.number().int();
const nothing = z.object({});
const onPath = z.object({ path });
const command = z.object({
  source: z.string().max(1_000_000),
  cwd: path,
  env: z.record(z.string(), z.string()),
  stdin: bytes,
});
const status = z.number().int().min(100).max(999);

const SCHEMAS = {
  lstat: onPath,
  stat: onPath,
  list: onPath,
  read: onPath,
  write: z.object({ path, bytes, mode: z.number().int().optional() }),
  mkdir: onPath,
  remove: onPath,
  rename: z.object({ from: path, to: path }),
  symlink: z.object({ target: z.string().max(4_096), path }),
  readlink: onPath,
  realpath: onPath,
  chmod: z.object({ path, mode: z.number().int() }),
  touch: z.object({ path, modifiedMs: z.number() }),
  attributes: onPath,
  setAttributes: z.object({ path, attributes: z.record(z.string().max(255), z.string().max(4_096)) }),
  output: z.object({ kind: z.enum(['stdout', 'stderr']), bytes }),
  stdin: nothing,
  sleep: z.object({ ms: z.number().min(0) }),
  run: command,
  http: z.object({ url: z.string().max(16_384), method: z.string().max(32), headers: pairs, body: bytes }),
  /** One of these two beside the program, under a number that it gives: the answer comes by poll. */
  start: z.object({ id, op: z.enum(['http', 'run']), args: z.unknown() }),
  signal: z.object({ id, name: z.enum(['SIGTERM', 'SIGKILL']) }),
  /** A server, under a number that the program gives: requests come by poll. */
  listen: z.object({ id, port: z.number().int() }),
  unlisten: z.object({ id }),
  respond: z.object({ id, response: z.object({ status, headers: pairs, body: bytes }) }),
  /** The next thing that happened, or that happened to one of those numbers; `timeout` when nothing did for so long. */
  poll: z.object({ timeoutMs: z.number().min(0).nullable(), stdin: z.boolean(), of: id.optional() }),
  /** Code contexts: the next cell; null when there is none to come. */
  cell: nothing,
  event: z.looseObject({ type: z.enum(['result', 'error']) }),
  cellDone: nothing,
};

export type Operation = keyof typeof SCHEMAS;
export type Args<O extends Operation> = z.infer<(typeof SCHEMAS)[O]>;
export type OutputKind = Args<'output'>['kind'];
/** A line of the code interpreter's answer. */
export type CellEvent = Args<'event'>;

export type Ran = { exitCode: number; stdout: Uint8Array; stderr: Uint8Array };
export type Language = 'python' | 'javascript' | 'typescript' | 'bash' | 'r' | 'java';
export type Cell = { code: string; language: Language; envs: Record<string, string> };
/** What a program waits for: `of` is its own number of the server, or of what it started. */
export type LoopEvent =
  | { kind: 'timeout'; of?: undefined }
  | { kind: 'stdin'; of?: undefined; bytes: Uint8Array | null }
  | { kind: 'request'; of: number; id: number; request: LocalRequest }
  | { kind: 'answer'; of: number; value?: LocalResponse | Ran; error?: string };

const Call = z.object({ op: z.enum(Object.keys(SCHEMAS) as Operation[]), args: z.unknown() });

/** @throws Failure invalid_argument */
export function checked(request: unknown): { op: Operation; args: unknown } {
  const call = Call.safeParse(request);
  if (!call.success) throw new Failure('invalid_argument', 'no such call');
  const { op } = call.data;
  const args = SCHEMAS[op].safeParse(call.data.args);
  if (!args.success) throw new Failure('invalid_argument', `${op}: ${args.error.issues[0]?.message ?? 'invalid'}`);
  return { op, args: args.data };
}
