// Virtual shells: each process is a just-bash of its own over the sandbox's disk, with live output, live input where it
// asked for it, and background jobs (script.ts has the how). Knows no HTTP and no interpreter.
import { randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import { Bash } from 'just-bash';
import { Failure } from '../failure.ts';
import type { Process, ProcessControl, Shell, StartOptions } from '../processes.ts';
import { findUser, type User } from '../users.ts';
import { byteCommands, inputCommands } from './commands/bytes.ts';
import { gitCommands } from './commands/git.ts';
import { jobCommands } from './commands/jobs.ts';
import { runtimeCommands } from './commands/runtimes.ts';
import { systemCommands } from './commands/system.ts';
import { userCommands } from './commands/users.ts';
import { type Channels, prepareScript, withoutCopy } from './script.ts';
import type { Job, Processes, ScriptOptions, Session, VirtualShellOptions } from './session.ts';
import { LIVE_INPUT, quote } from './session.ts';
import { INTERACTIVE, LiveStdin, Terminal } from './terminal.ts';
import { closedTo } from './user-disk.ts';

/** An endless loop that does nothing else ends here. */
const LIMITS = {
  maxCommandCount: 5_000_000,
  maxLoopIterations: 5_000_000,
  maxAwkIterations: 5_000_000,
  maxSedIterations: 5_000_000,
  maxJqIterations: 5_000_000,
  maxBraceExpansionResults: 2_000_000,
  maxArrayElements: 2_000_000,
  maxWorkUnits: 200_000_000,
  maxExecutionTimeMs: 24 * 3_600_000,
};
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
  const user = await findUser({ read: path => shell.root.readFileBuffer(path) }, options.user);
  if (user === undefined) throw new Failure('invalid_argument', `unknown user: ${options.user}`);
  const cwd = options.cwd ?? posix.resolve(user.home, options.config.cwd ?? '.');
  const stat = await shell.root.stat(cwd).catch(() => undefined);
  if (stat?.isDirectory !== true) throw new Failure('invalid_argument', `cwd '${cwd}' does not exist`);
  if (closedTo(shell.root, user, `${cwd}/.`)) {
    const { cmd, args } = options.config;
    const message = `error starting process '${[cmd, ...args].join(' ')}': fork/exec ${cmd}: permission denied`;
    throw new Failure('invalid_argument', message);
  }

  const abort = new AbortController();
  const terminal = options.terminal && new Terminal(options.terminal, bytes => process.output('pty', bytes));
  const stdin = terminal?.stdin ?? (options.stdin ? new LiveStdin() : undefined);
  const end = (signal: string): void => {
    process.end({ kind: 'signalled', signal });
    stdin?.close();
    abort.abort();
  };
  const { source, copyTo } = withoutCopy(
    terminal && isInteractive(options.config) ? INTERACTIVE : sourceOf(options.config),
  );
  const disk = shell.diskFor(user, new Set());
  const session = newSession({
    shell,
    user,
    pid: process.pid,
    signal: abort.signal,
    stdin,
    terminal,
    processes,
    output: async (kind, bytes) => {
      if (abort.signal.aborted) return;
      if (copyTo !== undefined) await disk.appendFile(copyTo, bytes).catch(() => {});
      await (terminal?.print(bytes) ?? process.output(kind, bytes));
    },
  });
  processes.set(process.pid, { source, kill: (signal = 'terminated') => end(signal) });
  const env = { ...identity(user), ...shell.env, ...options.config.envs };
  // After the start event: the caller must know the pid before the first output.
  setImmediate(async () => {
    const run = () => runScript(session, source, { cwd, env }).catch(() => 126);
    let code = await run();
    while (terminal?.left === false && !abort.signal.aborted) code = await run();
    process.end({ kind: 'exited', code });
    stdin?.close();
    processes.delete(process.pid);
  });
  return {
    write: bytes => terminal?.type(bytes) ?? stdin?.push(bytes) ?? Promise.reject(new Error('stdin is not open')),
    closeStdin: () => stdin?.close(),
    resize: size => {
      if (terminal !== undefined) terminal.size = size;
    },
    signal: signal => end(signal === 'SIGTERM' ? 'terminated' : 'killed'),
  };
}

function newSession(parts: Omit<Session, 'jobs' | 'as' | 'run' | 'startJob'>): Session {
  const session: Session = {
    ...parts,
    jobs: new Map(),
    as: (user, output = parts.output) => newSession({ ...parts, user, output }),
    run: (source, options) => runScript(session, source, options),
    startJob: (source, options) => startJob(session, source, options),
  };
  return session;
}

