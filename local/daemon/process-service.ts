// process.Process of the sandbox daemon: start, listen to, feed and end processes. Translates between the daemon's
// wire and the process table; knows no shell.
import { z } from 'zod';
import type { DataMachine } from '../machine/machine.ts';
import { sandboxPath } from '../machine/paths.ts';
import type { Exit, Process, ProcessEvent, Running, TerminalSize } from '../machine/processes.ts';
import { deadlineExceeded, deadlineSignal, RpcError, read, type Service, untilAborted } from './rpc.ts';

const Size = z.object({ cols: z.number().int().default(80), rows: z.number().int().default(24) });
const Selector = z.object({ pid: z.number().int().optional(), tag: z.string().optional() }).default({});
const Start = z.object({
  process: z.object({
    cmd: z.string().min(1),
    args: z.array(z.string()).default([]),
    envs: z.record(z.string(), z.string()).default({}),
    cwd: z.string().optional(),
  }),
  pty: z.object({ size: Size.optional() }).optional(),
  tag: z.string().optional(),
  /** Absent means true: clients older than the field always had a stdin. */
  stdin: z.boolean().default(true),
});
const Select = z.object({ process: Selector });
const Input = z.object({ stdin: z.string().optional(), pty: z.string().optional() });
const SendInput = Select.extend({ input: Input });
const StreamInput = z.object({ start: Select.optional(), data: z.object({ input: Input }).optional() });
const SendSignal = Select.extend({
  signal: z.union([z.enum(['SIGNAL_SIGKILL', 'SIGNAL_SIGTERM']), z.literal(9), z.literal(15)]),
});
const Update = Select.extend({ pty: z.object({ size: Size.optional() }).optional() });

export function processService(machine: DataMachine): Service {
  const running = (request: { process: z.infer<typeof Selector> }): Running => {
    const found = machine.processes.find(request.process);
    if (found === undefined) throw noSuchProcess(request.process);
    return found;
  };
  const write = async (process: z.infer<typeof Selector>, input: z.infer<typeof Input>): Promise<void> => {
    const to = input.pty === undefined ? 'stdin' : 'tty';
    const bytes = Buffer.from(input.stdin ?? input.pty ?? '', 'base64');
    const { control } = running({ process });
    await control.write(bytes).catch((caught: unknown) => {
      const why = caught instanceof Error ? caught.message : `${to} is closed`;
      throw new RpcError('internal', `error writing to ${to}: ${why}`);
    });
  };
  return {
    unary: {
      List: async () => ({ processes: machine.processes.list().map(describe) }),
      SendInput: async request => {
        const { process, input } = read(SendInput, request);
        await write(process, input);
        return {};
      },
      CloseStdin: async request => {
        running(read(Select, request)).control.closeStdin();
        return {};
      },
      SendSignal: async request => {
        const { process, signal } = read(SendSignal, request);
        running({ process }).control.signal(signal === 'SIGNAL_SIGTERM' || signal === 15 ? 'SIGTERM' : 'SIGKILL');
        return {};
      },
      Update: async request => {
        const { process, pty } = read(Update, request);
        const { control } = running({ process });
        if (pty?.size !== undefined) control.resize?.(pty.size);
        return {};
      },
    },
    uploads: {
      StreamInput: async requests => {
        let process: z.infer<typeof Selector> = {};
        for await (const request of requests) {
          const { start, data } = read(StreamInput, request);
          if (start !== undefined) ({ process } = start);
          if (data !== undefined) await write(process, data.input);
        }
        return {};
      },
    },
    streams: {
      Start: async (request, info, send, closed) => {
        const { process: config, pty, tag, stdin } = read(Start, request);
        const terminal: TerminalSize | undefined = pty === undefined ? undefined : (pty.size ?? { cols: 80, rows: 24 });
        const late = new AbortController();
        const events = new EventPump(send, AbortSignal.any([closed, late.signal]));
        const cwd = sandboxPath(config.cwd || (machine.defaults?.workdir ?? ''), info.user);
        const options = { config, cwd, user: info.user.name, tag, stdin, terminal };
        const process = await machine.processes.start(options, events.listener);
        // The deadline belongs to the process, not to the stream: a command ends on time without a client too.
        const overdue = (): void => {
          late.abort();
          machine.processes.find({ pid: process.pid })?.control.signal('SIGKILL');
        };
        const deadline = info.timeoutMs === undefined ? undefined : setTimeout(overdue, info.timeoutMs);
        deadline?.unref();
        void process.ended().then(() => clearTimeout(deadline));
        await events.run(process, info.keepaliveMs);
        if (late.signal.aborted) throw deadlineExceeded();
      },
      Connect: async (request, info, send, closed) => {
        const selector = read(Select, request).process;
        const process = machine.processes.findWithExit(selector);
        if (process === undefined) throw noSuchProcess(selector);
        const late = deadlineSignal(info.timeoutMs);
        const events = new EventPump(send, AbortSignal.any([closed, late]));
        const stop = process.listen(events.listener);
        try {
          await events.run(process, info.keepaliveMs);
        } finally {
          stop();
        }
        if (late.aborted && process.exit === undefined) throw deadlineExceeded();
      },
    },
  };
}

