// The border between an interpreter and its host: what a guest asks is checked before anything is done with it.
import { z } from 'zod';
import { type Args, HostFailure, type Operation } from './protocol.ts';

const bytes = z.instanceof(Uint8Array);
const path = z
  .string()
  .startsWith('/')
  .max(4_096)
  .refine(text => !text.includes('\0'));
const pairs = z.array(z.tuple([z.string().max(256), z.coerce.string().max(16_384)])).max(256);
const env = z.record(z.string(), z.string());
const id = z.number().int();
const nothing = z.object({});
const run = z.object({ source: z.string().max(1_000_000), cwd: path, env, stdin: bytes });
const http = z.object({ url: z.string().max(16_384), method: z.string().max(32), headers: pairs, body: bytes });
const status = z.number().int().min(100).max(999);

const SCHEMAS: { [O in Operation]: z.ZodType<Args<O>> } = {
  lstat: z.object({ path }),
  stat: z.object({ path }),
  list: z.object({ path }),
  read: z.object({ path }),
  write: z.object({ path, bytes, mode: z.number().int().optional() }) as z.ZodType<Args<'write'>>,
  mkdir: z.object({ path }),
  remove: z.object({ path }),
  rename: z.object({ from: path, to: path }),
  symlink: z.object({ target: z.string().max(4_096), path }),
  readlink: z.object({ path }),
  realpath: z.object({ path }),
  chmod: z.object({ path, mode: z.number().int() }),
  touch: z.object({ path, modifiedMs: z.number() }),
  attributes: z.object({ path }),
  setAttributes: z.object({ path, attributes: z.record(z.string().max(255), z.string().max(4_096)) }),
  output: z.object({ kind: z.enum(['stdout', 'stderr']), bytes }),
  stdin: nothing,
  sleep: z.object({ ms: z.number().min(0) }),
  run,
  spawn: run,
  wait: z.object({ child: id, timeoutMs: z.number().min(0).nullable() }),
  signal: z.object({ child: id, name: z.enum(['SIGTERM', 'SIGKILL']) }),
  http,
  listen: z.object({ port: z.number().int() }),
  unlisten: z.object({ server: id }),
  accept: z.object({ server: id }),
  respond: z.object({ id, response: z.object({ status, headers: pairs, body: bytes }) }),
  poll: z.object({ timeoutMs: z.number().min(0).nullable(), stdin: z.boolean() }),
  startHttp: http.extend({ id }),
  startRun: run.extend({ id }),
  cell: nothing,
  event: z.looseObject({ type: z.enum(['result', 'error']) }) as z.ZodType<Args<'event'>>,
  cellDone: nothing,
} as const;

const Call = z.object({ op: z.string(), args: z.unknown() });

/** @throws HostFailure invalid_argument */
export function checked(request: unknown): { op: Operation; args: unknown } {
  const call = Call.safeParse(request);
  if (!call.success || !Object.hasOwn(SCHEMAS, call.data.op)) throw new HostFailure('invalid_argument', 'no such call');
  const op = call.data.op as Operation;
  const args = SCHEMAS[op].safeParse(call.data.args);
  if (!args.success) throw new HostFailure('invalid_argument', `${op}: ${args.error.issues[0]?.message ?? 'invalid'}`);
  return { op, args: args.data };
}
