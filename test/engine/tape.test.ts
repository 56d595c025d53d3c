// What a tape keeps of the replies to a run, without an engine.
import { expect, it } from 'vitest';
import type { Delivery, GuestReply } from '../../src/engine/engine.ts';
import { Tape } from '../../src/engine/tape.ts';
import { buffersOf, type JsonText, wholeText } from '../../src/ground/json-text.ts';

const MAX_CHARS = 1_000;
const bytesOf = (text: string) => new TextEncoder().encode(text);

/** Makes one call for each reply; resolves with what the guest gets, the tape, and how much memory it took. */
async function play(replies: readonly JsonText[], hold: (bytes: number) => boolean = () => true) {
  const delivered: Delivery[] = [];
  const waiting = replies.map((json): GuestReply => ({ ok: true, json }));
  let heldBytes = 0;
  const tape = new Tape({
    askHost: async () => waiting.shift() ?? { held: 'a question' },
    maxChars: MAX_CHARS,
    hold: bytes => {
      heldBytes += bytes;
      return hold(bytes);
    },
  });
  let ended: string | undefined;
  tape.attach({
    deliver: delivery => void delivered.push(delivery),
    end: why => (ended = why),
    signal: () => new AbortController().signal,
    maxTimerMs: 0,
  });
  for (let id = 1; id <= replies.length; id++) {
    tape.call(id, { capability: 'api.request', argsJson: '{}' });
    await expect.poll(() => delivered.length).toBe(id);
  }
  tape.call(replies.length + 1, { capability: 'Sandbox.kill', argsJson: '{}' });
  await expect.poll(() => tape.held.size).toBe(1);
  tape.idle();
  return { payloads: delivered.map(({ payload }) => payload), tape, heldBytes, ended };
}

it('keeps copies of replies, because bytes move to the guest', async () => {
  const replies = ['1', bytesOf('"é"'), ['[', bytesOf('2'), ']']];
  const { payloads, tape, heldBytes, ended } = await play(replies);
  expect(payloads).toEqual(replies);
  for (const text of payloads) structuredClone(text, { transfer: buffersOf(text) });
  expect(tape.recording().answers.map(({ payload }) => wholeText(payload))).toEqual(['1', '"é"', '[2]']);
  expect(heldBytes).toBe(tape.recording().chars);
  expect(ended).toBe('suspended');
});

it('does not copy replies that it cannot keep, nor those after them', async () => {
  const large = bytesOf(JSON.stringify('x'.repeat(MAX_CHARS)));
  const small = bytesOf('1');
  const { payloads, tape, heldBytes, ended } = await play([bytesOf('0'), large, small]);
  expect(payloads[1]).toBe(large);
  expect(payloads[2]).toBe(small);
  expect(tape.recording().answers).toEqual([]);
  expect(heldBytes).toBe(1);
  expect(ended).toBe('approval_too_large');
});

it('keeps nothing when there is not enough memory', async () => {
  const { payloads, ended } = await play([bytesOf('0')], () => false);
  expect(payloads).toEqual([bytesOf('0')]);
  expect(ended).toBe('approval_too_large');
});
