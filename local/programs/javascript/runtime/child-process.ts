// Node's child_process: a command is a script of the sandbox's shell.

import { EventEmitter } from 'events/';
import type { Ran } from '../../protocol.ts';
import { Buffer, toBuffer } from './buffer.ts';
import { call } from './host.ts';
import { later } from './loop.ts';
import { guestProcess } from './process.ts';

type Options = {
  cwd?: string;
  env?: Record<string, string>;
  input?: unknown;
  encoding?: string;
  stdio?: unknown;
  shell?: unknown;
};

function request(source: string, options: Options = {}) {
  const stdin =
    options.input === undefined
      ? new Uint8Array(0)
      : options.input instanceof Uint8Array
        ? options.input
        : Buffer.from(String(options.input));
  return { source, cwd: options.cwd ?? guestProcess.cwd(), env: { ...(options.env ?? guestProcess.env) }, stdin };
}

function commandLine(file: string, args: readonly string[]): string {
  return [file, ...args]
    .map(part => (/^[\w@%+=:,./-]+$/.test(part) ? part : `'${part.replace(/'/g, `'\\''`)}'`))
    .join(' ');
}

function shown(bytes: Uint8Array, options: Options | undefined): Buffer | string {
  const encoding = options?.encoding;
  return encoding === undefined || encoding === 'buffer' ? toBuffer(bytes) : toBuffer(bytes).toString(encoding);
}

function split(args: unknown[]): {
  list: string[];
  options: Options;
  callback: ((...values: unknown[]) => void) | undefined;
} {
  return {
    list: (args.find(Array.isArray) ?? []) as string[],
    options: (args.find(arg => typeof arg === 'object' && arg !== null && !Array.isArray(arg)) ?? {}) as Options,
    callback: args.find(arg => typeof arg === 'function') as ((...values: unknown[]) => void) | undefined,
  };
}

function failure(source: string, { exitCode, stdout, stderr }: Ran): Error {
  const text = toBuffer(stderr).toString();
  return Object.assign(new Error(`Command failed: ${source}\n${text}`), {
    status: exitCode,
    code: exitCode,
    stdout: toBuffer(stdout),
    stderr: toBuffer(stderr),
  });
}

function runSync(source: string, options: Options): Buffer | string {
  const ran = call('run', request(source, options));
  if (options.stdio === 'inherit') guestProcess.stdout.write(ran.stdout);
  if (options.stdio === 'inherit' || options.stdio === undefined) guestProcess.stderr.write(ran.stderr);
  if (ran.exitCode !== 0) throw failure(source, ran);
  return shown(ran.stdout, options);
}

class ChildProcess extends EventEmitter {
  readonly pid = 4_001;
  readonly stdout = new EventEmitter();
  readonly stderr = new EventEmitter();
  exitCode: number | null = null;
  kill(): boolean {
    return false;
  }
  unref(): void {}
}

function start(source: string, options: Options): { child: ChildProcess; ran: Promise<Ran> } {
  const child = new ChildProcess();
  const ran = later<Ran>(id => void call('startRun', { id, ...request(source, options) }));
  ran.then(
    ({ exitCode, stdout, stderr }) => {
      child.exitCode = exitCode;
      if (options.stdio === 'inherit') {
        guestProcess.stdout.write(stdout);
        guestProcess.stderr.write(stderr);
      }
      if (stdout.length > 0) child.stdout.emit('data', shown(stdout, options));
      if (stderr.length > 0) child.stderr.emit('data', shown(stderr, options));
      child.emit('exit', exitCode, null);
      child.emit('close', exitCode, null);
    },
    error => child.emit('error', error),
  );
  return { child, ran };
}

function exec(source: string, ...args: unknown[]): ChildProcess {
  const { options, callback } = split(args);
  const { child, ran } = start(source, { encoding: 'utf8', ...options });
  ran.then(
    done =>
      callback?.(
        done.exitCode === 0 ? null : failure(source, done),
        toBuffer(done.stdout).toString(),
        toBuffer(done.stderr).toString(),
      ),
    callback,
  );
  return child;
}

export const childProcess = {
  execSync: (source: string, options: Options = {}) => runSync(source, options),
  execFileSync: (file: string, ...args: unknown[]) => runSync(commandLine(file, split(args).list), split(args).options),
  spawnSync(file: string, ...args: unknown[]) {
    const { list, options } = split(args);
    const ran = call('run', request(options.shell ? [file, ...list].join(' ') : commandLine(file, list), options));
    return {
      pid: 4_001,
      status: ran.exitCode,
      signal: null,
      stdout: shown(ran.stdout, options),
      stderr: shown(ran.stderr, options),
    };
  },
  spawn(file: string, ...args: unknown[]): ChildProcess {
    const { list, options } = split(args);
    return start(options.shell ? [file, ...list].join(' ') : commandLine(file, list), options).child;
  },
  exec,
  execFile: (file: string, ...args: unknown[]) =>
    exec(commandLine(file, split(args).list), ...args.filter(arg => !Array.isArray(arg))),
};
