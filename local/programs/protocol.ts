// What an interpreter's worker and the host say to each other. The worker asks and waits, thread blocked, for each
// answer: to the program inside, everything is an ordinary blocking call. Only output is sent without waiting, up to a
// bound. Types and both ends of the exchange.
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';

export type Entry = { type: 'file' | 'directory' | 'symlink'; sizeBytes: number; mode: number; modifiedMs: number };
type HttpMessage = { headers: [string, string][]; body: Uint8Array };
export type HttpRequest = HttpMessage & { method: string; path: string };
export type HttpResponse = HttpMessage & { status: number };
export type Ran = { exitCode: number; stdout: Uint8Array; stderr: Uint8Array };
export type OutputKind = 'stdout' | 'stderr';
export type Language = 'python' | 'javascript' | 'typescript' | 'bash' | 'r' | 'java';
export type Cell = { code: string; language: Language; envs: Record<string, string>; topDirectories: string[] };
/** A line of the code interpreter's answer. */
export type CellEvent = { type: 'result' | 'error'; [key: string]: unknown };
/** What a JavaScript event loop waits for. */
export type LoopEvent =
  | { kind: 'timeout' }
  | { kind: 'stdin'; bytes: Uint8Array | null }
  | { kind: 'request'; server: number; id: number; request: HttpRequest }
  | { kind: 'response'; id: number; response?: HttpResponse; error?: string }
  | { kind: 'ran'; id: number; ran?: Ran; error?: string };

/** Operation -> [arguments, answer]. */
type Operations = {
  lstat: [{ path: string }, Entry];
  stat: [{ path: string }, Entry];
  list: [{ path: string }, string[]];
  read: [{ path: string }, Uint8Array];
  write: [{ path: string; bytes: Uint8Array; mode?: number }, null];
  mkdir: [{ path: string }, null];
  remove: [{ path: string }, null];
  rename: [{ from: string; to: string }, null];
  symlink: [{ target: string; path: string }, null];
  readlink: [{ path: string }, string];
  realpath: [{ path: string }, string];
  chmod: [{ path: string; mode: number }, null];
  touch: [{ path: string; modifiedMs: number }, null];
  attributes: [{ path: string }, Record<string, string>];
  setAttributes: [{ path: string; attributes: Record<string, string> }, null];
  output: [{ kind: OutputKind; bytes: Uint8Array }, null];
  stdin: [Record<string, never>, Uint8Array | null];
  sleep: [{ ms: number }, null];
  run: [{ source: string; cwd: string; env: Record<string, string>; stdin: Uint8Array }, Ran];
  /** The same beside the program: `wait` gives its outcome, or null while it runs; it is forgotten once given. */
  spawn: [{ source: string; cwd: string; env: Record<string, string>; stdin: Uint8Array }, { child: number }];
  wait: [{ child: number; timeoutMs: number | null }, Ran | null];
  signal: [{ child: number; name: 'SIGTERM' | 'SIGKILL' }, null];
  http: [{ url: string; method: string; headers: [string, string][]; body: Uint8Array }, HttpResponse];
  listen: [{ port: number }, { server: number; port: number }];
  unlisten: [{ server: number }, null];
  accept: [{ server: number }, { id: number; request: HttpRequest }];
  respond: [{ id: number; response: HttpResponse }, null];
  /** For event loops: the next thing that happened, or `timeout`. Nothing to wait for: `timeout` at once. */
  poll: [{ timeoutMs: number | null; stdin: boolean }, LoopEvent];
  /** Asynchronous twins of http and run, whose answers come by poll. */
  startHttp: [{ id: number; url: string; method: string; headers: [string, string][]; body: Uint8Array }, null];
  startRun: [{ id: number; source: string; cwd: string; env: Record<string, string>; stdin: Uint8Array }, null];
  /** Code contexts: the next cell; null when there is none to come. */
  cell: [Record<string, never>, Cell | null];
  event: [CellEvent, null];
  cellDone: [Record<string, never>, null];
};

