// Node's process, os and console.
import { EventEmitter } from 'events/';
import { type Buffer, toBuffer } from './buffer.ts';
import { call, worker } from './host.ts';
import { format, inspect } from './inspect.ts';
import { onStdin } from './loop.ts';

type Kind = 'stdout' | 'stderr';

const output = (kind: Kind) =>
  Object.assign(new EventEmitter(), {
    ...{ isTTY: false, fd: kind === 'stdout' ? 1 : 2 },
    write(data: unknown, ...rest: unknown[]): boolean {
      if (data instanceof Uint8Array) call('output', { kind, bytes: data });
      else worker.print(kind, String(data));
      const done = rest.find(arg => typeof arg === 'function') as (() => void) | undefined;
      if (done !== undefined) queueMicrotask(done);
      return true;
    },
    end(data?: unknown): void {
      if (data !== undefined) this.write(data);
    },
  });

let encoding: string | undefined;
const decoded = (bytes: Uint8Array) =>
  encoding === undefined ? toBuffer(bytes) : toBuffer(bytes).toString(encoding as 'utf8');

const stdin = Object.assign(new EventEmitter(), {
  ...{ isTTY: false, fd: 0 },
  setEncoding(given: string): object {
    encoding = given;
    return stdin;
  },
  resume(): object {
    onStdin(bytes => {
      if (bytes !== null) return void stdin.emit('data', decoded(bytes));
      onStdin(undefined);
      stdin.emit('end');
      stdin.emit('close');
    });
    return stdin;
  },
  pause(): object {
    onStdin(undefined);
    return stdin;
  },
  unref: (): object => stdin.pause(),
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer | string> {
    for (let part = call('stdin', {}); part !== null; part = call('stdin', {})) yield decoded(part);
  },
});
/** Who listens, reads. */
stdin.on('newListener', (event: unknown) => /^(data|end|readable)$/.test(String(event)) && stdin.resume());

const startedMs = Date.now();
let cwd = '/home/user';

const hrtime = (): [number, number] => {
  const ms = Date.now() - startedMs;
  return [Math.floor(ms / 1000), (ms % 1000) * 1e6];
};

/** Named so that it is not taken for Node's own. */
export const guestProcess = Object.assign(new EventEmitter(), {
  ...{ title: 'node', version: 'v20.0.0', versions: { node: '20.0.0', quickjs: 'ng' } },
  ...{ platform: 'linux', arch: 'x64', pid: 4_000, execPath: '/usr/local/bin/node', execArgv: [] },
  ...{ stdin, stdout: output('stdout'), stderr: output('stderr') },
  env: {} as Record<string, string>,
  argv: ['/usr/local/bin/node'],
  exitCode: undefined as number | undefined,
  cwd: () => cwd,
  chdir: (path: string) => {
    cwd = path;
  },
  exit: (code = guestProcess.exitCode ?? 0): never => {
    guestProcess.emit('exit', code);
    worker.exit(String(code));
    while (true);
  },
  nextTick: (run: (...args: unknown[]) => void, ...args: unknown[]) => queueMicrotask(() => run(...args)),
  uptime: () => (Date.now() - startedMs) / 1000,
  memoryUsage: () => ({ rss: 64e6, heapTotal: 32e6, heapUsed: 16e6 }),
  hrtime: Object.assign(hrtime, { bigint: () => BigInt(Date.now() - startedMs) * 1_000_000n }),
});

const cpu = { model: 'virtual', speed: 0 };

/** Node's os: a small Linux machine. */
export const os = {
  platform: () => 'linux',
  arch: () => 'x64',
  type: () => 'Linux',
  release: () => '6.1.0',
  hostname: () => 'e2b.local',
  homedir: () => guestProcess.env.HOME ?? '/home/user',
  tmpdir: () => '/tmp',
  EOL: '\n',
  totalmem: () => 512e6,
  freemem: () => 448e6,
  cpus: () => [cpu, cpu],
  uptime: () => guestProcess.uptime(),
  userInfo: () => ({ username: 'user', homedir: '/home/user', uid: 1000, gid: 1000, shell: '/bin/bash' }),
};

const counts = new Map<string, number>();
const times = new Map<string, number>();
let indent = '';

function log(kind: Kind, values: unknown[]): void {
  guestProcess[kind].write(`${indent}${format(...values).replace(/\n/g, `\n${indent}`)}\n`);
}

const out = (...values: unknown[]) => log('stdout', values);
const err = (...values: unknown[]) => log('stderr', values);

export const console = {
  ...{ log: out, info: out, debug: out, error: err, warn: err },
  trace: (...values: unknown[]) => err('Trace:', ...values),
  dir: (value: unknown) => out(inspect(value)),
  table: (value: unknown) => out(inspect(value)),
  assert: (condition: unknown, ...values: unknown[]) => {
    if (!condition) err('Assertion failed', ...values);
  },
  count: (label = 'default') => {
    counts.set(label, (counts.get(label) ?? 0) + 1);
    out(`${label}: ${counts.get(label)}`);
  },
  time: (label = 'default') => void times.set(label, Date.now()),
  timeEnd: (label = 'default') => out(`${label}: ${Date.now() - (times.get(label) ?? Date.now())}ms`),
  group: (...values: unknown[]) => {
    if (values.length > 0) out(...values);
    indent += '  ';
  },
  groupEnd: () => {
    indent = indent.slice(2);
  },
};
