// process.Process of the sandbox daemon: start, listen to, feed and end processes. Translates between the daemon's
// wire and the process table; knows no shell.
import { z } from 'zod';
import { Failure } from '../machine/failure.ts';
import type { DataMachine } from '../machine/machine.ts';
import type { Exit, Process, ProcessEvent, TerminalSize } from '../machine/processes.ts';
import { sandboxPath } from '../machine/users.ts';
import { Deferred, untilAborted } from '../time.ts';
import { type Call, check, type Service, stream, unary } from './rpc.ts';

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

const KEEPALIVE = { event: { keepalive: {} } };

export function processService({ processes, defaults }: DataMachine): Service {
  const running = ({ process }: z.infer<typeof Select>): Process => {
    const found = processes.find(process);
    if (found === undefined) throw noSuchProcess(process);
    return found;
  };
  const write = async ({ process, input }: z.infer<typeof SendInput>): Promise<void> => {
    const to = input.pty === undefined ? 'stdin' : 'tty';
    const bytes = Buffer.from(input.stdin ?? input.pty ?? '', 'base64');
    await running({ process })
      .control.write(bytes)
      .catch((caught: unknown) => {
        const why = caught instanceof Error ? caught.message : `${to} is closed`;
        throw new Failure('internal', `error writing to ${to}: ${why}`);
      });
  };
  return {
    List: unary(z.unknown(), async () => ({
      processes: processes.list().map(({ config, pid, tag }) => ({ config, pid, tag })),
    })),
    SendInput: unary(SendInput, write),
    CloseStdin: unary(Select, async request => running(request).control.closeStdin()),
    SendSignal: unary(SendSignal, async ({ signal, ...request }) => {
      running(request).control.signal(signal === 'SIGNAL_SIGTERM' || signal === 15 ? 'SIGTERM' : 'SIGKILL');
    }),
    Update: unary(Update, async ({ pty, ...request }) => {
      const { control } = running(request);
      if (pty?.size !== undefined) control.resize?.(pty.size);
    }),
    /** Many messages in, as they come; an empty one out, at their end. */
    StreamInput: {
      unary: false,
      async run(requests) {
        let process: z.infer<typeof Selector> = {};
        for await (const request of requests) {
          const { start, data } = check(StreamInput, request);
          if (start !== undefined) ({ process } = start);
          if (data !== undefined) await write({ process, input: data.input });
        }
        return {};
      },
    },
    Start: stream(Start, KEEPALIVE, async ({ process: config, pty, tag, stdin }, call) => {
      const terminal: TerminalSize | undefined = pty === undefined ? undefined : (pty.size ?? { cols: 80, rows: 24 });
      const events = relay(call);
      const cwd = sandboxPath(config.cwd || (defaults?.workdir ?? ''), call.user);
      const options = { config, cwd, user: call.user.name, tag, stdin, terminal };
      // The deadline belongs to the process, not to the stream: a command ends on time without a client too.
      await events.untilEnd(await processes.start(options, events.listener, call.late));
    }),
    Connect: stream(Select, KEEPALIVE, async ({ process: selector }, call) => {
      const process = processes.find(selector, { ended: true });
      if (process === undefined) throw noSuchProcess(selector);
      const events = relay(call);
      const stop = process.listen(events.listener);
      await events.untilEnd(process);
      stop();
    }),
  };
}

/** Carries a process's events into a stream, in order: the start first, though output may come before it is known. */
function relay({ send, closed }: Call) {
  const [started, ended] = [new Deferred(), new Deferred()];
  return {
    /** Resolves when the client can take more; at once when it is gone, so that the process never waits for it. */
    async listener(event: ProcessEvent): Promise<void> {
      if (closed.aborted) return;
      await started.promise;
      await send({
        event: event.type === 'data' ? { data: { [event.kind]: base64(event.bytes) } } : endEvent(event.exit),
      });
      if (event.type === 'end') ended.resolve();
    },
    /** Until the end event was sent, or the client has disconnected. */
    async untilEnd({ pid }: Process): Promise<void> {
      await send({ event: { start: { pid } } });
      started.resolve();
      await Promise.race([ended.promise, untilAborted(closed)]);
    },
  };
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

function endEvent(exit: Exit): object {
  if (exit.kind === 'signalled') {
    const status = `signal: ${exit.signal}`;
    return { end: { exitCode: -1, exited: false, status, error: status } };
  }
  const status = `exit status ${exit.code}`;
  return { end: { exitCode: exit.code, exited: true, status, ...(exit.code === 0 ? {} : { error: status }) } };
}

function noSuchProcess(selector: { pid?: number | undefined; tag?: string | undefined }): Failure {
  const name = selector.pid === undefined ? `tag ${selector.tag ?? ''}` : `pid ${selector.pid}`;
  return new Failure('not_found', `process with ${name} not found`);
}