async function runScript(session: Session, source: string, options: ScriptOptions): Promise<number> {
  const disk = session.shell.root;
  const live = options.stdin === undefined ? session.stdin : undefined;
  const name = randomUUID();
  const refused = new Set<string>();
  const channels: Channels = {
    stdout: disk.channel(`${name}1`, { write: bytes => session.output('stdout', bytes) }),
    stderr: disk.channel(`${name}2`, { write: bytes => session.output('stderr', withReason(bytes, refused)) }),
    line:
      live === undefined
        ? undefined
        : disk.channel(`${name}0`, { read: async () => (await live.readLine()) ?? Buffer.alloc(0) }),
  };
  try {
    const bash = newBash(session, source, options, channels, refused);
    const rest = await bash.exec(positional(options) + source, {
      cwd: options.cwd,
      stdin: live === undefined ? (options.stdin ?? '') : LIVE_INPUT,
      stdinKind: 'bytes',
      signal: session.signal,
      rawScript: true,
    });
    if (session.signal.aborted) return rest.exitCode;
    // What no sink could be put under: syntax errors, say.
    await session.output('stdout', Buffer.from(rest.stdout, rest.stdoutKind === 'bytes' ? 'latin1' : 'utf8'));
    await session.output('stderr', withReason(Buffer.from(rest.stderr, 'utf8'), refused));
    return rest.exitCode;
  } catch (caught) {
    // A redirection that is not possible ends the script here, where a real shell goes on to the next command.
    if (!session.signal.aborted) await session.output('stderr', Buffer.from(`bash: ${reasonOf(caught)}\n`));
    return 1;
  } finally {
    for (const path of Object.values(channels)) if (path !== undefined) disk.closeChannel(path);
  }
}

function newBash(
  session: Session,
  source: string,
  options: ScriptOptions,
  channels: Channels,
  refused: Set<string>,
): Bash {
  const { diskFor, network } = session.shell;
  const bash = new Bash({
    fs: diskFor(session.user, refused),
    cwd: options.cwd,
    env: { ...options.env, PWD: options.cwd },
    customCommands: [
      ...inputCommands(session),
      ...jobCommands(session),
      ...runtimeCommands(session),
      ...userCommands(session),
      ...gitCommands(session),
      ...byteCommands(source),
      ...systemCommands(session),
    ],
    executionLimits: LIMITS,
    fetch: network.fetch,
    // It patches globals of the whole process (Promise, JSON, process) while scripts run, the gateway's with them. What
    // it guards against, code of the guest's in this realm, does not happen here: interpreters have workers.
    defenseInDepth: false,
    processInfo: { pid: session.pid, ppid: 1, uid: session.user.uid, gid: session.user.gid },
  });
  let prepared = false;
  bash.registerTransformPlugin({
    name: 'process',
    // The first script is the process's own; those it runs in turn (bash -c, eval) are part of it.
    transform({ ast }) {
      if (!prepared) prepareScript(ast, channels);
      prepared = true;
      return { ast };
    },
  });
  return bash;
}

function startJob(session: Session, source: string, options: ScriptOptions): Job {
  if (session.jobs.size >= MAX_JOBS) throw new Error('too many background jobs');
  const id = Math.max(5_000, ...session.processes.keys()) + 1;
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

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'Permission denied',
  ENOENT: 'No such file or directory',
  EISDIR: 'Is a directory',
  ENOTDIR: 'Not a directory',
};

function reasonOf(caught: unknown): string {
  const message = caught instanceof Error ? caught.message : 'the script failed';
  const [, code = '', path = ''] = /^(E[A-Z]+):.*?'([^']*)'/.exec(message) ?? [];
  return WORDS[code] === undefined ? message : `${path}: ${WORDS[code]}`;
}

/** just-bash's commands say of what they may not read that it is not there. */
function withReason(bytes: Buffer, refused: ReadonlySet<string>): Buffer {
  if (refused.size === 0) return bytes;
  const names = [...refused].flatMap(path => [path, posix.basename(path)]);
  const said = bytes
    .toString('utf8')
    .replace(/^(.*)(?:No such file or directory|EACCES: permission denied, '[^']*')$/gm, (line, before) =>
      names.some(name => line.includes(name)) ? `${before}Permission denied` : line,
    );
  return Buffer.from(said);
}

/** The SDK starts `/bin/bash -l -c CMD`; anything else is a program and its arguments. */
function sourceOf({ cmd, args }: StartOptions['config']): string {
  const isShell = ['bash', 'sh'].includes(posix.basename(cmd));
  const flag = args.findIndex(arg => /^-[a-z]*c$/.test(arg));
  const script = flag === -1 ? undefined : args[flag + 1];
  return isShell && script !== undefined ? script : [cmd, ...args].map(quote).join(' ');
}

/** A shell without a script. */
function isInteractive({ cmd, args }: StartOptions['config']): boolean {
  return ['bash', 'sh'].includes(posix.basename(cmd)) && args.every(arg => /^-[il]+$/.test(arg));
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
