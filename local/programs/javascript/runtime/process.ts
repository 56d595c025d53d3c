// Node's process, and console.

import { EventEmitter } from 'events/';
import { type Buffer, toBuffer } from './buffer.ts';
import { call, worker } from './host.ts';
import { format, inspect } from './inspect.ts';
import { onStdin } from './loop.ts';

class Output extends EventEmitter {
  readonly isTTY = false;
  readonly fd: number;
  readonly #kind: 'stdout' | 'stderr';
  constructor(kind: 'stdout' | 'stderr') {
    super();
    this.#kind = kind;
    this.fd = kind === 'stdout' ? 1 : 2;
  }
  write(data: unknown, ...rest: unknown[]): boolean {
    if (data instanceof Uint8Array) call('output', { kind: this.#kind, bytes: data });
    else worker.print(this.#kind, String(data));
    const done = rest.find(arg => typeof arg === 'function') as (() => void) | undefined;
    if (done !== undefined) queueMicrotask(done);
    return true;
  }
  end(data?: unknown): void {
    if (data !== undefined) this.write(data);
  }
}

class Input extends EventEmitter {
  readonly isTTY = false;
  readonly fd = 0;
  #encoding: string | undefined;
  setEncoding(encoding: string): this {
    this.#encoding = encoding;
    return this;
  }
  override on(event: string | symbol, listener: (...args: never[]) => unknown): this {
    super.on(event, listener as () => void);
    if (event === 'data' || event === 'end' || event === 'readable') this.resume();
    return this;
  }
  resume(): this {
    onStdin(bytes => {
      if (bytes === null) {
        onStdin(undefined);
        this.emit('end');
        this.emit('close');
      } else {
        const part = toBuffer(bytes);
        this.emit('data', this.#encoding === undefined ? part : part.toString(this.#encoding as 'utf8'));
      }
    });
    return this;
  }
  pause(): this {
    onStdin(undefined);
    return this;
  }
  unref(): this {
    return this.pause();
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer | string> {
    for (let part = call('stdin', {}); part !== null; part = call('stdin', {})) {
      yield this.#encoding === undefined ? toBuffer(part) : toBuffer(part).toString(this.#encoding as 'utf8');
    }
  }
}

class Process extends EventEmitter {
  readonly title = 'node';
  readonly version = 'v20.0.0';
  readonly versions = { node: '20.0.0', quickjs: 'ng' };
  readonly platform = 'linux';
  readonly arch = 'x64';
  readonly pid = 4_000;
  readonly stdout = new Output('stdout');
  readonly stderr = new Output('stderr');
  readonly stdin = new Input();
  readonly execPath = '/usr/local/bin/node';
  readonly execArgv: string[] = [];
  env: Record<string, string> = {};
  argv: string[] = ['/usr/local/bin/node'];
  exitCode: number | undefined;
  #cwd = '/home/user';
  readonly #startedMs = Date.now();

  cwd(): string {
    return this.#cwd;
  }
  chdir(path: string): void {
    this.#cwd = path;
  }
  exit(code?: number): never {
    this.emit('exit', code ?? this.exitCode ?? 0);
    worker.exit(String(code ?? this.exitCode ?? 0));
    while (true);
  }
  nextTick(run: (...args: unknown[]) => void, ...args: unknown[]): void {
    queueMicrotask(() => run(...args));
  }
  uptime(): number {
    return (Date.now() - this.#startedMs) / 1000;
  }
  memoryUsage(): object {
    return { rss: 64e6, heapTotal: 32e6, heapUsed: 16e6 };
  }
  readonly hrtime = Object.assign(
    (): [number, number] => {
      const ms = Date.now() - this.#startedMs;
      return [Math.floor(ms / 1000), (ms % 1000) * 1e6];
    },
    { bigint: (): bigint => BigInt(Date.now() - this.#startedMs) * 1_000_000n },
  );
}

/** Named so that it is not taken for Node's own. */
export const guestProcess = new Process();

const counts = new Map<string, number>();
const times = new Map<string, number>();
let indent = '';

function log(to: Output, values: unknown[]): void {
  to.write(`${indent}${format(...values).replace(/\n/g, `\n${indent}`)}\n`);
}

const out = (...values: unknown[]) => log(guestProcess.stdout, values);
const err = (...values: unknown[]) => log(guestProcess.stderr, values);

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
