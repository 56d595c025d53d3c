// Answers what an interpreter asks of its host: the sandbox's files, processes and ports, output, input and sleep.
// Nothing here reaches further than the guest's own sandbox.
import { type DataMachine, FileError } from '../machine/machine.ts';
import type { LocalRequest, LocalResponse } from '../machine/network.ts';
import { Children, sleep } from './children.ts';
import type * as wire from './operations.ts';
import { checked } from './operations.ts';
import { Printed } from './printed.ts';
import { HostFailure, type Reply } from './protocol.ts';

type Args<O extends wire.Operation> = wire.Args<O>;
type Answer<O extends wire.Operation> = wire.Answer<O>;

/** Where a guest's words go and its input comes from. */
export type GuestIo = {
  output(kind: 'stdout' | 'stderr', bytes: Uint8Array): Promise<void>;
  stdin(): Promise<Buffer | undefined>;
  /** It has done something else than read files: its program runs. */
  awake?(): void;
  /** Of code contexts only. */
  cell?(): Promise<wire.Cell | null>;
  event?(event: wire.CellEvent): Promise<void>;
  cellDone?(): void;
};

type Handlers = {
  [O in Exclude<wire.Operation, 'output'>]: (args: Args<O>) => Promise<Answer<O> extends null ? void : Answer<O>>;
};
type Server = { port: number; waiting: { id: number; request: LocalRequest }[]; close: () => void };

/** What an interpreter does before its program says anything. */
const STARTING = new Set<wire.Operation>(['lstat', 'stat', 'list', 'read', 'readlink', 'realpath', 'attributes']);
const MAX_SERVERS = 16;

export class HostCalls {
  readonly #machine: DataMachine;
  readonly #io: GuestIo;
  readonly #handlers: Handlers;
  readonly #servers = new Map<number, Server>();
  readonly #responses = new Map<number, (response: LocalResponse) => void>();
  readonly #children: Children;
  /** Things that happened which an event loop has not asked for yet. */
  readonly #happened: wire.LoopEvent[] = [];
  #somethingHappened: () => void = () => {};
  #nextId = 1;
  #readingStdin = false;
  /** Aborted by an interrupt: the call that waits gives up. */
  #patience = new AbortController();
  readonly #closed = new AbortController();

  readonly #printed: Printed;

  constructor(machine: DataMachine, io: GuestIo) {
    this.#machine = machine;
    this.#io = io;
    this.#children = new Children(machine, this.#closed.signal);
    this.#printed = new Printed((kind, bytes) => io.output(kind, bytes));
    this.#handlers = this.#makeHandlers();
  }

