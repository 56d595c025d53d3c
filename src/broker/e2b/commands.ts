// The methods of `sbx.commands`: run to the end or in the background, output of background commands, stdin, kill.

import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { GatewayError } from '../../errors.ts';
import { omitUndefined } from '../../ground/omit-undefined.ts';
import { detailOf } from '../ledger.ts';
import { within } from './abort.ts';
import { callMs, onInstance, options, pid, strings, user } from './arguments.ts';
import { followerOf, leaveRunning, listen, runToEnd, type StartOn, unfollow } from './command-runs.ts';
import { createEvents, type Events, STREAMS } from './events.ts';
import type { CommandResult } from './follower.ts';
import { withLogFile, withoutLogFile } from './log-file.ts';
import { method } from './method.ts';
import { connectTo, reach, untilGone } from './reconnect.ts';
import type { SandboxCall } from './sandbox-call.ts';

/** The SDK encodes stdin in JavaScript, at 250 ms per MB. Small pieces let the event loop serve others in between. */
const STDIN_CHUNK_BYTES = 32 * 1024;

const base64 = z.strictObject({ base64: z.base64() });
/** Text, or bytes as the guest encodes them. */
export const data = z.union([z.string(), base64]);
export const bytesOf = (given: z.output<typeof data>): Buffer =>
  typeof given === 'string' ? Buffer.from(given, 'utf8') : Buffer.from(given.base64, 'base64');

/** The streams that the agent's code listens to. */
const events = z.array(z.enum(STREAMS)).max(STREAMS.length).optional();
const eventsOf = ({ context }: SandboxCall, wanted: z.output<typeof events>): Events | undefined =>
  wanted === undefined ? undefined : createEvents(context, wanted);

const run = method('Sandbox.commands.run', {
  mode: 'write',
  args: onInstance({
    events,
    cmd: z.string().min(1).max(200_000),
    opts: options({
      background: z.boolean().optional(),
      cwd: z.string().max(4_096).optional(),
      envs: strings.optional(),
      user: user.optional(),
      stdin: z.boolean().optional(),
      timeoutMs: callMs.optional(),
    }),
  }),
  async run({ sandboxId, cmd, events, opts }, call) {
    call.context.checkRequest(Buffer.byteLength(cmd));
    const { background = false, timeoutMs, requestTimeoutMs: _, ...startOpts } = opts;
    const starting =
      (cmd: string): StartOn =>
      (sandbox, listeners) =>
        sandbox.commands.run(cmd, { ...omitUndefined(startOpts), ...listeners, background: true });
    const sent = eventsOf(call, events);
    if (!background) return recordFailure(await runToEnd(sandboxId, call, timeoutMs, starting(cmd), sent), call);
    const { logPath, cmd: logged } = withLogFile(cmd, randomUUID());
    // 0: no time limit. A background command outlives the run unless it has a timeout.
    return leaveRunning(sandboxId, call, timeoutMs ?? 0, starting(logged), { logPath, events: sent });
  },
});

const connect = method('Sandbox.commands.connect', {
  mode: 'write',
  args: onInstance({ pid, events, opts: options({ timeoutMs: callMs.optional() }) }),
  async run({ sandboxId, pid, events, opts }, call) {
    const sent = eventsOf(call, events);
    if (followerOf(call, sandboxId, pid) === undefined)
      return connectTo(sandboxId, pid, call, opts.timeoutMs ?? 0, { events: sent });
    const follower = await reach(call, sandboxId, pid);
    if (sent !== undefined) listen(follower, sent);
    const { logPath } = follower;
    return { pid, ...omitUndefined({ logPath }) };
  },
});

const wait = method('Sandbox.commands.wait', {
  mode: 'write',
  args: onInstance({ pid, opts: options({ timeoutMs: callMs.optional() }) }),
  async run({ sandboxId, pid, opts }, call) {
    const follower = await reach(call, sandboxId, pid);
    const waitMs = Math.min(
      opts.timeoutMs ?? Number.POSITIVE_INFINITY,
      call.session.leftMs(),
      call.sdk.requestTimeoutMs,
    );
    const ended = await call.send(() => within(follower.ended, waitMs));
    if (ended !== undefined) return chargeOutput(await recordFailure(ended, call), call);
    throw new GatewayError(
      'sandbox_failed',
      `TimeoutError: command ${pid} still runs after ${waitMs} ms. It goes on; commands.connect(${pid}) in a later call waits on, but replays no output: that is in its logPath.`,
    );
  },
});

