// Node's child_process: a command is a script of the sandbox's shell.
import { EventEmitter } from 'events/';
import type { Ran } from '../../operations.ts';
import { type Buffer, bytesOf, toBuffer } from './buffer.ts';
import { call } from './host.ts';
import { later, newId } from './loop.ts';
import { guestProcess } from './process.ts';

type Options = {
  cwd?: string;
  env?: Record<string, string>;
  input?: unknown;
  encoding?: string;
  stdio?: unknown;
  shell?: unknown;
};
type Callback = (error: unknown, ...outputs: unknown[]) => void;
const OUTPUTS = ['stdout', 'stderr'] as const;

const callbackIn = (args: unknown[]) => args.find(arg => typeof arg === 'function') as Callback | undefined;
const optionsIn = (args: unknown[]): Options =>
  args.find(arg => typeof arg === 'object' && arg !== null && !Array.isArray(arg)) ?? {};

function request(source: string, { cwd, env, input }: Options) {
  const stdin = bytesOf(input);
  return { source, cwd: cwd ?? guestProcess.cwd(), env: { ...(env ?? guestProcess.env) }, stdin };
}

/** A program and its arguments, quoted unless the shell is to read them. */
function commandLine(file: string, args: unknown[]): string {
  const parts = [file, ...((args.find(Array.isArray) ?? []) as string[])];
  if (optionsIn(args).shell) return parts.join(' ');
  return parts.map(part => (/^[\w@%+=:,./-]+$/.test(part) ? part : `'${part.replace(/'/g, `'\\''`)}'`)).join(' ');
}

function shown(bytes: Uint8Array, { encoding = 'buffer' }: Options): Buffer | string {
  return encoding === 'buffer' ? toBuffer(bytes) : toBuffer(bytes).toString(encoding as BufferEncoding);
}

function failure(source: string, { exitCode, stdout, stderr }: Ran): Error {
  const error = new Error(`Command failed: ${source}\n${toBuffer(stderr)}`);
  const outputs = { stdout: toBuffer(stdout), stderr: toBuffer(stderr) };
  return Object.assign(error, { status: exitCode, code: exitCode, ...outputs });
}

function runSync(source: string, options: Options = {}): Buffer | string {
  const ran = call('run', request(source, options));
  if (options.stdio === 'inherit') guestProcess.stdout.write(ran.stdout);
  if (options.stdio === 'inherit' || options.stdio === undefined) guestProcess.stderr.write(ran.stderr);
  if (ran.exitCode !== 0) throw failure(source, ran);
  return shown(ran.stdout, options);
}

class ChildProcess extends EventEmitter {
  readonly pid = newId();
  readonly stdout = new EventEmitter();
  readonly stderr = new EventEmitter();
  exitCode: number | null = null;
  kill(signal: unknown = 'SIGTERM'): boolean {
    if (this.exitCode === null) call('signal', { id: this.pid, name: signal === 'SIGTERM' ? signal : 'SIGKILL' });
    return this.exitCode === null;
  }
  unref(): void {}
}

function start(source: string, options: Options, callback?: Callback): ChildProcess {
  const child = new ChildProcess();
  const ended = (ran: Ran): void => {
    child.exitCode = ran.exitCode;
    for (const kind of OUTPUTS) {
      if (options.stdio === 'inherit') guestProcess[kind].write(ran[kind]);
      if (ran[kind].length > 0) child[kind].emit('data', shown(ran[kind], options));
    }
    child.emit('exit', ran.exitCode, null);
    child.emit('close', ran.exitCode, null);
    callback?.(ran.exitCode === 0 ? null : failure(source, ran), ...OUTPUTS.map(kind => String(toBuffer(ran[kind]))));
  };
  later('run', request(source, options), child.pid).then(ended, error => {
    child.emit('error', error);
    callback?.(error);
  });
  return child;
}

const exec = (source: string, ...args: unknown[]): ChildProcess =>
  start(source, { encoding: 'utf8', ...optionsIn(args) }, callbackIn(args));

export const childProcess = {
  execSync: runSync,
  execFileSync: (file: string, ...args: unknown[]) => runSync(commandLine(file, args), optionsIn(args)),
  spawnSync(file: string, ...args: unknown[]) {
    const options = optionsIn(args);
    const { exitCode, stdout, stderr } = call('run', request(commandLine(file, args), options));
    const outputs = { stdout: shown(stdout, options), stderr: shown(stderr, options) };
    return { pid: 4_001, status: exitCode, signal: null, ...outputs };
  },
  spawn: (file: string, ...args: unknown[]) => start(commandLine(file, args), optionsIn(args)),
  exec,
  execFile: (file: string, ...args: unknown[]) => exec(commandLine(file, args), ...args),
};