  /** `request` is untrusted. Output has no answer: what a guest asks next is done once it is written. */
  async answer(request: unknown): Promise<Reply | undefined> {
    try {
      const { op, args } = checked(request);
      if (!STARTING.has(op)) this.#io.awake?.();
      if (op === 'output') {
        const { kind, bytes } = args as Args<'output'>;
        this.#printed.add(kind, bytes);
        return undefined;
      }
      this.#patience = new AbortController();
      if (this.#closed.signal.aborted) this.#patience.abort();
      const interrupted = interruption(this.#patience.signal);
      await Promise.race([this.written(), interrupted]);
      const handler = this.#handlers[op] as (args: unknown) => Promise<unknown>;
      const value = await Promise.race([handler(args), interrupted]);
      return { ok: true, value: value ?? null };
    } catch (caught) {
      if (caught instanceof HostFailure || caught instanceof FileError) {
        return { ok: false, code: caught.code, message: caught.message };
      }
      return { ok: false, code: 'failed', message: caught instanceof Error ? caught.message : 'failed' };
    }
  }

  interrupt(): void {
    this.#patience.abort();
  }

  /** The guest's thread ended with an error of its own. */
  crashed(error: Error): void {
    const text = /memory/i.test(error.message) ? 'out of memory' : error.message;
    this.#printed.add('stderr', Buffer.from(`the interpreter ended: ${text}\n`));
  }

  /** Once all that the guest printed has been written. */
  written(): Promise<void> {
    return this.#printed.written();
  }

  close(): void {
    this.#closed.abort();
    this.#patience.abort();
    for (const server of this.#servers.values()) server.close();
    this.#servers.clear();
    const gone = { status: 502, headers: [], body: Buffer.from('the server ended') };
    for (const respond of this.#responses.values()) respond(gone);
    this.#responses.clear();
  }

  #makeHandlers(): Handlers {
    const { files } = this.#machine;
    return {
      lstat: ({ path }) => files.lstat(path),
      stat: ({ path }) => files.stat(path),
      list: ({ path }) => files.list(path),
      read: ({ path }) => files.read(path),
      write: ({ path, bytes, mode }) => this.#write(path, bytes, mode),
      mkdir: ({ path }) => files.makeDir(path),
      remove: ({ path }) => files.remove(path),
      rename: ({ from, to }) => files.move(from, to),
      symlink: ({ target, path }) => files.symlink(target, path),
      readlink: ({ path }) => files.readlink(path),
      realpath: ({ path }) => files.realpath(path),
      chmod: ({ path, mode }) => files.chmod(path, mode),
      touch: ({ path, modifiedMs }) => files.touch(path, modifiedMs),
      attributes: async ({ path }) => (await files.stat(path)) && (files.metadata(path) ?? {}),
      setAttributes: ({ path, attributes }) => files.stat(path).then(() => files.setMetadata(path, attributes)),
      stdin: async () => (await this.#io.stdin()) ?? null,
      sleep: ({ ms }) => sleep(ms, this.#patience.signal),
      run: args => this.#run(args),
      spawn: async args => ({ child: await this.#children.spawn(args) }),
      wait: ({ child, timeoutMs }) => this.#children.wait(child, timeoutMs, this.#patience.signal),
      signal: async ({ child, name }) => this.#children.signal(child, name),
      http: args => this.#http(args),
      listen: async ({ port }) => this.#listen(port),
      unlisten: async ({ server }) => {
        this.#servers.get(server)?.close();
        this.#servers.delete(server);
      },
      accept: ({ server }) => this.#accept(server),
      respond: async ({ id, response }) => {
        this.#responses.get(id)?.(response);
        this.#responses.delete(id);
      },
      poll: args => this.#poll(args),
      start: async call => this.#start(call),
      cell: async () => (await this.#io.cell?.()) ?? null,
      event: async args => this.#io.event?.(args),
      cellDone: async () => this.#io.cellDone?.(),
    };
  }

  #start({ id, ...call }: Args<'start'>): void {
    const { op, args } = checked(call);
    const work = op === 'http' ? this.#http(args as Args<'http'>) : this.#run(args as Args<'run'>);
    work.then(
      value => this.#happen({ kind: 'answer', id, value }),
      (error: Error) => this.#happen({ kind: 'answer', id, error: error.message }),
    );
  }

  async #write(path: string, bytes: Uint8Array, mode: number | undefined): Promise<void> {
    await this.#machine.files.write(path, bytes);
    if (mode !== undefined) await this.#machine.files.chmod(path, mode);
  }

  async #run(args: Args<'run'>): Promise<wire.Ran> {
    const { outcome, signal } = await this.#children.start(args);
    this.#patience.signal.addEventListener('abort', () => signal('SIGKILL'), { once: true });
    return outcome;
  }

  async #http({ url, ...request }: Args<'http'>): Promise<LocalResponse> {
    if (this.#machine.network === undefined)
      throw new HostFailure('failed', 'no network from inside code contexts with this shell');
    return this.#machine.network.request(url, request);
  }

  #listen(wanted: number): Answer<'listen'> {
    const ports = this.#machine.network;
    if (ports === undefined) throw new HostFailure('failed', 'code contexts cannot listen with this shell');
    if (this.#servers.size >= MAX_SERVERS) throw new HostFailure('resource_exhausted', 'too many servers');
    const server = this.#nextId++;
    const port = wanted === 0 ? ports.free() : wanted;
    const close = ports.listen(port, request => this.#serve(server, request));
    this.#servers.set(server, { port, waiting: [], close });
    return { server, port };
  }

  /** A request to a server of the guest's: it waits until the guest asks. */
  #serve(server: number, request: LocalRequest): Promise<LocalResponse> {
    const id = this.#nextId++;
    const answered = new Promise<LocalResponse>(resolve => this.#responses.set(id, resolve));
    this.#servers.get(server)?.waiting.push({ id, request });
    this.#somethingHappened();
    return answered;
  }

  async #accept(server: number): Promise<Answer<'accept'>> {
    while (true) {
      const next = this.#servers.get(server)?.waiting.shift();
      if (next !== undefined) return next;
      await this.#change();
    }
  }

  async #poll({ timeoutMs, stdin }: Args<'poll'>): Promise<wire.LoopEvent> {
    const until = timeoutMs === null ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
    if (stdin && !this.#readingStdin) {
      this.#readingStdin = true;
      void this.#io.stdin().then(bytes => {
        this.#readingStdin = false;
        this.#happen({ kind: 'stdin', bytes: bytes ?? null });
      });
    }
    while (true) {
      const event = this.#happened.shift() ?? this.#arrived();
      if (event !== undefined) return event;
      const leftMs = until - performance.now();
      if (leftMs <= 0) return { kind: 'timeout' };
      await Promise.race([this.#change(), ...(Number.isFinite(leftMs) ? [sleep(leftMs, this.#closed.signal)] : [])]);
    }
  }

  #arrived(): wire.LoopEvent | undefined {
    for (const [server, { waiting }] of this.#servers) {
      const next = waiting.shift();
      if (next !== undefined) return { kind: 'request', server, ...next };
    }
    return undefined;
  }

  #happen(event: wire.LoopEvent): void {
    this.#happened.push(event);
    this.#somethingHappened();
  }

  #change(): Promise<void> {
    return new Promise(resolve => {
      this.#somethingHappened = resolve;
    });
  }
}

function interruption(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const give = (): void => reject(new HostFailure('interrupted', 'interrupted'));
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true });
  });
}
