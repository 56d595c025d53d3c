// Connects to running commands: by pid, and again after a pause has ended their stream. Also waits until a killed
// command is gone.
import { setTimeout as sleep } from 'node:timers/promises';
import type { SdkOptions } from '../../e2b/connection.ts';
import type { Sandbox } from '../../e2b/sdk.ts';
import { GatewayError } from '../../errors.ts';
import { type Followed, type Found, followerOf, leaveRunning, replaceFollower, type StartOn } from './command-runs.ts';
import type { Follower } from './follower.ts';
import { withoutLogFile } from './log-file.ts';
import type { SandboxCall } from './sandbox-call.ts';

const GONE_TRIES = 10;
const GONE_EVERY_MS = 50;

/** Follows a running command. @throws GatewayError `sandbox_failed` if no such command is running */
export async function connectTo(
  sandboxId: string,
  pid: number,
  call: SandboxCall,
  timeoutMs: number,
  receivedBy: Pick<Followed, 'events' | 'listeners'>,
): Promise<Found> {
  const running = await call.onSandbox(sandboxId, ({ sandbox, sdk }) => sandbox.commands.list({ signal: sdk.signal }));
  const found = running.find(process => process.pid === pid);
  if (found === undefined) {
    const message = `no command with pid ${pid} runs in this sandbox: it has ended, or there never was one. commands.list() shows what runs; what an ended background command printed is in the file that its handle named as logPath.`;
    throw new GatewayError('sandbox_failed', `NotFoundError: ${message}`);
  }
  const { logPath } = withoutLogFile(found.args.at(-1) ?? '');
  const attach: StartOn = (sandbox, listeners) => sandbox.commands.connect(pid, listeners);
  return leaveRunning(sandboxId, call, timeoutMs, attach, { logPath, ...receivedBy });
}

/** Returns the follower of a command, and connects again first if its stream was lost. @throws GatewayError */
export async function reach(call: SandboxCall, sandboxId: string, pid: number): Promise<Follower> {
  let follower = followerOf(call, sandboxId, pid);
  if (follower === undefined && call.session.options.resumed === true) {
    await connectTo(sandboxId, pid, call, 0, {});
    follower = followerOf(call, sandboxId, pid);
  }
  if (follower === undefined) {
    throw new GatewayError(
      'request_invalid',
      `This run does not follow command ${pid}. Call commands.connect(${pid}) first; what it printed before is not replayed.`,
    );
  }
  if (!follower.lost()) return follower;
  await connectTo(sandboxId, pid, call, 0, { listeners: follower.listeners });
  const reconnected = followerOf(call, sandboxId, pid) ?? follower;
  const continued = continuing(follower, reconnected);
  replaceFollower(call, sandboxId, pid, continued);
  return continued;
}

/** Joins the output from before the stream was lost with the output after it. */
function continuing(before: Follower, reconnected: Follower): Follower {
  const earlier = before.peek();
  const join = <Printed extends ReturnType<Follower['peek']>>(later: Printed): Printed => {
    const dropped = (earlier.dropped ?? 0) + (later.dropped ?? 0);
    const printed = { stdout: earlier.stdout + later.stdout, stderr: earlier.stderr + later.stderr };
    return { ...later, ...printed, ...(dropped > 0 && { dropped }) };
  };
  const ended = reconnected.ended.then(join);
  ended.catch(() => {}); // awaited later, or never
  return { ...reconnected, ended, peek: () => join(reconnected.peek()) };
}

/** Waits until a killed process has disappeared, so that a following commands.list() does not show it. */
export async function untilGone(sandbox: Sandbox, sdk: SdkOptions, pid: number): Promise<void> {
  for (let left = GONE_TRIES; left > 0 && (await pids(sandbox, sdk)).includes(pid); left--) {
    await sleep(GONE_EVERY_MS, undefined, { signal: sdk.signal });
  }
}

const pids = async (sandbox: Sandbox, { signal }: SdkOptions): Promise<number[]> =>
  (await sandbox.commands.list({ signal })).map(process => process.pid);
