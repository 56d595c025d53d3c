// Collects the events of one execution of code in a kernel into a result, within limits. Knows no connection.
import { GatewayError } from '../../errors.ts';
import { tryParseJson } from '../../ground/json.ts';
import { type JsonLimits, judgeJson } from '../../ground/json-size.ts';
import { omitUndefined } from '../../ground/omit-undefined.ts';
import { maskCutKey } from '../../upstream/key-spellings.ts';
import { type Events, goesOn } from './events.ts';
import { createOutput, type Output } from './output.ts';

export type ExecutionResult = {
  readonly text?: string;
  /**
   * Each as JSON text, because values would take many times the memory, and they are kept until the code ends.
   * Fields: text, html, markdown, svg, png and jpeg and pdf (base64), latex, json, javascript, data, chart, any others,
   * and `isMainResult`.
   */
  readonly results: readonly string[];
  readonly logs: { readonly stdout: readonly string[]; readonly stderr: readonly string[] };
  readonly error?: { readonly name: string; readonly value: string; readonly traceback: string };
  readonly executionCount?: number;
};

export type ExecutionOptions = {
  /** Maximum size of all results together; further ones are left out. */
  readonly maxResultBytes: number;
  /** Maximum characters kept of each stream: its beginning and its end. */
  readonly maxKeptChars: number;
  /** The caller's key, of which no part may remain where output is cut. */
  readonly apiKey: string;
  readonly onStdout?: ((text: string) => void) | undefined;
  readonly events?: Events | undefined;
};

/** Parsing an event within these limits takes a few tens of milliseconds at most. */
const EVENT_LIMITS: JsonLimits = {
  maxBytes: Number.POSITIVE_INFINITY, // counted over all events
  maxValues: 100_000,
  maxKeys: 100_000,
  maxDepth: 200,
  maxKeyBytes: 100_000,
};

/** Fields of a result event that are not formats of the result. */
const NOT_FORMATS = new Set(['type', 'is_main_result', 'extra']);

type Event = Readonly<Record<string, unknown>>;

export class Execution {
  readonly #maxResultBytes: number;
  readonly #onStdout: ExecutionOptions['onStdout'];
  readonly #events: Events | undefined;
  readonly #streams: { readonly stdout: KeptStream; readonly stderr: KeptStream };
  readonly #results: string[] = [];
  #resultBytes = 0;
  #leftOut = 0;
  #mainResult: { readonly text: string | undefined } | undefined;
  #error: ExecutionResult['error'];
  #executionCount: number | undefined;

  constructor({ maxResultBytes, maxKeptChars, apiKey, onStdout, events }: ExecutionOptions) {
    this.#maxResultBytes = maxResultBytes;
    this.#onStdout = onStdout;
    this.#events = events;
    const kept = () => new KeptStream(maxKeptChars, apiKey);
    this.#streams = { stdout: kept(), stderr: kept() };
  }

  /** Takes one event as a line of JSON. @throws GatewayError `sandbox_failed` if it is not an event */
  take(line: string): void {
    if (line.trim() === '') return;
    if (!judgeJson(line, EVENT_LIMITS).fits) {
      this.#leftOut++;
      return;
    }
    const event = parseEvent(line);
    if (event.type === 'stdout' || event.type === 'stderr') this.#print(event.type, String(event.text ?? ''));
    else if (event.type === 'result') this.#addResult(event, Buffer.byteLength(line));
    else if (event.type === 'error') this.#fail(errorOf(event));
    else if (event.type === 'number_of_executions' && typeof event.execution_count === 'number')
      this.#executionCount = event.execution_count;
  }

  result(): ExecutionResult {
    const text = this.#mainResult?.text;
    const stderr = this.#streams.stderr.pieces();
    if (this.#leftOut > 0) stderr.push(this.#leftOutNote());
    return {
      ...omitUndefined({ text }),
      results: this.#results,
      logs: { stdout: this.#streams.stdout.pieces(), stderr },
      ...(this.#error !== undefined && { error: this.#error }),
      ...(this.#executionCount !== undefined && { executionCount: this.#executionCount }),
    };
  }

  #print(stream: 'stdout' | 'stderr', text: string): void {
    this.#streams[stream].push(text);
    if (stream === 'stdout') this.#onStdout?.(text);
    this.#events?.print(stream, text);
  }

  #fail(error: NonNullable<ExecutionResult['error']>): void {
    this.#error = error;
    this.#events?.push('error', JSON.stringify(error));
  }

  #addResult(event: Event, lineBytes: number): void {
    if (!this.#fits(lineBytes)) return;
    const formats = Object.entries(event).filter(([name, value]) => !NOT_FORMATS.has(name) && value !== null);
    const extra = typeof event.extra === 'object' && event.extra !== null ? event.extra : {};
    const isMainResult = event.is_main_result === true;
    const result: Record<string, unknown> = { ...Object.fromEntries(formats), ...extra, isMainResult };
    const json = JSON.stringify(result);
    // The new JSON can be longer than the line: 1e20 becomes 21 digits.
    if (!this.#fits(Math.max(0, Buffer.byteLength(json) - lineBytes))) return;
    this.#results.push(json);
    this.#events?.push('result', json);
    if (isMainResult) this.#mainResult ??= { text: typeof result.text === 'string' ? result.text : undefined };
  }

  #fits(bytes: number): boolean {
    this.#resultBytes += bytes;
    const fits = this.#resultBytes <= this.#maxResultBytes;
    if (!fits) this.#leftOut++;
    return fits;
  }

  #leftOutNote(): string {
    return `[gateway: ${this.#leftOut} results left out, more than ${this.#maxResultBytes} bytes in all or ${EVENT_LIMITS.maxValues} values in one; save them to files]`;
  }
}

/**
 * Keeps the pieces as they arrived, except that a word is never split: a key in two pieces would not be found. Once
 * something has to be dropped, there is one text with a gap.
 */
class KeptStream {
  readonly #output: Output;
  readonly #apiKey: string;
  #pieces: string[] = [];
  /** The parts of the newest piece. Joined once: a text that grew with each part would be copied with each part. */
  #parts: string[] = [];

  constructor(maxKeptChars: number, apiKey: string) {
    this.#output = createOutput(maxKeptChars, apiKey);
    this.#apiKey = apiKey;
  }

  push(text: string): void {
    this.#output.push(text);
    if (this.#output.isCut()) {
      this.#pieces = [];
      this.#parts = [];
      return;
    }
    if (!goesOn(this.#parts.at(-1) ?? '', text)) this.#closePiece();
    this.#parts.push(text);
  }

  pieces(): string[] {
    if (this.#output.isCut()) return [this.#output.read().text];
    return this.#parts.length === 0 ? [] : [...this.#pieces, maskCutKey(this.#parts.join(''), this.#apiKey)];
  }

  #closePiece(): void {
    if (this.#parts.length > 0) this.#pieces.push(this.#parts.join(''));
    this.#parts = [];
  }
}

function parseEvent(line: string): Event {
  const event = tryParseJson(line);
  if (typeof event === 'object' && event !== null) return event as Event;
  throw new GatewayError(
    'sandbox_failed',
    'SandboxError: the code interpreter answered with something that is not its protocol.',
  );
}

const errorOf = ({ name, value, traceback }: Event) => ({
  name: String(name ?? 'Error'),
  value: String(value ?? ''),
  traceback: String(traceback ?? ''),
});

/** Composes the result for the guest as JSON text, because the results are JSON text already. */
export function composeExecution({ results, ...rest }: ExecutionResult): string {
  return `{"results":[${results.join(',')}],${JSON.stringify(rest).slice(1)}`;
}
