// Answers what an interpreter asks of its host: the sandbox's files, processes and ports, output, input and sleep.
// Nothing here reaches further than the guest's own sandbox.
import { Failure, type FailureCode } from '../machine/failure.ts';
import type { DataMachine, LocalRequest, LocalResponse, Network } from '../machine/machine.ts';
import { onAbort } from '../time.ts';
import { type Child, sleep, startChild } from './children.ts';
import type * as wire from './operations.ts';
import { checked } from './operations.ts';
import { printer } from './printed.ts';

type Args<O extends wire.Operation> = wire.Args<O>;
type Results = { [O in keyof HostCalls['handlers']]: Awaited<ReturnType<HostCalls['handlers'][O]>> };

/** Null where there is nothing to say. */
export type Answer<O extends wire.Operation> = O extends keyof Results
  ? Results[O] extends void
    ? null
    : Results[O]
  : null;
export type CallHost = <O extends wire.Operation>(op: O, args: Args<O>) => Answer<O>;
export type Reply = { ok: true; value: unknown } | { ok: false; code: FailureCode; message: string };

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

type Handlers = { [O in Exclude<wire.Operation, 'output'>]: (args: Args<O>) => Promise<unknown> };

/** What an interpreter does before its program says anything. */
const STARTING = new Set<wire.Operation>(['lstat', 'stat', 'list', 'read', 'readlink', 'realpath', 'attributes']);
const MAX_SERVERS = 16;
const MAX_CHILDREN = 64;

export class HostCalls {
  readonly #machine: DataMachine;
  readonly #io: GuestIo;
  readonly #printed: ReturnType<typeof printer>;
  /** The guest's servers, by its numbers, and how each is closed. */
  readonly #servers = new Map<number, () => void>();
  readonly #responses = new Map<number, (response: LocalResponse) => void>();
  readonly #children = new Map<number, Child>();
  /** Things that happened which the guest has not asked for yet. */
  readonly #happened: wire.LoopEvent[] = [];
  #somethingHappened: () => void = () => {};
  #nextResponse = 1;
  #readingStdin = false;
  /** Aborted by an interrupt: the call that waits gives up. */
  #patience = new AbortController();
  readonly #closed = new AbortController();

