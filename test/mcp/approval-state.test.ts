// The state of a run that waits for a person is the same after it was written as bytes.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Recorded } from '../../src/engine/engine.ts';
import { wholeText } from '../../src/ground/json-text.ts';
import { type State, stateBytes, stateIn } from '../../src/mcp/approvals/state.ts';

const STATE: State = {
  binding: { principalId: 'p', tool: 'execute_write', codeHash: 'h', build: 'b' },
  ...{ policy: 'ends', nonce: 'n', askedMs: 1, expiresMs: 2, ledger: [], held: [], granted: [] },
  recording: { seed: 's', startedMs: 0, answers: [], opened: [], chars: 0, interruptedMs: 0 },
};
const withAnswers = (answers: readonly Recorded[]): State => ({
  ...STATE,
  recording: { ...STATE.recording, answers },
});
const asText = (state: State): State =>
  withAnswers(state.recording.answers.map(answer => ({ ...answer, payload: wholeText(answer.payload) })));
const rewritten = (state: State): State => stateIn(new Uint8Array(stateBytes(state)));

// `unit: 'binary'` includes half surrogate pairs, which UTF-8 has not.
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({ unit: 'binary', minLength: 190, maxLength: 600 }),
);
const bytes = fc.string({ unit: 'grapheme', maxLength: 600 }).map(each => new TextEncoder().encode(each));
const answer = fc.record({
  ...{ id: fc.nat(), how: fc.constantFrom(0, 1, 2, 3), atMs: fc.nat(), payload: fc.oneof(text, bytes) },
}) as fc.Arbitrary<Recorded>;

it('has the same replies in the same order, however often it is written', () => {
  fc.assert(
    fc.property(fc.array(answer, { maxLength: 8 }), answers => {
      const state = withAnswers(answers);
      const once = rewritten(state);
      expect(asText(once)).toEqual(asText(state));
      expect(asText(rewritten(once))).toEqual(asText(state));
    }),
  );
});

it('does not write long replies as JSON text again', () => {
  const payload = JSON.stringify('"'.repeat(1_000));
  const written = stateBytes(withAnswers([{ id: 1, how: 0, atMs: 0, payload }]));
  expect(written.subarray(-payload.length).toString()).toBe(payload);
});
