// `sbx.commands`: run (to the end, or in the background), what is known of background commands, stdin, kill.
import { z } from 'zod';
import { GatewayError } from '../../errors.ts';
import { unlessAborted } from './abort.ts';
import { defined, method, onInstance, options, pid, type SandboxCall, strings, timeoutMs, user } from './capability.ts';
import type { Access } from './handle.ts';
import { createLineReporter } from './output.ts';
import { type CommandResult, type Follower, type FollowOptions, follow } from './process.ts';

/** Kept of each stream of one command. */
export const MAX_KEPT_CHARS = 1_000_000;
/** The SDK encodes stdin in pure JavaScript, a quarter of a second a megabyte: small pieces let others in between. */
const STDIN_CHUNK_BYTES = 32 * 1024;
/** Envelopes and base64 around the output. */
const WIRE_OVERHEAD = 2;
const KILL_TIMEOUT_MS = 5_000;

const base64 = z.strictObject({ base64: z.base64() });
/** Text, or bytes as the guest's side writes them. */
export const data = z.union([z.string(), base64]);
export const bytesOf = (given: z.output<typeof data>): Buffer =>
  typeof given === 'string' ? Buffer.from(given, 'utf8') : Buffer.from(given.base64, 'base64');

const run = method('Sandbox.commands.run', {
  mode: 'write',
  args: onInstance({
    cmd: z.string().min(1).max(200_000),
    opts: options({
      background: z.boolean().optional(),
      cwd: z.string().max(4_096).optional(),
      envs: strings.optional(),
      user: user.optional(),
      stdin: z.boolean().optional(),
      timeoutMs: timeoutMs.optional(),
    }),
  }),
  async run({ sandboxId, cmd, opts }, call) {
    call.context.checkRequest(Buffer.byteLength(cmd));
    const { background = false, requestTimeoutMs: _, ...startOpts } = opts;
    return listen(sandboxId, call, background, async (sandbox, listeners) =>
      sandbox.commands.run(cmd, {
        ...defined(startOpts),
        ...listeners,
        background: true,
        // 0: no deadline in the sandbox. A background command outlives the run unless told otherwise.
        timeoutMs: background ? (opts.timeoutMs ?? 0) : foregroundMs(opts.timeoutMs, call),
      }),
    );
  },
});

const connect = method('Sandbox.commands.connect', {
  mode: 'write',
  args: onInstance({ pid, opts: options({ timeoutMs: timeoutMs.optional() }) }),
  async run({ sandboxId, pid, opts }, call) {
    if (call.session.followers.has(key(sandboxId, pid))) return { pid };
    return listen(sandboxId, call, true, (sandbox, listeners) =>
      sandbox.commands.connect(pid, { ...listeners, timeoutMs: opts.timeoutMs ?? 0 }),
    );
  },
});

const wait = method('Sandbox.commands.wait', {
  mode: 'write',
  args: onInstance({ pid, opts: options({ timeoutMs: timeoutMs.optional() }) }),
  async run({ sandboxId, pid, opts }, call) {
    const follower = followerOf(call, sandboxId, pid);
    const waitMs = Math.min(opts.timeoutMs ?? Number.POSITIVE_INFINITY, call.session.leftMs());
    const ended = await call.send(() => within(follower.ended, waitMs));
    if (ended !== undefined) return ended;
    throw new GatewayError(
      'sandbox_failed',
      `TimeoutError: command ${pid} still runs after ${waitMs} ms. It goes on; commands.connect(${pid}) in a later run waits on.`,
    );
  },
});

/** What a background command of this run has printed so far; its result once it ended. */
const output = method('Sandbox.commands.output', {
  mode: 'write',
  args: onInstance({ pid }),
  async run({ sandboxId, pid }, call) {
    const follower = followerOf(call, sandboxId, pid);
    const ended = await call.send(() => within(follower.ended, 0));
    return ended ?? follower.peek();
  },
});

const disconnect = method('Sandbox.commands.disconnect', {
  mode: 'write',
  args: onInstance({ pid }),
  async run({ sandboxId, pid }, { session }) {
    session.followers.get(key(sandboxId, pid))?.leave();
    session.followers.delete(key(sandboxId, pid));
  },
});

