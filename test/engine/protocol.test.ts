// The host's checks of a guest's messages: a message that the prelude never sends is refused.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { guestFrames } from '../../src/engine/frames.ts';
import { Intake } from '../../src/engine/intake.ts';
import { displayBytes, KIND, parseCall, parseDisplay, parseDone, parseFailed } from '../../src/engine/protocol.ts';
import { LIMITS } from '../contract/harness.ts';
import { base64 } from '../support/base64.ts';

describe('guest messages', () => {
  it('calls: a name, and the arguments unchanged', () => {
    expect(parseCall('api.request\n{"a":\n1}')).toEqual({ capability: 'api.request', argsJson: '{"a":\n1}' });
    for (const bad of ['', '\n{}', 'no newline', `${'x'.repeat(101)}\n{}`]) expect(() => parseCall(bad)).toThrow();
  });

  it('results: only valid JSON text, unless it was checked', () => {
    const received = (payload: string, isChecked?: boolean) => {
      const intake = new Intake(LIMITS);
      intake.receive(KIND.done, 0, payload, isChecked);
      return intake.end;
    };
    expect(received('{"a":1}')).toEqual({ reason: 'done', json: '{"a":1}' });
    for (const bad of ['', '{', 'undefined', '{"a":1}}', "{'a':1}"])
      expect(received(bad)).toMatchObject({ reason: 'crashed' });
    expect(received('{', true)).toEqual({ reason: 'done', json: '{' });
    const tooLong = JSON.stringify('x'.repeat(LIMITS.maxResultChars * 2));
    expect(received(tooLong, true)).toMatchObject({ reason: 'crashed', detail: 'result over its limit' });
  });

  it('results may have a note', () => {
    expect(parseDone(0, '{"a":1}')).toEqual({ json: '{"a":1}' });
    expect(parseDone(4, 'note[1]')).toEqual({ json: '[1]', note: 'note' });
    expect(() => parseDone(-1, '1')).toThrow();
    expect(() => parseDone(Number.NaN, '1')).toThrow();
  });

  it('displays: a known kind, a MIME type, canonical base64', () => {
    const display = (typeChars: number, payload: string) => parseDisplay(typeChars, Buffer.from(payload));
    const blob = { kind: 'blob', mimeType: 'image/png', base64: base64('AQ==') } as const;
    expect(display(9, 'image/pngAQ==')).toEqual(blob);
    expect(displayBytes(blob)).toBe(13);
    expect(display(0, 'image/pngAQ==')).toEqual({ kind: 'text', text: 'image/pngAQ==' });
    for (const [typeChars, payload] of [
      [1, 'xAQ=='],
      [5, 'a/b\ncAQ=='],
      [9, 'image/png<'],
      [9, 'image/pngAQ'],
      [9, 'image/pngA==='],
      [9, 'image/png=AQ='],
      [9, 'image/pngA"=='],
      [9, 'image/pngAQé'],
      [13, 'image/pngAQ=='],
      [100, 'image/pngAQ=='],
      [-1, 'image/pngAQ=='],
      [9.5, 'image/pngAQ=='],
    ] as const)
      expect(() => display(typeChars, payload)).toThrow();
  });

  it('errors: every field is limited in length', () => {
    fc.assert(
      fc.property(fc.json(), json => {
        try {
          const { name, message } = parseFailed(json);
          return name.length > 0 && name.length <= 200 && message.length <= 8_000;
        } catch (error) {
          return error instanceof Error;
        }
      }),
    );
  });

  it('stacks: only frames of the agent’s code are kept', () => {
    const stack =
      '    at inner (code.js:3:15)\n    at start (prelude.js:1:2)\n    at map (native)\n    at <anonymous> (code.js:1:7)\n  at code.js:2:1';
    expect(guestFrames(stack)).toEqual([
      { line: 3, column: 15, text: '    at inner (line 3)' },
      { line: 1, column: 7, text: '    at line 1' },
      { line: 2, column: 1, text: '    at line 2' },
    ]);
    fc.assert(fc.property(fc.string(), text => guestFrames(text).length <= 20));
  });
});
