// Collects the events of one execution of code in a kernel into a result, within limits. Knows no connection.
import { GatewayError } from '../../errors.ts';
import { type JsonPart, type JsonText, jsonOf } from '../../ground/json-text.ts';
import { maskCutKey } from '../../upstream/key-spellings.ts';
import type { Ended } from '../ledger.ts';
import { type Events, goesOn } from './events.ts';
import { createOutput, type Output } from './output.ts';
import { EVENT_LIMITS, type ReadEvent } from './read-event.ts';

export type ExecutionResult = {
  /** Of the main result. */
  readonly text?: JsonPart;
  /**
   * Each as JSON text, because values would take many times the memory, and they are kept until the code ends.
   * Fields: text, html, markdown, svg, png and jpeg and pdf (base64), latex, json, javascript, data, chart, any others,
   * and `isMainResult`.
   */
  readonly results: readonly JsonPart[];
  /** May still contain the caller's key. */
  readonly logs: { readonly stdout: readonly string[]; readonly stderr: readonly string[] };
  /** Fields: name, value, traceback. */
  readonly error?: JsonPart;
  readonly ended?: Ended;
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

export class Execution {
  readonly #maxResultBytes: number;
  readonly #onStdout: ExecutionOptions['onStdout'];
  readonly #events: Events | undefined;
  readonly #streams: { readonly stdout: KeptStream; readonly stderr: KeptStream };
  readonly #results: JsonPart[] = [];
  #resultBytes = 0;
  #leftOut = 0;
  #mainResult: { readonly text?: JsonPart } | undefined;
  #error: Pick<ExecutionResult, 'error' | 'ended'> = {};
  #executionCount: number | undefined;

  constructor({ maxResultBytes, maxKeptChars, apiKey, onStdout, events }: ExecutionOptions) {
    this.#maxResultBytes = maxResultBytes;
    this.#onStdout = onStdout;
    this.#events = events;
    const kept = () => new KeptStream(maxKeptChars, apiKey);
    this.#streams = { stdout: kept(), stderr: kept() };
  }

  /** @throws GatewayError `sandbox_failed` for a line that is not an event */
  take(event: ReadEvent): void {
    switch (event.kind) {
      case 'print':
        this.#print(event.stream, event.text);
        break;
      case 'result':
        this.#addResult(event);
        break;
      case 'error':
        this.#error = { error: event.json, ended: event.ended };
        this.#events?.push('error', event.json);
        break;
      case 'count':
        this.#executionCount = event.executionCount;
        break;
      case 'too complex':
        this.#leftOut++;
        break;
      case 'not an event':
        throw new GatewayError(
          'sandbox_failed',
          'SandboxError: the code interpreter answered with something that is not its protocol.',
        );
      case 'ignored':
    }
  }

  result(): ExecutionResult {
    const stderr = this.#streams.stderr.pieces();
    if (this.#leftOut > 0) stderr.push(this.#leftOutNote());
    return {
      ...this.#mainResult,
      results: this.#results,
      logs: { stdout: this.#streams.stdout.pieces(), stderr },
      ...this.#error,
      ...(this.#executionCount !== undefined && { executionCount: this.#executionCount }),
    };
  }

  #print(stream: 'stdout' | 'stderr', text: string): void {
    this.#streams[stream].push(text);
    if (stream === 'stdout') this.#onStdout?.(text);
    this.#events?.print(stream, text);
  }

  #addResult({ json, bytes, main }: Extract<ReadEvent, { kind: 'result' }>): void {
    this.#resultBytes += bytes;
    if (this.#resultBytes > this.#maxResultBytes) {
      this.#leftOut++;
      return;
    }
    this.#results.push(json);
    this.#events?.push('result', json);
    if (main !== undefined) this.#mainResult ??= main;
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

/** `logs`: those of the result as JSON, without the key. */
export function composeExecution({ results, text, error, executionCount }: ExecutionResult, logs: JsonPart): JsonText {
  const list = results.flatMap((result, at) => (at === 0 ? [result] : [',', result]));
  const parts: JsonPart[] = ['{"results":[', ...list, '],"logs":', logs];
  if (text !== undefined) parts.push(',"text":', text);
  if (error !== undefined) parts.push(',"error":', error);
  if (executionCount !== undefined) parts.push(`,"executionCount":${executionCount}`);
  return jsonOf([...parts, '}']);
}
