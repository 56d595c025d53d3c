// What commands of ours answer with, and how they run others.
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { type ExecResult, latin1FromBytes, type ResolvedCommandContext } from 'just-bash';
import { STREAMS_VARIABLE, type Streaming } from '../script.ts';
import { LIVE_INPUT, type ScriptOptions, type Session } from '../session.ts';

const MAX_COLLECTED_BYTES = 64 * 1024 * 1024;

export function bytes(stdout: Buffer, stderr = '', exitCode = 0): ExecResult {
  return { stdout: stdout.toString('latin1'), stdoutKind: 'bytes', stdoutEncoding: 'binary', stderr, exitCode };
}

export function text(stdout: string, stderr = '', exitCode = 0): ExecResult {
  return { stdout, stdoutKind: 'text', stderr, exitCode };
}

export const failed = (stderr: string, exitCode = 1): ExecResult => text('', `${stderr}\n`, exitCode);

/** What is no option of these is let through. */
export const optionsOf = <T extends NonNullable<ParseArgsConfig['options']>>(args: readonly string[], options: T) =>
  parseArgs({ args: [...args], options, allowPositionals: true, strict: false });

/** What just-bash itself has under the name. */
export async function original(args: string[], ctx: ResolvedCommandContext): Promise<ExecResult> {
  return (await ctx.origCommand?.(args)) ?? failed('command not found', 127);
}

/** Its input is the process's own, still to come. */
export function isLive(ctx: ResolvedCommandContext): boolean {
  return latin1FromBytes(ctx.stdin) === LIVE_INPUT;
}

/** The session whose output is the command's own, where it goes to the process and nowhere else: it may be sent at once. */
export function streaming(session: Session, ctx: ResolvedCommandContext): Session | undefined {
  const how = ctx.env.get(STREAMS_VARIABLE) as Streaming | undefined;
  if (how === 'both') return session;
  if (how === undefined) return undefined;
  return session.as(session.user, async (kind, bytes) => {
    if (kind !== 'stderr') await session.output(kind, bytes);
    else if (how === 'merged') await session.output('stdout', bytes);
  });
}

export function exported(ctx: ResolvedCommandContext): Record<string, string> {
  const { [STREAMS_VARIABLE]: _, ...env } = ctx.exportedEnv ?? {};
  return env;
}

/** What a script of its own takes over from the command that runs it. A live input is left alone: it may read it. */
export function inherited(ctx: ResolvedCommandContext): ScriptOptions {
  const given = isLive(ctx) ? {} : { stdin: latin1FromBytes(ctx.stdin) };
  return { cwd: ctx.cwd, env: exported(ctx), ...given };
}

/** Streaming where the command would, else with all output at the end. */
export async function runLine(session: Session, source: string, ctx: ResolvedCommandContext): Promise<ExecResult> {
  const own = streaming(session, ctx);
  if (own !== undefined) return text('', '', await own.run(source, inherited(ctx)));
  return execute(source, ctx, latin1FromBytes(ctx.stdin));
}

export async function execute(source: string, ctx: ResolvedCommandContext, stdin: string): Promise<ExecResult> {
  return (await ctx.exec?.(source, { cwd: ctx.cwd, stdin, stdinKind: 'bytes' })) ?? failed('cannot run here', 126);
}

/** Runs something that prints as it goes: to the process where the command streams, else collected for its result. */
export async function collect(
  session: Session,
  ctx: ResolvedCommandContext,
  run: (output: Session['output']) => Promise<number>,
): Promise<ExecResult> {
  const own = streaming(session, ctx);
  if (own !== undefined) return text('', '', await run(own.output));
  const collected: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  let size = 0;
  const exitCode = await run(async (kind, part) => {
    size += part.length;
    if (size <= MAX_COLLECTED_BYTES) collected[kind === 'stderr' ? 'stderr' : 'stdout'].push(Buffer.from(part));
  });
  return bytes(Buffer.concat(collected.stdout), Buffer.concat(collected.stderr).toString('utf8'), exitCode);
}