/** Returns the output of a background command so far, or its result once it has ended. */
const output = method('Sandbox.commands.output', {
  mode: 'write',
  args: onInstance({ pid }),
  async run({ sandboxId, pid }, call) {
    const follower = await reach(call, sandboxId, pid);
    const ended = await call.send(() => within(follower.ended, 0));
    return chargeOutput(ended === undefined ? follower.peek() : await recordFailure(ended, call), call);
  },
});

const disconnect = method('Sandbox.commands.disconnect', {
  mode: 'write',
  args: onInstance({ pid }),
  async run({ sandboxId, pid }, call) {
    unfollow(call, sandboxId, pid);
  },
});

const list = method('Sandbox.commands.list', {
  mode: 'read',
  args: onInstance({ opts: options({}) }),
  run: ({ sandboxId }, call) =>
    call.onSandbox(sandboxId, async ({ sandbox, sdk }) =>
      (await sandbox.commands.list({ signal: sdk.signal })).map(withoutLog),
    ),
});

const kill = method('Sandbox.commands.kill', {
  mode: 'write',
  args: onInstance({ pid, opts: options({}) }),
  run: ({ sandboxId, pid }, call) =>
    call.onSandbox(sandboxId, async ({ sandbox, sdk }) => {
      const killed = await sandbox.commands.kill(pid, { signal: sdk.signal });
      if (killed) await untilGone(sandbox, sdk, pid);
      return killed;
    }),
});

const sendStdin = method('Sandbox.commands.sendStdin', {
  mode: 'write',
  args: onInstance({ pid, data, opts: options({}) }),
  async run({ sandboxId, pid, data }, call) {
    const bytes = bytesOf(data);
    call.context.checkRequest(bytes.byteLength);
    await call.onSandbox(sandboxId, async ({ sandbox, sdk }) => {
      for (let at = 0; at < bytes.byteLength; at += STDIN_CHUNK_BYTES) {
        await sandbox.commands.sendStdin(pid, bytes.subarray(at, at + STDIN_CHUNK_BYTES), { signal: sdk.signal });
      }
    });
  },
});

const closeStdin = method('Sandbox.commands.closeStdin', {
  mode: 'write',
  args: onInstance({ pid, opts: options({}) }),
  run: ({ sandboxId, pid }, call) =>
    call.onSandbox(sandboxId, ({ sandbox, sdk }) => sandbox.commands.closeStdin(pid, { signal: sdk.signal })),
});

export const COMMANDS = {
  'Sandbox.commands.run': run,
  'Sandbox.commands.connect': connect,
  'Sandbox.commands.wait': wait,
  'Sandbox.commands.output': output,
  'Sandbox.commands.disconnect': disconnect,
  'Sandbox.commands.list': list,
  'Sandbox.commands.kill': kill,
  'Sandbox.commands.sendStdin': sendStdin,
  'Sandbox.commands.closeStdin': closeStdin,
};

/** Shows the command as the agent's code wrote it, without the log file around it. */
function withoutLog<Listed extends { args: string[] }>(process: Listed): Listed & { logPath?: string } {
  const { cmd, logPath } = withoutLogFile(process.args.at(-1) ?? '');
  return logPath === undefined ? process : { ...process, args: [...process.args.slice(0, -1), cmd], logPath };
}

/** Records a failed command in the ledger, because the method does not throw for it. */
async function recordFailure(ran: CommandResult, { context }: SandboxCall): Promise<CommandResult> {
  const { exitCode, stderr } = ran;
  if (exitCode === 0) return ran;
  context.call.ended({ exitCode });
  context.call.ended({ exitCode, ...detailOf(await context.masked(stderr)) });
  return ran;
}

/** Charges the output here, so that maxAnswerBytes does not apply to its JSON, which may be six times as long. */
function chargeOutput<Printed extends { stdout: string; stderr: string }>(
  printed: Printed,
  call: SandboxCall,
): Printed {
  call.context.answer.take(printed.stdout.length + printed.stderr.length);
  return printed;
}