  readonly handlers = {
    lstat: ({ path }) => this.#machine.files.lstat(path),
    stat: ({ path }) => this.#machine.files.stat(path),
    list: ({ path }) => this.#machine.files.list(path),
    read: ({ path }) => this.#machine.files.read(path),
    write: async ({ path, bytes, mode }) => {
      await this.#machine.files.write(path, bytes);
      if (mode !== undefined) await this.#machine.files.chmod(path, mode);
    },
    mkdir: ({ path }) => this.#machine.files.makeDir(path),
    remove: ({ path }) => this.#machine.files.remove(path),
    rename: ({ from, to }) => this.#machine.files.move(from, to),
    symlink: ({ target, path }) => this.#machine.files.symlink(target, path),
    readlink: ({ path }) => this.#machine.files.readlink(path),
    realpath: ({ path }) => this.#machine.files.realpath(path),
    chmod: ({ path, mode }) => this.#machine.files.chmod(path, mode),
    touch: ({ path, modifiedMs }) => this.#machine.files.touch(path, modifiedMs),
    attributes: async ({ path }) =>
      (await this.#machine.files.stat(path)) && (this.#machine.files.metadata(path) ?? {}),
    setAttributes: async ({ path, attributes }) => {
      await this.#machine.files.stat(path);
      this.#machine.files.setMetadata(path, attributes);
    },
    stdin: async (): Promise<Uint8Array | null> => (await this.#io.stdin()) ?? null,
    sleep: ({ ms }) => sleep(ms, this.#patience.signal),
    run: async args => (await startChild(this.#machine, args, this.#patience.signal)).outcome,
    http: async ({ url, ...request }) => this.#network().request(url, request),
    start: async call => this.#start(call),
    signal: async ({ id, name }) => this.#children.get(id)?.signal(name),
    listen: async ({ id, port }) => this.#listen(id, port),
    unlisten: async ({ id }) => this.#unlisten(id),
    respond: async ({ id, response }) => {
      this.#responses.get(id)?.(response);
      this.#responses.delete(id);
    },
    poll: args => this.#poll(args),
    cell: async () => (await this.#io.cell?.()) ?? null,
    event: async args => this.#io.event?.(args),
    cellDone: async () => this.#io.cellDone?.(),
  } satisfies Handlers;

  constructor(machine: DataMachine, io: GuestIo) {
    this.#machine = machine;
    this.#io = io;
    this.#printed = printer((kind, bytes) => io.output(kind, bytes));
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
      const handler = this.handlers[op] as (args: unknown) => Promise<unknown>;
      const value = await Promise.race([handler(args), interrupted]);
      return { ok: true, value: value ?? null };
    } catch (caught) {
      if (caught instanceof Failure || caught instanceof Failure) {
        return { ok: false, code: caught.code, message: caught.message };
      }
      return { ok: false, code: 'internal', message: caught instanceof Error ? caught.message : 'failed' };
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
    for (const id of this.#servers.keys()) this.#unlisten(id);
    const gone = { status: 502, headers: [], body: Buffer.from('the server ended') };
    for (const respond of this.#responses.values()) respond(gone);
    this.#responses.clear();
  }

  async #start({ id, ...call }: Args<'start'>): Promise<void> {
    const { op, args } = checked(call);
    if (op === 'http') return this.#answer(id, this.handlers.http(args as Args<'http'>));
    if (this.#children.size >= MAX_CHILDREN) throw new Failure('resource_exhausted', 'too many child processes');
    const child = await startChild(this.#machine, args as Args<'run'>, this.#closed.signal);
    this.#children.set(id, child);
    this.#answer(
      id,
      child.outcome.finally(() => this.#children.delete(id)),
    );
  }

  #answer(of: number, work: Promise<LocalResponse | wire.Ran>): void {
    work.then(
      value => this.#happen({ kind: 'answer', of, value }),
      (error: Error) => this.#happen({ kind: 'answer', of, error: error.message }),
    );
  }

  #network(): Network {
    const { network } = this.#machine;
    if (network === undefined) throw new Failure('internal', 'no network from inside code contexts with this shell');
    return network;
  }

  /** The port that it is. */
  #listen(id: number, wanted: number): number {
    if (this.#servers.size >= MAX_SERVERS) throw new Failure('resource_exhausted', 'too many servers');
    const network = this.#network();
    const port = wanted === 0 ? network.free() : wanted;
    this.#servers.set(
      id,
      network.listen(port, request => this.#serve(id, request)),
    );
    return port;
  }

  #unlisten(id: number): void {
    this.#servers.get(id)?.();
    this.#servers.delete(id);
  }

  /** A request to a server of the guest's: it waits until the guest asks. */
  #serve(of: number, request: LocalRequest): Promise<LocalResponse> {
    const id = this.#nextResponse++;
    const answered = new Promise<LocalResponse>(resolve => this.#responses.set(id, resolve));
    this.#happen({ kind: 'request', of, id, request });
    return answered;
  }

  async #poll({ timeoutMs, stdin, of }: Args<'poll'>): Promise<wire.LoopEvent> {
    const until = timeoutMs === null ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
    if (stdin && !this.#readingStdin) {
      this.#readingStdin = true;
      void this.#io.stdin().then(bytes => {
        this.#readingStdin = false;
        this.#happen({ kind: 'stdin', bytes: bytes ?? null });
      });
    }
    while (true) {
      const at = this.#happened.findIndex(event => of === undefined || event.of === of);
      const [event] = at === -1 ? [] : this.#happened.splice(at, 1);
      if (event !== undefined) return event;
      const leftMs = until - performance.now();
      if (leftMs <= 0) return { kind: 'timeout' };
      const change = new Promise<void>(resolve => {
        this.#somethingHappened = resolve;
      });
      await Promise.race([change, ...(Number.isFinite(leftMs) ? [sleep(leftMs, this.#closed.signal)] : [])]);
    }
  }

  #happen(event: wire.LoopEvent): void {
    this.#happened.push(event);
    this.#somethingHappened();
  }
}

function interruption(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => void onAbort(signal, () => reject(new Failure('interrupted', 'interrupted'))));
}
