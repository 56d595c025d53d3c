// Files to write, in as many calls as they need: several small ones in one call, a large one in pieces that a command in
// the sandbox puts together, since E2B's file API cannot append.
import { run } from '../bridge.ts';
import * as is from '../intrinsics.ts';
import { randomUUID } from '../random.ts';
import { type Call, named, type Options } from './calls.ts';

type Data = string | { readonly base64: string };
type File = { readonly path: unknown; readonly data: Data };
type Target = { readonly call: Call; readonly sandboxId: string; readonly opts: Options };

/** Of one file: what the memory of a guest holds with its copies. */
const MAX_FILE_BYTES = 16_000_000;
/** Characters of a call's arguments for each byte of a request that the gateway takes, see maxCallChars in core.ts. */
const CHARS_A_BYTE = 1.5;
/** UTF-8 takes three bytes for a character, JSON six characters: as a share of what a call takes, no more than this. */
const BYTES_A_CHAR = 4;
/** Left for paths and options. */
const SHARE = 0.95;
const BYTES_A_FILE = 600;
const SPECIAL = /[^\t\n\r\x20-\x7e]/;

const roomInCall = (): number => (run.limits.maxCallChars / CHARS_A_BYTE) * SHARE;

/** Bytes that it takes of a call at most. */
function weightOf(data: Data): number {
  if (typeof data !== 'string') return data.base64.length * 0.75;
  const most = data.length * BYTES_A_CHAR;
  const room = roomInCall();
  // Looked at more closely only where it matters: a look at each character takes its time here.
  if (most <= room || data.length > room || SPECIAL.test(data)) return most;
  return is.max(data.length, is.stringify(data).length / CHARS_A_BYTE);
}

/** In order. @throws GatewayError and the SDK's errors */
export async function writeFiles(target: Target, files: readonly File[]): Promise<unknown[]> {
  const room = roomInCall();
  const written: unknown[] = [];
  let batch: File[] = [];
  let batchBytes = 0;
  const send = async () => {
    if (batch.length > 0) written.push(...((await write(target, batch, false)) as unknown[]));
    batch = [];
    batchBytes = 0;
  };
  for (const file of files) {
    const bytes = weightOf(file.data);
    if (batchBytes + bytes + BYTES_A_FILE > room || batch.length >= 1_000) await send();
    if (bytes > room) written.push(await writeInPieces(target, file));
    else {
      batch.push(file);
      batchBytes += bytes + BYTES_A_FILE;
    }
  }
  await send();
  return written;
}

export function writeFile(target: Target, file: File): Promise<unknown> {
  return weightOf(file.data) > roomInCall() ? writeInPieces(target, file) : write(target, [file], true);
}

const write = ({ call, sandboxId, opts }: Target, files: readonly File[], single: boolean): Promise<unknown> =>
  call('files.write', { sandboxId, files, single, opts });

/** The first piece makes the file, with its folders and owner; the others wait beside it until all are there. */
async function writeInPieces(target: Target, { path, data }: File): Promise<unknown> {
  const [first = '', ...others] = pieces(path, data);
  const { user } = target.opts;
  const part = `/tmp/.e2b-${randomUUID()}`;
  const names: string[] = [];
  const asUser = { ...target, opts: { ...(user !== undefined && { user }) } };
  for (const piece of others) {
    const name = `${part}-${is.StringCtor(names.length).padStart(4, '0')}`;
    names.push(name);
    await write(asUser, [{ path: name, data: piece }], true);
  }
  const made = (await write(target, [{ path, data: first }], true)) as { path: string };
  const whole = quote(made.path);
  const cmd = `cat ${part}-* >> ${whole}; code=$?; rm -f ${part}-*; exit $code`;
  const { sandboxId, call } = target;
  const ended = (await call('commands.run', { sandboxId, cmd, opts: asUser.opts })) as {
    exitCode: number;
    stderr: string;
  };
  if (ended.exitCode === 0) return made;
  throw named('SandboxError', `${made.path} is not whole: its pieces could not be put together. ${ended.stderr}`);
}

function pieces(path: unknown, data: Data): Data[] {
  const text = typeof data === 'string' ? data : data.base64;
  const bytes = typeof data === 'string' ? text.length : text.length * 0.75;
  if (bytes > MAX_FILE_BYTES)
    throw new RangeError(
      `files.write takes ${MAX_FILE_BYTES / 1e6} MB a file, and ${is.StringCtor(path)} has more. Make it in the sandbox with a command (curl, python), or upload it to await uploadUrl(path).`,
    );
  const out: Data[] = [];
  const room = roomInCall();
  if (typeof data !== 'string') {
    const step = is.floor(room / 3) * 4; // whole groups of base64
    for (let at = 0; at < text.length; at += step) out.push({ base64: text.slice(at, at + step) });
    return out;
  }
  const step = is.floor(room / BYTES_A_CHAR);
  for (let at = 0; at < text.length; ) {
    const cut = at + step;
    const end = isPair(text, cut) ? cut - 1 : cut;
    out.push(text.slice(at, end));
    at = end;
  }
  return out;
}

/** Whether this place is inside a surrogate pair. */
const isPair = (text: string, at: number): boolean => (text.codePointAt(at - 1) ?? 0) > 0xffff;

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
