// What commands of ours answer with.
import type { ExecResult, ResolvedCommandContext } from 'just-bash';

export function bytes(stdout: Buffer, stderr = '', exitCode = 0): ExecResult {
  return { stdout: stdout.toString('latin1'), stdoutKind: 'bytes', stdoutEncoding: 'binary', stderr, exitCode };
}

export function text(stdout: string, stderr = '', exitCode = 0): ExecResult {
  return { stdout, stdoutKind: 'text', stderr, exitCode };
}

/** What just-bash itself has under the name. */
export async function original(args: string[], ctx: ResolvedCommandContext): Promise<ExecResult> {
  return (await ctx.origCommand?.(args)) ?? text('', 'command not found\n', 127);
}
