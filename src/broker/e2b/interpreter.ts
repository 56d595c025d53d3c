// Client for the code interpreter of a sandbox, which sends one line of JSON per event. Replaces the SDK's runCode,
// which follows redirects, keeps everything, and breaks characters that arrive in two pieces. Knows no capability.
import type { Response } from 'undici';
import { isPortClosed } from '../../e2b/sdk-errors.ts';
import type { Wire } from '../../e2b/wire.ts';
import { GatewayError } from '../../errors.ts';
import { describeExcess, type JsonLimits, judgeJson } from '../../ground/json-size.ts';
import { concatUtf8, type Pieces, sizeOf, type Utf8 } from '../../ground/json-text.ts';
import { SMALL_BYTES } from '../answers.ts';
import { noAnswer } from './errors.ts';
import { Execution, type ExecutionOptions, type ExecutionResult } from './execution.ts';
import { endedBy, type ReadEvent, readEvent } from './read-event.ts';
import { maskTokens, type Secrets, type Tokens } from './tokens.ts';

export const INTERPRETER_PORT = 49999;

export type InterpreterAddress = {
  readonly baseUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Time limit until the response begins. */
  readonly requestTimeoutMs: number;
  readonly tokens: Tokens;
};

export type ExecuteOptions = ExecutionOptions & {
  readonly body: object;
  readonly timeoutMs: number;
  /** Error message if the code takes longer than `timeoutMs`: what happened and what to do. */
  readonly overdue: string;
  readonly onBytes: (bytes: number) => void;
  /** Does work on the main thread, in turn with other runs. */
  readonly work: <T>(work: () => T) => Promise<T>;
  /** Reads a large event on another thread. */
  readonly readEvent: (line: Pieces, secrets: Secrets) => Promise<ReadEvent>;
};

/** Maximum number of events of one execution. */
const MAX_EVENTS = 200_000;
/** Number of events processed in one turn of the event loop. */
const EVENTS_A_TURN = 100;

/** @throws errors with the SDK's names, and errors from `onBytes` and from the wire */
export async function execute(wire: Wire, at: InterpreterAddress, options: ExecuteOptions): Promise<ExecutionResult> {
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const execution = new Execution(options);
  const secrets = { apiKey: options.apiKey, tokens: at.tokens };
  try {
    const response = await request(wire, at, 'POST', '/execute', options.body, deadline);
    for await (const some of linesOf(response, options.onBytes)) {
      if ('large' in some) execution.take(await options.readEvent(some.large, secrets));
      else await options.work(() => some.lines.forEach(line => void execution.take(readEvent(line, secrets))));
    }
    return execution.result();
  } catch (caught) {
    if (!deadline.aborted) throw caught;
    const error = { name: 'TimeoutError', value: options.overdue, traceback: '' };
    return { ...execution.result(), error: JSON.stringify(error), ended: endedBy(error, options.apiKey) };
  }
}

/** Sends a request whose response is one JSON value or empty. */
export async function callInterpreter(
  wire: Wire,
  at: InterpreterAddress,
  httpMethod: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: object,
): Promise<unknown> {
  const text = maskTokens(await (await request(wire, at, httpMethod, path, body)).text(), at.tokens);
  if (text === '') return undefined;
  const verdict = judgeJson(text, VALUE_LIMITS);
  if (verdict.fits) return JSON.parse(text);
  throw new GatewayError('answer_too_large', `The sandbox answered with ${describeExcess(verdict.excess)}.`);
}

/** Far more than the largest response, a list of contexts, needs. */
const VALUE_LIMITS: JsonLimits = {
  maxBytes: 1_000_000,
  maxValues: 10_000,
  maxKeys: 10_000,
  maxDepth: 16,
  maxKeyBytes: 1_000,
};

async function request(
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
  throw responseError(response.status, await response.text());
}

/** Uses the SDK's names, so that the guest gets the same error classes. */
function responseError(status: number, text: string): Error {
  if (isPortClosed(status, text)) {
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

/** Some lines of a response, or a large one as it arrived. */
type Lines = { readonly lines: readonly string[] } | { readonly large: Pieces };

/** @throws GatewayError `answer_too_large` */
async function* linesOf(response: Response, onBytes: (bytes: number) => void): AsyncGenerator<Lines> {
  if (response.body === null) return;
  let begun: Utf8[] = [];
  let count = 0;
  for await (const chunk of response.body as AsyncIterable<Utf8>) {
    onBytes(chunk.byteLength);
    const firstEnd = chunk.indexOf(LINE_END);
    if (firstEnd < 0) {
      begun.push(chunk);
      continue;
    }
    const lastEnd = chunk.lastIndexOf(LINE_END);
    const first = [...begun, chunk.subarray(0, firstEnd)];
    const others = firstEnd === lastEnd ? [] : textOf(chunk.subarray(firstEnd + 1, lastEnd)).split('\n');
    begun = [chunk.subarray(lastEnd + 1)];
    count += 1 + others.length;
    if (count > MAX_EVENTS) throw tooManyEvents();
    yield asLines(first);
    for (let at = 0; at < others.length; at += EVENTS_A_TURN) yield { lines: others.slice(at, at + EVENTS_A_TURN) };
  }
  yield asLines(begun);
}

const LINE_END = 0x0a;

const asLines = (line: Pieces): Lines =>
  sizeOf(line) > SMALL_BYTES ? { large: line } : { lines: [textOf(concatUtf8(line))] };

const textOf = ({ buffer, byteOffset, length }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, length).toString('utf8');

const tooManyEvents = () =>
  new GatewayError(
    'answer_too_large',
    `The code answered with more than ${MAX_EVENTS} events. Print less at a time, or write to a file.`,
  );
