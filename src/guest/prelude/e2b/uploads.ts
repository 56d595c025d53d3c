// Writes files in as many calls as needed: several small files in one call, a large one in pieces that a command in the
// sandbox joins, because E2B's file API cannot append.
import { run } from '../bridge.ts';
import * as is from '../intrinsics.ts';
import { randomUUID } from '../random.ts';
import { type Call, named, type Options } from './calls.ts';

type Data = string | { readonly base64: string };
type File = { readonly path: unknown; readonly data: Data };
type Target = { readonly call: Call; readonly sandboxId: string; readonly opts: Options };

/** Maximum size of a file: a guest's memory must hold it and its copies. */
const MAX_FILE_BYTES = 16_000_000;
/** A call's arguments may have this many characters per byte of the gateway's request limit: maxCallChars in core.ts. */
const CHARS_A_BYTE = 1.5;
/** Upper bound of the limit that a character uses: at most three bytes in UTF-8, or six characters in JSON (6 / 1.5). */
const BYTES_A_CHAR = 4;
/** The part of a call that data may use; the rest is for paths and options. */
const SHARE = 0.95;
const BYTES_A_FILE = 600;
const SPECIAL = /[^\t\n\r\x20-\x7e]/;

const roomInCall = (): number => (run.limits.maxCallChars / CHARS_A_BYTE) * SHARE;

/** An upper bound of the bytes that `data` uses in a call. */
function weightOf(data: Data): number {
  if (typeof data !== 'string') return data.base64.length * 0.75;
  const most = data.length * BYTES_A_CHAR;
  const room = roomInCall();
  // Counted exactly only if the estimate does not fit, because reading each character is slow in the guest.
  if (most <= room || data.length > room || SPECIAL.test(data)) return most;
  return is.max(data.length, is.stringify(data).length / CHARS_A_BYTE);
}

/** Writes the files in order. @throws GatewayError, and the SDK's errors */
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

/** Uploads the other pieces to /tmp, creates the file (with folders and owner) from the first piece, and appends the others. */
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

/** Whether `at` is inside a surrogate pair. */
const isPair = (text: string, at: number): boolean => (text.codePointAt(at - 1) ?? 0) > 0xffff;

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
