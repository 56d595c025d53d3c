// Virtual shells: each process is a just-bash of its own over the sandbox's disk, with live output, live input where it
// asked for it, and background jobs (script.ts has the how). Knows no HTTP and no interpreter.
import { posix } from 'node:path';
import { Bash, type CustomCommand, type ScriptNode, serialize } from 'just-bash';
import {
  type Process,
  type ProcessControl,
  ProcessError,
  type Shell,
  type Signal,
  type StartOptions,
} from '../processes.ts';
import { findUser, type User } from '../users.ts';
import { commandsFor } from './commands/commands.ts';
import { LiveStdin } from './live-stdin.ts';
import { type Channels, prepareScript } from './script.ts';
import {
  type Job,
  LIVE_INPUT,
  type Processes,
  quote,
  type ScriptOptions,
  type Session,
  type VirtualShellOptions,
} from './session.ts';

/** An endless loop that does nothing else ends here. */
const LIMITS = { maxCommandCount: 200_000, maxLoopIterations: 100_000, maxExecutionTimeMs: 24 * 3_600_000 };
const MAX_JOBS = 64;

export function virtualShell(options: VirtualShellOptions): Shell {
  const processes: Processes = new Map();
  return (process, start) => startProcess(options, processes, process, start);
}

async function startProcess(
  shell: VirtualShellOptions,
  processes: Processes,
  process: Process,
  options: StartOptions,
): Promise<ProcessControl> {
  if (options.terminal !== undefined) {
    throw new ProcessError('unimplemented', 'local mode has no terminals (pty): run commands instead');
  }
  const user = await findUser({ read: path => shell.disk.readFileBuffer(path) }, options.user);
  if (user === undefined) throw new ProcessError('invalid_argument', `unknown user: ${options.user}`);
  const cwd = options.cwd ?? posix.resolve(user.home, options.config.cwd ?? '.');
  const stat = await shell.disk.stat(cwd).catch(() => undefined);
  if (stat?.isDirectory !== true) throw new ProcessError('invalid_argument', `cwd '${cwd}' does not exist`);

  const abort = new AbortController();
  const stdin = options.stdin ? new LiveStdin() : undefined;
  const end = (signal: Signal): void => {
    process.end({ kind: 'signalled', signal: signal === 'SIGTERM' ? 'terminated' : 'killed' });
    stdin?.close();
    abort.abort();
  };
  const source = sourceOf(options.config);
  const session = newSession({
    shell,
    pid: process.pid,
    signal: abort.signal,
    stdin,
    processes,
    output: (kind, bytes) => (abort.signal.aborted ? Promise.resolve() : process.output(kind, bytes)),
  });
  processes.set(process.pid, { source, kill: () => end('SIGTERM') });
  const env = { ...identity(user), ...shell.env, ...options.config.envs };
  // After the start has been told: the caller must know the pid before the first output.
  setImmediate(async () => {
    const code = await runScript(session, source, { cwd, env }).catch(() => 126);
    process.end({ kind: 'exited', code });
    stdin?.close();
    processes.delete(process.pid);
  });
  return {
    write: bytes => (stdin === undefined ? Promise.reject(new Error('stdin is not open')) : stdin.push(bytes)),
    closeStdin: () => stdin?.close(),
    signal: end,
  };
}

function newSession(parts: Omit<Session, 'jobs' | 'run' | 'startJob'>): Session {
  const session: Session = {
    ...parts,
    jobs: new Map(),
    run: (source, options) => runScript(session, source, options),
    startJob: (source, options) => startJob(session, source, options),
  };
  return session;
}

