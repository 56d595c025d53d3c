// The code interpreter's wire: one line of JSON an event. Our own client instead of the SDK's runCode, which follows
// redirects, keeps everything, and breaks characters that arrive in two pieces. Knows no capability.
import { StringDecoder } from 'node:string_decoder';
import type { Response } from 'undici';
import type { Wire } from '../../e2b/wire.ts';
import { GatewayError } from '../../errors.ts';
import { type JsonLimits, judgeJson } from '../../ground/json-size.ts';
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
  /** Does its work in turn with other runs'. */
  readonly work: <T>(work: () => T) => Promise<T>;
  readonly onStdout?: ((text: string) => void) | undefined;
};

/** @throws the errors of `answerOf`, GatewayError of `onBytes`, and what the wire throws */
export async function execute(wire: Wire, at: InterpreterAddress, options: ExecuteOptions): Promise<Execution> {
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const collected = collect(options);
  try {
    const response = await ask(wire, at, 'POST', '/execute', options.body, deadline);
    for await (const lines of linesOf(response, options.onBytes))
      await options.work(() => lines.forEach(line => void collected.take(maskTokens(line, at.tokens))));
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

/** Some lines at a time. @throws GatewayError `answer_too_large` */
async function* linesOf(response: Response, onBytes: (bytes: number) => void): AsyncGenerator<readonly string[]> {
  if (response.body === null) return;
  const decoder = new StringDecoder('utf8');
  let pieces: string[] = [];
  let count = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    onBytes(chunk.byteLength);
    const [first = '', ...rest] = decoder.write(Buffer.from(chunk)).split('\n');
    pieces.push(first);
    if (rest.length === 0) continue;
    const lines = [pieces.join(''), ...rest.slice(0, -1)];
    pieces = [rest.at(-1) ?? ''];
    count += lines.length;
    if (count > MAX_EVENTS) throw tooMany();
    for (let at = 0; at < lines.length; at += EVENTS_A_TURN) yield lines.slice(at, at + EVENTS_A_TURN);
  }
  const last = pieces.join('') + decoder.end();
  if (last !== '') yield [last];
}

const tooMany = () =>
  new GatewayError(
    'answer_too_large',
    `The code answered with more than ${MAX_EVENTS} events. Print less at a time, or write to a file.`,
  );

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
      if (!judgeJson(line, EVENT_LIMITS).fits) {
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
          `[gateway: ${leftOut} results left out, more than ${maxResultBytes} bytes in all or ${EVENT_LIMITS.maxValues} values in one; save them to files]`,
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

/** Parsed at once, in some ten milliseconds: more is no value to look at. */
const EVENT_LIMITS: JsonLimits = {
  maxBytes: Number.POSITIVE_INFINITY, // counted in all events
  maxValues: 100_000,
  maxKeys: 100_000,
  maxDepth: 200,
  maxKeyBytes: 100_000,
};
/** Of one execution. */
const MAX_EVENTS = 200_000;
/** Taken between two turns of the event loop. */
const EVENTS_A_TURN = 100;

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
