// How an interpreter's worker and the host talk. The worker asks and waits, thread blocked, for each answer: to the
// program inside, everything is an ordinary blocking call. Only output is sent without waiting, up to a bound.
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { Failure } from '../machine/failure.ts';
import type { Answer, CallHost, Reply } from './host-calls.ts';
import type { Args, Operation } from './operations.ts';

/** What a worker is started with. */
export type WorkerStart = {
  port: MessagePort;
  /** An Int32: whether the answer is there. */
  wake: SharedArrayBuffer;
  /** One byte: the number of a signal for the interpreter. */
  signals: SharedArrayBuffer;
  /** The command line, without the program's name; undefined: a code context. */
  args: readonly string[] | undefined;
  cwd: string;
  env: Readonly<Record<string, string>>;
};

export const WAKE_BYTES = 4;
/** A guest that has printed this much waits until it is written. */
const MAX_UNWRITTEN_BYTES = 1024 * 1024;

/** The worker's end. Throws Failure. */
export function hostCaller({ port, wake }: WorkerStart): CallHost {
  const answered = new Int32Array(wake);
  let unwrittenBytes = 0;
  const ask = (message: { op: Operation; args: object }): unknown => {
    unwrittenBytes = 0;
    Atomics.store(answered, 0, 0);
    port.postMessage(message);
    // Not once only: the notification of the answer before may come late, when its answer was already taken.
    while (Atomics.load(answered, 0) === 0) Atomics.wait(answered, 0, 0);
    const reply = (receiveMessageOnPort(port) as { message: Reply } | undefined)?.message;
    if (reply === undefined) throw new Failure('internal', 'the host went away');
    if (!reply.ok) throw new Failure(reply.code, reply.message);
    return reply.value;
  };
  return <O extends Operation>(op: O, args: Args<O>): Answer<O> => {
    if (op !== 'output') return ask({ op, args }) as Answer<O>;
    port.postMessage({ op, args });
    unwrittenBytes += (args as Args<'output'>).bytes.length;
    // What is asked after output is answered once it is written.
    if (unwrittenBytes > MAX_UNWRITTEN_BYTES) ask({ op: 'sleep', args: { ms: 0 } });
    return null as Answer<O>;
  };
}

/** The host's end: answers what is asked. Output has no answer. */
export function answerWorker(
  port: MessagePort,
  wake: SharedArrayBuffer,
  answer: (request: unknown) => Promise<Reply | undefined>,
): void {
  const answered = new Int32Array(wake);
  port.on('message', async (request: unknown) => {
    const reply = await answer(request);
    if (reply === undefined) return;
    port.postMessage(reply);
    Atomics.store(answered, 0, 1);
    Atomics.notify(answered, 0);
  });
}

/** A call of the code's as text: JSON both ways, bytes as base64 inside. Never throws: a failure is an answer. */
export function answerText(request: string, call: (op: string, args: object) => unknown): string {
  try {
    const { op, args } = JSON.parse(request, (_key, value) =>
      isBytes(value) ? Buffer.from(value.base64, 'base64') : value,
    );
    return JSON.stringify({ value: call(op, args) }, (_key, item) =>
      item instanceof Uint8Array ? { base64: Buffer.from(item).toString('base64') } : item,
    );
  } catch (caught) {
    const { code, message } = caught as Failure;
    return JSON.stringify({ error: code ?? 'failed', message });
  }
}

function isBytes(value: unknown): value is { base64: string } {
  return typeof value === 'object' && value !== null && 'base64' in value && typeof value.base64 === 'string';
}