const list = method('Sandbox.commands.list', {
  mode: 'read',
  args: onInstance({ opts: options({}) }),
  run: ({ sandboxId }, call) =>
    call.onSandbox(sandboxId, ({ sandbox, sdk }) => sandbox.commands.list({ signal: sdk.signal })),
});

const kill = method('Sandbox.commands.kill', {
  mode: 'write',
  args: onInstance({ pid, opts: options({}) }),
  run: ({ sandboxId, pid }, call) =>
    call.onSandbox(sandboxId, ({ sandbox, sdk }) => sandbox.commands.kill(pid, { signal: sdk.signal })),
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

// --- Following -----------------------------------------------------------------------------------------------------

const key = (sandboxId: string, pid: number) => `${sandboxId}:${pid}`;

type Listeners = Parameters<Parameters<typeof follow>[0]>[0];
type StartOn = (
  sandbox: Parameters<Parameters<SandboxCall['onSandbox']>[1]>[0]['sandbox'],
  listeners: Listeners & { requestTimeoutMs: number },
) => ReturnType<Parameters<typeof follow>[0]>;

/**
 * Starts and follows. To the end: its result, and killed when the run ends before it does. In the background: its pid at
 * once; the stream is left when the run ends, and the command goes on.
 */
async function listen(sandboxId: string, call: SandboxCall, background: boolean, start: StartOn): Promise<unknown> {
  const { session, context } = call;
  const { limits, signal } = context;
  const reporter = session.options.progress === undefined ? undefined : createLineReporter(session.options.progress);
  const followOptions: Omit<FollowOptions, 'onTooMuch'> = {
    maxKeptChars: MAX_KEPT_CHARS,
    maxStreamedBytes: limits.maxAnswerBytes,
    onBytes: context.answer.take,
    ...(reporter !== undefined && { onStdout: reporter.push }),
  };
  // The stream outlives this call in the background, and a kill outlives the run: neither hangs on the call's signal.
  const ownSignal = new AbortController().signal;
  return call.onSandbox(sandboxId, async ({ access }) => {
    const sdk = { ...session.sdk(context), signal: ownSignal };
    const { sandbox, wire } = session.handle(access, sdk, limits.maxAnswerBytes * WIRE_OVERHEAD);
    const starting = follow(listeners => start(sandbox, { ...listeners, requestTimeoutMs: sdk.requestTimeoutMs }), {
      ...followOptions,
      onTooMuch: pid => background || killQuietly(call, access, pid),
    });
    const follower = await unlessAborted(starting, signal, late => abandon(late, call, access, background));
    if (background) {
      const at = key(sandboxId, follower.pid);
      session.followers.set(at, follower);
      session.atEnd(follower.leave);
      follower.ended.catch(() => {}).finally(() => reporter?.flush());
      return { pid: follower.pid };
    }
    try {
      const result = await unlessAborted(follower.ended, signal);
      return result;
    } catch (caught) {
      abandon(follower, call, access, background);
      throw wire.fault ?? caught;
    } finally {
      reporter?.flush();
    }
  });
}

function abandon(follower: Follower, call: SandboxCall, access: Access, background: boolean): void {
  if (!background) killQuietly(call, access, follower.pid);
  follower.leave();
}

/** On its own time: the run may be over. */
function killQuietly({ session, context }: SandboxCall, access: Access, pid: number): void {
  const sdk = {
    ...session.sdk(context),
    signal: AbortSignal.timeout(KILL_TIMEOUT_MS),
    requestTimeoutMs: KILL_TIMEOUT_MS,
  };
  const { sandbox } = session.handle(access, sdk, 100_000);
  sandbox.commands.kill(pid).catch(() => {});
}

function followerOf({ session }: SandboxCall, sandboxId: string, pid: number): Follower {
  const follower = session.followers.get(key(sandboxId, pid));
  if (follower !== undefined) return follower;
  throw new GatewayError(
    'request_invalid',
    `This run does not follow command ${pid}. Call commands.connect(${pid}) first; what it printed before is not replayed.`,
  );
}

function foregroundMs(asked: number | undefined, { session }: SandboxCall): number {
  const left = session.leftMs();
  return asked === undefined || asked === 0 ? left : Math.min(asked, left);
}

/** Undefined when it takes longer. */
async function within(work: Promise<CommandResult>, ms: number): Promise<CommandResult | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>(resolve => {
    timer = setTimeout(resolve, ms, undefined);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
