// The stream of events of the code interpreter gives the same result in whatever pieces it arrives.
import fc from 'fast-check';
import { Response } from 'undici';
import { afterAll, expect, it } from 'vitest';
import { Answers } from '../../src/broker/answers.ts';
import { composeExecution } from '../../src/broker/e2b/execution.ts';
import { execute } from '../../src/broker/e2b/interpreter.ts';
import type { Wire } from '../../src/e2b/wire.ts';
import { wholeText } from '../../src/ground/json-text.ts';
import { newKey } from '../support/gateway.ts';

const answers = new Answers();
afterAll(() => answers.close());
const secrets = { apiKey: newKey(), tokens: ['token-of-the-sandbox'] };
const from = { principalId: 'one', signal: new AbortController().signal };

async function resultOf(pieces: readonly Uint8Array[]): Promise<unknown> {
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });
  const wire = { fetch: async () => new Response(stream) } as unknown as Wire;
  const at = { baseUrl: 'http://sandbox.invalid', headers: {}, requestTimeoutMs: 5_000, tokens: secrets.tokens };
  const execution = await execute(wire, at, {
    body: {},
    timeoutMs: 5_000,
    overdue: 'too late',
    maxResultBytes: 20_000_000,
    maxKeptChars: 100_000,
    apiKey: secrets.apiKey,
    onBytes: () => {},
    work: async act => act(),
    readEvent: async (line, hidden) => (await answers.readEvent(line, hidden, from)).value,
  });
  return JSON.parse(wholeText(composeExecution(execution, JSON.stringify(execution.logs))));
}

const text = fc.tuple(fc.string({ unit: 'grapheme' }), fc.constantFrom(0, 10, 12_000)).map(
  // One line may be far longer than a piece, and characters of several bytes may be cut.
  ([piece, times]) => `${piece}€😀`.repeat(times),
);
const event = fc.oneof(
  text.map(printed => ({ type: 'stdout' as const, text: printed })),
  fc.tuple(text, fc.boolean()).map(([shown, main]) => ({ type: 'result' as const, text: shown, is_main_result: main })),
  text.map(value => ({ type: 'error' as const, name: 'Error', value, traceback: secrets.tokens[0] })),
  fc.nat().map(count => ({ type: 'number_of_executions' as const, execution_count: count })),
);

it('in one piece, in small ones, and cut anywhere', async () => {
  const stream = fc.tuple(
    fc.array(event, { maxLength: 6 }),
    fc.constantFrom('\n', '\n\n', '\r\n'),
    fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 5 }),
  );
  await fc.assert(
    fc.asyncProperty(stream, async ([events, end, sizes]) => {
      const whole = Buffer.from(events.map(each => JSON.stringify(each) + end).join(''));
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < whole.length; ) {
        const size = sizes[pieces.length % sizes.length] ?? 1;
        pieces.push(new Uint8Array(whole.subarray(at, at + size)));
        at += size;
      }
      const cut = pieces.length > 2_000 ? [new Uint8Array(whole)] : pieces;
      const result = await resultOf(cut);
      expect(result).toEqual(await resultOf([new Uint8Array(whole)]));
      const results = events.flatMap(each => (each.type === 'result' ? [each] : []));
      expect((result as { results: { text: string }[] }).results.map(each => each.text)).toEqual(
        results.map(each => each.text),
      );
    }),
    { numRuns: 40 },
  );
});