async function runScript(session: Session, source: string, options: ScriptOptions): Promise<number> {
  const { disk } = session.shell;
  const live = options.stdin === undefined ? session.stdin : undefined;
  const name = `${session.pid}-${nextChannel()}-`;
  const channels: Channels = {
    stdout: disk.channel(`${name}1`, { sink: bytes => session.output('stdout', bytes) }),
    stderr: disk.channel(`${name}2`, { sink: bytes => session.output('stderr', bytes) }),
    line:
      live === undefined
        ? undefined
        : disk.channel(`${name}0`, { source: async () => (await live.readLine()) ?? Buffer.alloc(0) }),
  };
  try {
    const bash = newBash(session, options, channels);
    const rest = await bash.exec(positional(options) + source, {
      cwd: options.cwd,
      stdin: live === undefined ? (options.stdin ?? '') : LIVE_INPUT,
      stdinKind: 'bytes',
      signal: session.signal,
      rawScript: true,
    });
    // What no sink could be put under: syntax errors, say.
    await session.output('stdout', Buffer.from(rest.stdout, rest.stdoutKind === 'bytes' ? 'latin1' : 'utf8'));
    await session.output('stderr', Buffer.from(rest.stderr, 'utf8'));
    return rest.exitCode;
  } finally {
    for (const path of Object.values(channels)) if (path !== undefined) disk.closeChannel(path);
  }
}

let channelCount = 0;
function nextChannel(): number {
  channelCount += 1;
  return channelCount;
}

function newBash(session: Session, options: ScriptOptions, channels: Channels): Bash {
  const { disk, fetch } = session.shell;
  const customCommands: CustomCommand[] = commandsFor(session);
  const bash = new Bash({
    fs: disk,
    cwd: options.cwd,
    env: { ...options.env, PWD: options.cwd },
    customCommands,
    executionLimits: LIMITS,
    fetch,
    // It patches globals of the whole process (Promise, JSON, process) while scripts run, the gateway's with them. What
    // it guards against, code of the guest's in this realm, does not happen here: interpreters have workers.
    defenseInDepth: false,
    processInfo: { pid: session.pid, ppid: 1, uid: 1000, gid: 1000 },
  });
  let prepared = false;
  bash.registerTransformPlugin({
    name: 'process',
    // The first script is the process's own; those it runs in turn (bash -c, eval) are part of it.
    transform({ ast }) {
      if (!prepared) prepareScript(ast, channels, (script: ScriptNode) => serialize(script));
      prepared = true;
      return { ast };
    },
  });
  return bash;
}

function startJob(session: Session, source: string, options: ScriptOptions): Job {
  if (session.jobs.size >= MAX_JOBS) throw new Error('too many background jobs');
  const id = newJobId(session.processes);
  const abort = new AbortController();
  const signal = AbortSignal.any([session.signal, abort.signal]);
  const inner = newSession({ ...session, pid: id, signal, stdin: undefined });
  const done = runScript(inner, source, options)
    .catch(() => 126)
    .finally(() => {
      session.processes.delete(id);
      session.jobs.delete(id);
    });
  const job: Job = { id, source, done, kill: () => abort.abort() };
  session.jobs.set(id, job);
  session.processes.set(id, { source, kill: job.kill });
  return job;
}

function newJobId(processes: Processes): number {
  return Math.max(5_000, ...processes.keys()) + 1;
}

/** The SDK starts `/bin/bash -l -c CMD`; anything else is a program and its arguments. */
function sourceOf({ cmd, args }: StartOptions['config']): string {
  const isShell = ['bash', 'sh'].includes(posix.basename(cmd));
  const flag = args.findIndex(arg => /^-[a-z]*c$/.test(arg));
  const script = flag === -1 ? undefined : args[flag + 1];
  return isShell && script !== undefined ? script : [cmd, ...args].map(quote).join(' ');
}

function positional({ positional: values }: ScriptOptions): string {
  return values === undefined || values.length === 0 ? '' : `set -- ${values.map(quote).join(' ')}; `;
}

function identity({ name, home }: User): Record<string, string> {
  return {
    HOME: home,
    USER: name,
    LOGNAME: name,
    SHELL: '/bin/bash',
    LANG: 'C.UTF-8',
    PATH: '/usr/local/bin:/usr/bin:/bin',
    E2B_SANDBOX: 'true',
  };
}