export type Operation = keyof Operations;
export type Args<O extends Operation> = Operations[O][0];
export type Answer<O extends Operation> = Operations[O][1];

export type FailureCode =
  | 'not_found'
  | 'already_exists'
  | 'invalid_argument'
  | 'permission_denied'
  | 'resource_exhausted'
  | 'interrupted'
  | 'failed';

export type Reply = { ok: true; value: unknown } | { ok: false; code: FailureCode; message: string };

/** What a worker is started with. */
export type WorkerStart = {
  port: MessagePort;
  /** Two Int32, by WAKE_BYTES: whether the answer is there, and how many bytes of output the host has still to take. */
  wake: SharedArrayBuffer;
  /** One byte: the number of a signal for the interpreter. */
  signals: SharedArrayBuffer;
  /** The command line, without the program's name; undefined: a code context. */
  args: readonly string[] | undefined;
  cwd: string;
  env: Record<string, string>;
  topDirectories: readonly string[];
};

export class HostFailure extends Error {
  readonly code: FailureCode;
  constructor(code: FailureCode, message: string) {
    super(message);
    this.code = code;
  }
}

export type CallHost = <O extends Operation>(op: O, args: Args<O>) => Answer<O>;

export const WAKE_BYTES = 8;
const ANSWERED = 0;
const UNTAKEN = 1;
/** A guest that prints more than is read waits. */
const MAX_UNTAKEN_BYTES = 1024 * 1024;
const LOOK_AGAIN_MS = 50;

/** The worker's end. Throws HostFailure. */
export function hostCaller({ port, wake, signals }: WorkerStart): CallHost {
  const state = new Int32Array(wake);
  const signal = new Uint8Array(signals);
  const print = (message: { args: Args<'output'> }): void => {
    Atomics.add(state, UNTAKEN, message.args.bytes.length);
    port.postMessage(message);
    for (let left = Atomics.load(state, UNTAKEN); left > MAX_UNTAKEN_BYTES; left = Atomics.load(state, UNTAKEN)) {
      if (signal[0] !== 0) throw new HostFailure('interrupted', 'interrupted');
      Atomics.wait(state, UNTAKEN, left, LOOK_AGAIN_MS);
    }
  };
  const ask = (message: { op: Operation; args: object }): unknown => {
    Atomics.store(state, ANSWERED, 0);
    port.postMessage(message);
    // Not once only: the notification of the answer before may come late, when its answer was already taken.
    while (Atomics.load(state, ANSWERED) === 0) Atomics.wait(state, ANSWERED, 0);
    const reply = (receiveMessageOnPort(port) as { message: Reply } | undefined)?.message;
    if (reply === undefined) throw new HostFailure('failed', 'the host went away');
    if (!reply.ok) throw new HostFailure(reply.code, reply.message);
    return reply.value;
  };
  return <O extends Operation>(op: O, args: Args<O>): Answer<O> => {
    if (op !== 'output') return ask({ op, args }) as Answer<O>;
    print({ op, args } as { op: O; args: Args<'output'> });
    return null as Answer<O>;
  };
}

/** The host's end: answers what is asked. Without an answer, it was output, which `taken` is to be called for. */
export function answerWorker(
  port: MessagePort,
  wake: SharedArrayBuffer,
  answer: (request: unknown) => Promise<Reply | undefined>,
): { taken(bytes: number): void } {
  const state = new Int32Array(wake);
  port.on('message', async (request: unknown) => {
    const reply = await answer(request);
    if (reply === undefined) return;
    port.postMessage(reply);
    Atomics.store(state, ANSWERED, 1);
    Atomics.notify(state, ANSWERED);
  });
  return {
    taken(bytes) {
      Atomics.sub(state, UNTAKEN, bytes);
      Atomics.notify(state, UNTAKEN);
    },
  };
}
