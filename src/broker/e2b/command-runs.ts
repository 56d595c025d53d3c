// Runs the commands of one run: waits for their end, or leaves them in the background and collects their output while
// the run lasts. Decides which are killed when the run ends.

import type { Access } from '../../e2b/handle.ts';
import type { Sandbox } from '../../e2b/sdk.ts';
import { unlessAborted } from './abort.ts';
import { commandOverdue } from './deadline.ts';
import type { Events } from './events.ts';
import {
  type CommandResult,
  type Follower,
  type FollowOptions,
  follow,
  type Listener,
  type StartCommand,
} from './follower.ts';
import type { SandboxCall } from './sandbox-call.ts';

/** Maximum characters kept of each stream of a command. */
export const MAX_KEPT_CHARS = 1_000_000;
/** The protocol (envelopes, base64) at most doubles the size of the output. */
const WIRE_OVERHEAD = 2;
/** The daemon sends output in pieces of 32 kB. */
const MAX_MESSAGE_BYTES = 1_000_000;
const KILL_TIMEOUT_MS = 5_000;

type Listeners = Parameters<StartCommand>[0] & { readonly requestTimeoutMs: number; readonly timeoutMs: number };
/** A background command, and the file in the sandbox that its output is also written to. */
export type Found = Pick<Follower, 'pid' | 'logPath'>;
export type StartOn = (sandbox: Sandbox, listeners: Listeners) => ReturnType<StartCommand>;

/** Returns the command's result. Kills the command when its time is up or the run ends first. */
export function runToEnd(
  sandboxId: string,
  call: SandboxCall,
  askedMs: number | undefined,
  start: StartOn,
  events?: Events,
): Promise<CommandResult> {
  return call.onSandbox(sandboxId, async ({ access }) => {
    const kill = (pid: number) => killQuietly(call, access, pid);
    const abandon = (follower: Follower) => {
      kill(follower.pid);
      follower.leave();
    };
    const onTooMuch = (pid: number) => {
      kill(pid);
      return 'was killed';
    };
    const deadline = call.session.deadline(askedMs);
    const { following, reporter, fault } = begin(call, access, start, {
      timeoutMs: deadline.ms,
      overdue: commandOverdue(deadline),
      onTooMuch,
      listeners: listenersOf(events),
    });
    try {
      const follower = await unlessAborted(following, call.context.signal, abandon);
      return await unlessAborted(follower.ended, call.context.signal).catch(caught => {
        abandon(follower);
        throw caught;
      });
    } catch (caught) {
      throw fault() ?? caught;
    } finally {
      reporter?.flush();
      events?.flush();
    }
  });
}

/** Returns the pid at once. The command may run for `timeoutMs` (0: no limit); it is followed until the run ends. */
export function leaveRunning(
  sandboxId: string,
  call: SandboxCall,
  timeoutMs: number,
  start: StartOn,
  { logPath, events, listeners = listenersOf(events) }: Followed,
): Promise<Found> {
  return call.onSandbox(sandboxId, async ({ access }) => {
    const stream = call.session.openStream();
    const { following, reporter, fault } = begin(call, access, start, {
      timeoutMs,
      overdue: 'timed out and was killed. Give it more timeoutMs, or none',
      onTooMuch: () => 'goes on, its output no longer collected',
      listeners,
    });
    try {
      const follower = await unlessAborted(following, call.context.signal, late => late.leave());
      const found = { pid: follower.pid, ...(logPath !== undefined && { logPath }) };
      call.session.followers.set(key(sandboxId, follower.pid), { ...follower, ...found });
      call.session.atEnd(follower.leave);
      const over = () => {
        stream.ended();
        reporter?.flush();
        events?.end();
      };
      follower.ended.then(over, over);
      return found;
    } catch (caught) {
      stream.ended();
      throw fault() ?? caught;
    }
  });
}

export type Followed = {
  readonly logPath?: string | undefined;
  readonly events?: Events | undefined;
  readonly listeners?: Set<Listener>;
};

/** Sends events for the output of a command that is already running. */
export function listen(follower: Follower, events: Events): void {
  for (const listener of listenersOf(events)) follower.listeners.add(listener);
  follower.ended.then(events.end, events.end);
}

const listenersOf = (events: Events | undefined): Set<Listener> => new Set(events === undefined ? [] : [events.print]);

type Bounds = Pick<FollowOptions, 'overdue' | 'onTooMuch' | 'listeners'> & { readonly timeoutMs: number };

function begin(call: SandboxCall, access: Access, start: StartOn, { timeoutMs, ...bounds }: Bounds) {
  const { session, context, sdk: own } = call;
  const reporter = call.lineReporter();
  // Not the call's signal: a background stream outlives the call, and the response to a start is awaited after the call
  // ends, so that the command can be killed.
  const sdk = { ...own, signal: new AbortController().signal };
  const { maxAnswerBytes } = context.limits;
  const { sandbox, wire } = session.handle(access, sdk, context, {
    maxAnswerBytes: maxAnswerBytes * WIRE_OVERHEAD,
    maxMessageBytes: MAX_MESSAGE_BYTES,
  });
  const { requestTimeoutMs } = sdk;
  const following = follow(listeners => start(sandbox, { ...listeners, requestTimeoutMs, timeoutMs }), {
    maxKeptChars: MAX_KEPT_CHARS,
    apiKey: context.principal.apiKey,
    maxStreamedBytes: maxAnswerBytes,
    onBytes: context.answer.take,
    ...bounds,
    ...(reporter !== undefined && { onStdout: reporter.push }),
  });
  return { following, reporter, fault: () => wire.fault };
}

/** Has its own timeout, because the run may have ended. */
function killQuietly({ session, context }: SandboxCall, access: Access, pid: number): void {
  const signal = AbortSignal.timeout(KILL_TIMEOUT_MS);
  const sdk = { ...session.sdk(context), signal, requestTimeoutMs: KILL_TIMEOUT_MS };
  const { sandbox } = session.handle(access, sdk, context, { maxAnswerBytes: 100_000 });
  sandbox.commands.kill(pid).catch(() => {});
}

const key = (sandboxId: string, pid: number | '') => `${sandboxId}:${pid}`;

/** The follower of a background command of this run. */
export const followerOf = ({ session }: SandboxCall, sandboxId: string, pid: number): Follower | undefined =>
  session.followers.get(key(sandboxId, pid));

/** Call it when the sandbox is paused: the next request for one of its commands connects again. */
export function loseFollowers({ session }: SandboxCall, sandboxId: string): void {
  for (const [name, follower] of session.followers) if (name.startsWith(key(sandboxId, ''))) follower.lose();
}

export function replaceFollower({ session }: SandboxCall, sandboxId: string, pid: number, follower: Follower): void {
  session.followers.set(key(sandboxId, pid), follower);
}

export function unfollow(call: SandboxCall, sandboxId: string, pid: number): void {
  followerOf(call, sandboxId, pid)?.leave();
  call.session.followers.delete(key(sandboxId, pid));
}
