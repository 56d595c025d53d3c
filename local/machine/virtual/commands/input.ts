// Commands that read the process's live input. just-bash gives a command its whole input at once, so a live one is
// stood for by a mark: `cat` then passes on what comes as it comes, the others get everything once it has ended.
import { type Command, defineCommand, type ExecResult, latin1FromBytes, type ResolvedCommandContext } from 'just-bash';
import { STREAMS_VARIABLE } from '../script.ts';
import { LIVE_INPUT, quote, type Session } from '../session.ts';
import { headOfDevice } from './bytes.ts';
import { bytes, original, text } from './results.ts';

/** How many operands a command takes before files: with a file it does not read its input. */
const READERS: Readonly<Record<string, number>> = {
  wc: 0,
  sort: 0,
  uniq: 0,
  head: 0,
  tail: 0,
  tac: 0,
  rev: 0,
  nl: 0,
  base64: 0,
  md5sum: 0,
  sha1sum: 0,
  sha256sum: 0,
  gzip: 0,
  gunzip: 0,
  od: 0,
  cut: 0,
  grep: 1,
  sed: 1,
  awk: 1,
  jq: 1,
  tee: Number.POSITIVE_INFINITY,
  tr: Number.POSITIVE_INFINITY,
  xargs: Number.POSITIVE_INFINITY,
};

export function inputCommands(session: Session): Command[] {
  const readers = Object.entries(READERS).map(([name, operands]) =>
    defineCommand(name, async (args, ctx) => {
      const device = name === 'head' ? headOfDevice(args) : undefined;
      if (device !== undefined) return device;
      const given = args.filter(arg => (!arg.startsWith('-') || arg === '-') && !/^\d+$/.test(arg)).length;
      if (!isLive(ctx) || given > operands) return original(args, ctx);
      return rerun(name, args, ctx, await readAll(session));
    }),
  );
  return [...readers, defineCommand('cat', (args, ctx) => cat(session, args, ctx))];
}

async function cat(session: Session, args: string[], ctx: ResolvedCommandContext): Promise<ExecResult> {
  const fromInput = args.every(arg => arg === '-');
  if (!fromInput || !isLive(ctx)) return original(args, ctx);
  if (!streams(ctx)) return bytes(await readAll(session));
  for (let part = await session.stdin?.read(); part !== undefined; part = await session.stdin?.read()) {
    await session.output('stdout', part);
  }
  return { stdout: '', stderr: '', exitCode: 0 };
}

export function isLive(ctx: ResolvedCommandContext): boolean {
  return latin1FromBytes(ctx.stdin) === LIVE_INPUT;
}

/** Its output goes to the process and nowhere else: it may be sent at once. */
export function streams(ctx: ResolvedCommandContext): boolean {
  return ctx.env.get(STREAMS_VARIABLE) === '1';
}

async function readAll(session: Session): Promise<Buffer> {
  return (await session.stdin?.readAll()) ?? Buffer.alloc(0);
}

async function rerun(name: string, args: string[], ctx: ResolvedCommandContext, stdin: Buffer): Promise<ExecResult> {
  const source = [name, ...args].map(quote).join(' ');
  const options = { cwd: ctx.cwd, stdin: stdin.toString('latin1'), stdinKind: 'bytes' as const };
  return (await ctx.exec?.(source, options)) ?? text('', 'cannot run here\n', 126);
}
