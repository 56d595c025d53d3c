// The code interpreter's wire: one line of JSON an event. Our own client instead of the SDK's runCode, which follows
// redirects, keeps everything, and breaks characters that arrive in two pieces. Knows no capability.
import { StringDecoder } from 'node:string_decoder';
import type { Response } from 'undici';
import type { Wire } from '../../e2b/wire.ts';
import { GatewayError } from '../../errors.ts';
import { noAnswer } from './errors.ts';
import { createOutput } from './output.ts';
import { maskTokens, type Tokens } from './tokens.ts';

export const INTERPRETER_PORT = 49999;

export type InterpreterAddress = {
  readonly baseUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Until an answer begins. */
  readonly requestTimeoutMs: number;
  readonly tokens: Tokens;
};

export type Execution = {
  readonly text?: string;
  /**
   * Of each the JSON text: as values they would take many times their size, and they are kept until the code ends.
   * text, html, markdown, svg, png and jpeg and pdf (base64), latex, json, javascript, data, chart, and what else there
   * is; and `isMainResult`.
   */
  readonly results: readonly string[];
  readonly logs: { readonly stdout: readonly string[]; readonly stderr: readonly string[] };
  readonly error?: { readonly name: string; readonly value: string; readonly traceback: string };
  readonly executionCount?: number;
};

export type ExecuteOptions = {
  readonly body: object;
  readonly timeoutMs: number;
  /** What to do, when that was not enough. */
  readonly overdue: string;
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
    for await (const line of linesOf(response, options.onBytes)) collected.take(maskTokens(line, at.tokens));
    return collected.execution();
  } catch (caught) {
    if (!deadline.aborted) throw caught;
    return { ...collected.execution(), error: { name: 'TimeoutError', value: options.overdue, traceback: '' } };
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
  const text = maskTokens(await (await ask(wire, at, httpMethod, path, body)).text(), at.tokens);
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
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(noAnswer(at.requestTimeoutMs)), at.requestTimeoutMs);
  const response = await wire
    .fetch(`${at.baseUrl}${path}`, {
      method: httpMethod,
      headers: { ...at.headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]),
    })
    .finally(() => clearTimeout(timer));
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

async function* linesOf(response: Response, onBytes: (bytes: number) => void): AsyncGenerator<string> {
  if (response.body === null) return;
  const decoder = new StringDecoder('utf8');
  let pieces: string[] = [];
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    onBytes(chunk.byteLength);
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

/** The answer to the guest, as JSON text: results are not built anew only to be written out again. */
export function composeExecution({ results, ...rest }: Execution): string {
  return `{"results":[${results.join(',')}],${JSON.stringify(rest).slice(1)}`;
}

const FORMATS_OUT = new Set(['type', 'is_main_result', 'extra']);

function collect({ maxResultBytes, maxKeptChars, onStdout }: ExecuteOptions) {
  const results: string[] = [];
  let main: { readonly text: string | undefined } | undefined;
  const printed = { stdout: createOutput(maxKeptChars), stderr: createOutput(maxKeptChars) };
  const pieces = { stdout: [] as string[], stderr: [] as string[] };
  let resultBytes = 0;
  let leftOut = 0;
  let error: Execution['error'];
  let executionCount: number | undefined;

  const print = (stream: 'stdout' | 'stderr', text: string) => {
    printed[stream].push(text);
    if (printed[stream].dropped === 0) pieces[stream].push(text);
    else pieces[stream].length = 0;
    if (stream === 'stdout') onStdout?.(text);
  };
  const fits = (bytes: number) => {
    resultBytes += bytes;
    if (resultBytes > maxResultBytes) leftOut++;
    return resultBytes <= maxResultBytes;
  };
  const addResult = (event: Record<string, unknown>, lineBytes: number) => {
    if (!fits(lineBytes)) return;
    const formats = Object.entries(event).filter(([name, value]) => !FORMATS_OUT.has(name) && value !== null);
    const extra = typeof event.extra === 'object' && event.extra !== null ? event.extra : {};
    const isMainResult = event.is_main_result === true;
    const result: Record<string, unknown> = { ...Object.fromEntries(formats), ...extra, isMainResult };
    const json = JSON.stringify(result);
    // Numbers may be longer than they came: 1e20 has 21 digits.
    if (!fits(Math.max(0, Buffer.byteLength(json) - lineBytes))) return;
    results.push(json);
    if (isMainResult) main ??= { text: typeof result.text === 'string' ? result.text : undefined };
  };

  return {
    take(line: string) {
      if (hasTooManyValues(line)) {
        leftOut++;
        return;
      }
      const event = parseEvent(line);
      if (event === undefined) return;
      const { type, text, name, value, traceback } = event;
      if (type === 'stdout' || type === 'stderr') print(type, String(text ?? ''));
      else if (type === 'result') addResult(event, Buffer.byteLength(line));
      else if (type === 'error') {
        error = { name: String(name ?? 'Error'), value: String(value ?? ''), traceback: String(traceback ?? '') };
      } else if (type === 'number_of_executions' && typeof event.execution_count === 'number') {
        executionCount = event.execution_count;
      }
    },
    execution(): Execution {
      const logs = {
        stdout: printed.stdout.dropped === 0 ? pieces.stdout : [printed.stdout.text()],
        stderr: printed.stderr.dropped === 0 ? pieces.stderr : [printed.stderr.text()],
      };
      if (leftOut > 0)
        logs.stderr.push(
          `[gateway: ${leftOut} results left out, more than ${maxResultBytes} bytes in all or ${MAX_EVENT_VALUES} values in one; save them to files]`,
        );
      return {
        ...(main?.text !== undefined && { text: main.text }),
        results,
        logs,
        ...(error !== undefined && { error }),
        ...(executionCount !== undefined && { executionCount }),
      };
    },
  };
}

/** Parsed at once and, for that moment, at up to 25 times the size of the line: the rest of the process waits. */
const MAX_EVENT_VALUES = 500_000;

/** Without building any: each value but the first follows a comma or opens what holds it. */
function hasTooManyValues(line: string): boolean {
  if (line.length < MAX_EVENT_VALUES) return false;
  let values = 0;
  let quoted = false;
  for (let at = 0; at < line.length && values <= MAX_EVENT_VALUES; at++) {
    const char = line[at];
    if (char === '"') quoted = !quoted;
    else if (quoted) at += char === '\\' ? 1 : 0;
    else if (char === ',' || char === '[' || char === '{') values++;
  }
  return values > MAX_EVENT_VALUES;
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
