// Runs real processes of the host: without isolation, but with real programs. Each is a separate process
// group. Paths of the sandbox in the command line are replaced by those of its directory.
import { type ChildProcess, spawn } from 'node:child_process';
import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { Failure } from '../../../local/machine/failure.ts';
import type { OutputKind, Process, ProcessControl, Shell, Signal } from '../../../local/machine/processes.ts';

/** Children may keep the pipes of an ended process open: after this time without output, no more is expected. */
const DRAIN_MS = 1_000;

export type RealShellOptions = {
  /** The directory of the host that is the sandbox's `/`. */
  readonly root: string;
  /** The environment of a process, without what its start adds. Never the gateway's own. */
  readonly env: Readonly<Record<string, string>>;
};

export function realShell({ root, env }: RealShellOptions): Shell {
  return async (process, options) => {
    if (options.terminal !== undefined) {
      throw new Failure('unimplemented', 'local mode with real processes has no terminals (pty): run commands instead');
    }
    const { cmd, args, envs, cwd } = options.config;
    const inside = posix.resolve('/home/user', cwd ?? '.');
    const child = spawn(
      toHost(cmd, root),
      args.map(arg => toHost(arg, root)),
      {
        cwd: inside.startsWith(`${root}/`) ? inside : posix.join(root, inside),
        env: { ...env, ...mapValues(envs, value => toHost(value, root)) },
        stdio: [options.stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
        detached: true,
      },
    );
    await started(child, cmd, inside);
    report(child, process);
    return control(child);
  };
}

/**
 * Replaces `/home/user`, `/root` and `/tmp` at the beginning of a path by paths of the host. A
 * path that a program builds itself is not replaced.
 */
function toHost(text: string, root: string): string {
  return text.replace(/(?<![\w.~$})\]/\\-])\/(?:home\/user|root|tmp)(?![\w.-])/g, (path, at: number) =>
    text.startsWith(root, at) ? path : root + path,
  );
}

function started(child: ChildProcess, cmd: string, cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'ENOENT' ? `no such program or directory: ${cmd} in ${cwd}` : `${cmd}: ${error.code}`;
      reject(new Failure('invalid_argument', why));
    });
  });
}

/** Output with back-pressure, then the end: when the pipes are closed, or silent after the process has ended. */
function report(child: ChildProcess, process: Process): void {
  let busy = 0;
  let silence: NodeJS.Timeout | undefined;
  const end = (): void => {
    clearTimeout(silence);
    // Output of children that still run is dropped.
    for (const stream of [child.stdout, child.stderr]) stream?.removeAllListeners('data').resume();
    const { exitCode, signalCode } = child;
    if (signalCode !== null) process.end({ kind: 'signalled', signal: nameOf(signalCode) });
    else process.end({ kind: 'exited', code: exitCode ?? 0 });
  };
  const endWhenSilent = (): void => {
    clearTimeout(silence);
    if (busy === 0 && (child.exitCode !== null || child.signalCode !== null)) silence = setTimeout(end, DRAIN_MS);
  };
  const carry = (stream: Readable | null, kind: OutputKind): void => {
    stream?.on('data', (bytes: Buffer) => {
      busy += 1;
      stream.pause();
      void process.output(kind, bytes).then(() => {
        busy -= 1;
        stream.resume();
        endWhenSilent();
      });
    });
  };
  carry(child.stdout, 'stdout');
  carry(child.stderr, 'stderr');
  child.once('exit', endWhenSilent);
  child.once('close', async () => {
    // A slow reader may not have the last chunks yet.
    while (busy > 0) await new Promise(resolve => setImmediate(resolve));
    end();
  });
}

function control(child: ChildProcess): ProcessControl {
  // A closed pipe: the writer gets the error from its own write.
  child.stdin?.on('error', () => {});
  return {
    pid: child.pid,
    write: bytes =>
      new Promise((resolve, reject) => {
        if (child.stdin === null || !child.stdin.writable) reject(new Error('stdin is not open'));
        else child.stdin.write(bytes, error => (error == null ? resolve() : reject(new Error('stdin is closed'))));
      }),
    closeStdin: () => child.stdin?.end(),
    signal: (signal: Signal) => signalGroup(child, signal),
  };
}

function signalGroup(child: ChildProcess, signal: Signal): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    child.kill(signal);
  }
}

const SIGNAL_NAMES: Readonly<Record<string, string>> = {
  SIGKILL: 'killed',
  SIGTERM: 'terminated',
  SIGINT: 'interrupt',
  SIGSEGV: 'segmentation fault',
  SIGABRT: 'aborted',
  SIGHUP: 'hangup',
  SIGPIPE: 'broken pipe',
};

function nameOf(signal: string): string {
  return SIGNAL_NAMES[signal] ?? signal.toLowerCase();
}

function mapValues(record: Readonly<Record<string, string>>, map: (value: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