/** Carries a process's events into a stream, in order: the start first, though output may come before it is known. */
class EventPump {
  readonly #send: (message: object) => Promise<void>;
  readonly #closed: AbortSignal;
  #begin: () => void = () => {};
  #finish: () => void = () => {};
  /** Output that comes before the start event has gone out waits for it. */
  #order = new Promise<void>(resolve => {
    this.#begin = resolve;
  });
  readonly #finished = new Promise<void>(resolve => {
    this.#finish = resolve;
  });
  #lastSentMs = performance.now();

  constructor(send: (message: object) => Promise<void>, closed: AbortSignal) {
    this.#send = send;
    this.#closed = closed;
  }

  /** Resolves when the client can take more; at once when it is gone, so that the process never waits for it. */
  readonly listener = (event: ProcessEvent): Promise<void> => {
    if (this.#closed.aborted) return Promise.resolve();
    const sent = this.#order.then(() => this.#event(event.type === 'data' ? dataEvent(event) : endEvent(event.exit)));
    this.#order = sent;
    if (event.type === 'end') void sent.then(this.#finish);
    return sent;
  };

  /** Until the end event was sent, or the client has disconnected. */
  async run(process: Process, keepaliveMs: number): Promise<void> {
    await this.#event({ start: { pid: process.pid } });
    this.#begin();
    const keepalive = setInterval(() => {
      if (performance.now() - this.#lastSentMs >= keepaliveMs) void this.#event({ keepalive: {} });
    }, keepaliveMs / 2);
    await Promise.race([this.#finished, untilAborted(this.#closed)]);
    clearInterval(keepalive);
  }

  #event(event: object): Promise<void> {
    this.#lastSentMs = performance.now();
    return this.#send({ event });
  }
}

function dataEvent(event: { kind: string; bytes: Uint8Array }): object {
  const { buffer, byteOffset, byteLength } = event.bytes;
  return { data: { [event.kind]: Buffer.from(buffer, byteOffset, byteLength).toString('base64') } };
}

function endEvent(exit: Exit): object {
  if (exit.kind === 'signalled') {
    const status = `signal: ${exit.signal}`;
    return { end: { exitCode: -1, exited: false, status, error: status } };
  }
  const status = `exit status ${exit.code}`;
  return { end: { exitCode: exit.code, exited: true, status, ...(exit.code === 0 ? {} : { error: status }) } };
}

function describe(process: Process): object {
  return { config: process.config, pid: process.pid, ...(process.tag === undefined ? {} : { tag: process.tag }) };
}

function noSuchProcess(selector: { pid?: number | undefined; tag?: string | undefined }): RpcError {
  const name = selector.pid === undefined ? `tag ${selector.tag ?? ''}` : `pid ${selector.pid}`;
  return new RpcError('not_found', `process with ${name} not found`);
}
