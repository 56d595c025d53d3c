// The code interpreter's wire: one line of JSON an event. Our own client instead of the SDK's runCode, which follows
// redirects, keeps everything, and breaks characters that arrive in two pieces. Knows no capability.
import { StringDecoder } from 'node:string_decoder';
import type { Response } from 'undici';
import { GatewayError } from '../../errors.ts';
import type { Wire } from '../../sandbox/wire.ts';
import { createOutput } from './output.ts';

export const INTERPRETER_PORT = 49999;

export type InterpreterAddress = { readonly baseUrl: string; readonly headers: Readonly<Record<string, string>> };

/** text, html, markdown, svg, png and jpeg and pdf (base64), latex, json, javascript, data, chart, and what else there is. */
export type CodeResult = { readonly isMainResult: boolean; readonly [format: string]: unknown };
export type Execution = {
  readonly text?: string;
  readonly results: readonly CodeResult[];
  readonly logs: { readonly stdout: readonly string[]; readonly stderr: readonly string[] };
  readonly error?: { readonly name: string; readonly value: string; readonly traceback: string };
  readonly executionCount?: number;
};

export type ExecuteOptions = {
  readonly body: object;
  readonly timeoutMs: number;
  /** Of all results together; what comes after is left out. */
  readonly maxResultBytes: number;
  readonly maxKeptChars: number;
  readonly onBytes: (bytes: number) => void;
  readonly onStdout?: ((text: string) => void) | undefined;
};

/** @throws the errors of `answerOf`, GatewayError of `onBytes`, and what the wire throws */
export async function execute(wire: Wire, at: InterpreterAddress, options: ExecuteOptions): Promise<Execution> {
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const collected = collect(options);
  try {
    const response = await ask(wire, at, 'POST', '/execute', options.body, deadline);
    for await (const line of linesOf(response)) {
      options.onBytes(Buffer.byteLength(line));
      collected.take(line);
    }
    return collected.execution();
  } catch (caught) {
    if (!deadline.aborted) throw caught;
    const value = `the code ran longer than ${options.timeoutMs} ms; it may still run in its kernel. Give it more timeoutMs, or run it as a background command`;
    return { ...collected.execution(), error: { name: 'TimeoutError', value, traceback: '' } };
  }
}

/** A call that answers with one JSON value, or nothing. */
export async function callInterpreter(
  wire: Wire,
  at: InterpreterAddress,
  httpMethod: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: object,
): Promise<unknown> {
  const text = await (await ask(wire, at, httpMethod, path, body)).text();
  return text === '' ? undefined : JSON.parse(text);
}

async function ask(
  wire: Wire,
  at: InterpreterAddress,
  httpMethod: string,
  path: string,
  body?: object,
  signal?: AbortSignal,
): Promise<Response> {
  const response = await wire.fetch(`${at.baseUrl}${path}`, {
    method: httpMethod,
    headers: { ...at.headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal !== undefined && { signal }),
  });
  if (response.ok) return response;
  throw answerError(response.status, (await response.text()).slice(0, 1_000));
}

/** Named as the SDK names them. */
function answerError(status: number, text: string): Error {
  if (status === 502 && text.includes('port is not open')) {
    return named(
      'NotFoundError',
      'no code interpreter runs in this sandbox. Create it from the template code-interpreter-v1 (the default), or use commands.run',
      404,
    );
  }
  if (status === 502) return named('TimeoutError', `the sandbox does not answer: ${text}`, undefined);
  return named(status === 404 ? 'NotFoundError' : 'SandboxError', `${status}: ${text}`, status);
}

const named = (name: string, message: string, statusCode: number | undefined) =>
  Object.assign(new Error(message), { name, statusCode });

async function* linesOf(response: Response): AsyncGenerator<string> {
  if (response.body === null) return;
  const decoder = new StringDecoder('utf8');
  let pieces: string[] = [];
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    const [first = '', ...rest] = decoder.write(Buffer.from(chunk)).split('\n');
    pieces.push(first);
    for (const next of rest) {
      yield pieces.join('');
      pieces = [next];
    }
  }
  const last = pieces.join('') + decoder.end();
  if (last !== '') yield last;
}

const FORMATS_OUT = new Set(['type', 'is_main_result', 'extra']);

function collect({ maxResultBytes, maxKeptChars, onStdout }: ExecuteOptions) {
  const results: CodeResult[] = [];
  const printed = { stdout: createOutput(maxKeptChars), stderr: createOutput(maxKeptChars) };
  const pieces = { stdout: [] as string[], stderr: [] as string[] };
  let resultBytes = 0;
  let leftOut = 0;
  let error: Execution['error'];
  let executionCount: number | undefined;

  const print = (stream: 'stdout' | 'stderr', text: string) => {
    printed[stream].push(text);
    if (printed[stream].dropped === 0) pieces[stream].push(text);
    if (stream === 'stdout') onStdout?.(text);
  };
  const addResult = (event: Record<string, unknown>, bytes: number) => {
    resultBytes += bytes;
    if (resultBytes > maxResultBytes) {
      leftOut++;
      return;
    }
    const formats = Object.entries(event).filter(([name, value]) => !FORMATS_OUT.has(name) && value !== null);
    const extra = typeof event.extra === 'object' && event.extra !== null ? event.extra : {};
    results.push({ ...Object.fromEntries(formats), ...extra, isMainResult: event.is_main_result === true });
  };

  return {
    take(line: string) {
      const event = parseEvent(line);
      if (event === undefined) return;
      const { type, text, name, value, traceback } = event;
      if (type === 'stdout' || type === 'stderr') print(type, String(text ?? ''));
      else if (type === 'result') addResult(event, line.length);
      else if (type === 'error') {
        error = { name: String(name ?? 'Error'), value: String(value ?? ''), traceback: String(traceback ?? '') };
      } else if (type === 'number_of_executions' && typeof event.execution_count === 'number') {
        executionCount = event.execution_count;
      }
    },
    execution(): Execution {
      const main = results.find(({ isMainResult }) => isMainResult)?.text;
      const logs = {
        stdout: printed.stdout.dropped === 0 ? pieces.stdout : [printed.stdout.text()],
        stderr: printed.stderr.dropped === 0 ? pieces.stderr : [printed.stderr.text()],
      };
      if (leftOut > 0)
        logs.stderr.push(
          `[gateway: ${leftOut} results left out, more than ${maxResultBytes} bytes in all; save them to files]`,
        );
      return {
        ...(typeof main === 'string' && { text: main }),
        results,
        logs,
        ...(error !== undefined && { error }),
        ...(executionCount !== undefined && { executionCount }),
      };
    },
  };
}

function parseEvent(line: string): Record<string, unknown> | undefined {
  if (line.trim() === '') return undefined;
  try {
    const event: unknown = JSON.parse(line);
    if (typeof event === 'object' && event !== null) return event as Record<string, unknown>;
  } catch {
    // told below
  }
  throw new GatewayError(
    'sandbox_failed',
    'SandboxError: the code interpreter answered with something that is not its protocol.',
  );
}
