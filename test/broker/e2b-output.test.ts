// Output of commands while it streams: complete if it fits, otherwise cut, with a count of what is missing.
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { createEvents, EVENT_KINDS } from '../../src/broker/e2b/events.ts';
import { createLineReporter, createOutput } from '../../src/broker/e2b/output.ts';
import { principalFromKey } from '../../src/principal.ts';
import { MASK, maskKey } from '../../src/upstream/key-spellings.ts';
import { newKey } from '../support/gateway.ts';

const key = newKey();

describe('output', () => {
  it('keeps everything that fits, whatever the pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 30 }), pieces => {
        const all = pieces.join('');
        const output = createOutput(2 * all.length + 2, key);
        for (const piece of pieces) output.push(piece);
        expect(output.read()).toEqual({ text: all, dropped: 0 });
        expect(output.isCut()).toBe(false);
      }),
    );
  });

  it('keeps whole words of head and tail if it does not fit, and counts what is missing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 50, unit: fc.constantFrom('a', 'b', ' ') }), { maxLength: 60 }),
        fc.integer({ min: 2, max: 200 }),
        (pieces, max) => {
          const all = pieces.join('');
          const half = Math.floor(max / 2);
          const output = createOutput(max, key);
          for (const piece of pieces) output.push(piece);
          const { text, dropped } = output.read();
          expect(output.isCut()).toBe(all.length > 2 * half);
          if (all.length <= 2 * half) {
            expect(text).toBe(all);
            return;
          }
          const [head = '', count, tail = ''] = text.split(/\n\[… (\d+) characters left out …\]\n/);
          expect(Number(count)).toBe(dropped);
          expect(head.length + dropped + tail.length).toBe(all.length);
          expect(all.slice(0, half).startsWith(head) && /^\S*$/.test(all.slice(head.length, half))).toBe(true);
          expect(all.slice(-half).endsWith(tail) && /^\S*$/.test(all.slice(-half, all.length - tail.length))).toBe(
            true,
          );
        },
      ),
    );
  });

  const spellings = [key, key.toUpperCase(), [...key].map(char => `&#x${char.charCodeAt(0).toString(16)};`).join('')];

  it.each(spellings)('leaves no part of a key at a cut or at the end: %s', spelt => {
    const shown = (text: string) => maskKey(text, key).replaceAll(MASK, '');
    for (let at = 0; at <= spelt.length; at += 3) {
      const whole = createOutput(2_000, key);
      for (const piece of ['x '.repeat(500).slice(at), spelt, ' y'.repeat(2_000), spelt, ' z'.repeat(500).slice(at)])
        whole.push(piece);
      expect(shown(whole.read().text)).toMatch(/^[x ]*\n\[… \d+ characters left out …\]\n[yz ]*$/);
    }
    const broken = createOutput(2_000, key);
    broken.push(`x ${key.slice(0, 30)}`);
    expect(broken.read().text).toBe(`x ${MASK}`);
  });

  it('takes constant time per piece, however many are kept', () => {
    const copiedBy = (pieces: number) => {
      const slice = vi.spyOn(Array.prototype, 'slice');
      try {
        const output = createOutput(2 * pieces, key);
        for (let i = 0; i < 6 * pieces; i++) output.push('x');
        expect(output.isCut()).toBe(true);
        return slice.mock.results.reduce((sum, { value }) => sum + (value as unknown[]).length, 0);
      } finally {
        slice.mockRestore();
      }
    };
    expect(copiedBy(2_000)).toBeLessThan(6 * 2_000);
    expect(copiedBy(4_000)).toBeLessThan(6 * 4_000);
  });
});

describe('lines as progress', () => {
  it('are reported whole, without control characters, and the last one on flush', () => {
    const reported: string[] = [];
    const reporter = createLineReporter(message => reported.push(message), { everyMs: 0, mask: line => line });
    reporter.push('one\ntw');
    reporter.push('o\r\n\u001b[31mred\u001b[0m\nlast');
    reporter.flush();
    expect(reported.join('\n').split('\n')).toEqual(['one', 'two', '[31mred [0m', 'last']);
  });

  it('are sent as one message per interval, with the newest lines', () => {
    vi.useFakeTimers();
    try {
      const reported: string[] = [];
      const reporter = createLineReporter(message => reported.push(message), { everyMs: 1_000, mask: line => line });
      for (let i = 0; i < 500; i++) reporter.push(`line ${i}\n`);
      expect(reported).toHaveLength(1);
      vi.advanceTimersByTime(1_000);
      expect(reported).toHaveLength(2);
      expect(reported[1]).toMatch(/line 499$/);
    } finally {
      vi.useRealTimers();
    }
  });

  it('are masked before they are cut, so that no part of a key is left at the end', () => {
    const reported: string[] = [];
    const mask = (line: string) => line.replaceAll('the-whole-key', '[redacted]');
    const reporter = createLineReporter(message => reported.push(message), { everyMs: 0, mask });
    for (const part of ['x'.repeat(495), 'the-wh', 'ole-key\n']) reporter.push(part);
    expect(reported.join('')).toBe(`${'x'.repeat(495)}[reda`);
  });

  it('are cut if they are endless', () => {
    const reported: string[] = [];
    const reporter = createLineReporter(message => reported.push(message), { everyMs: 0, mask: line => line });
    for (let i = 0; i < 100; i++) reporter.push('x'.repeat(10_000));
    reporter.flush();
    expect(reported.join('').length).toBeLessThan(1_000);
  });
});

describe('events', () => {
  const events = (apiKey = key) => {
    const emitted: unknown[] = [];
    const context = {
      emit: (json: string) => void emitted.push(...(JSON.parse(maskKey(json, apiKey)) as unknown[])),
      answer: { take: () => undefined, settle: () => undefined },
      principal: principalFromKey(apiKey),
    };
    return { ...createEvents(context, EVENT_KINDS), emitted };
  };

  it('are sent in order, and pieces of one word are joined', () => {
    const { print, push, flush, emitted } = events();
    for (const text of ['one ', 'tw', 'o', '\n', 'three']) print('stdout', text);
    print('stderr', 'four');
    push('result', '5');
    print('stdout', 'six');
    flush();
    expect(emitted).toEqual([
      ['stdout', 'one '],
      ['stdout', 'two'],
      ['stdout', '\n'],
      ['stdout', 'three'],
      ['stderr', 'four'],
      ['result', 5],
      ['stdout', 'six'],
    ]);
  });

  it.each([1, 4, 20, 43])('mask a key that arrives in two pieces, cut at %i', at => {
    vi.useFakeTimers();
    try {
      for (const spelt of [key, Buffer.from(`${key}x`).toString('base64').slice(0, 56)]) {
        const { print, flush, emitted } = events();
        print('stdout', `a ${spelt.slice(0, at)}`);
        vi.advanceTimersByTime(2);
        print('stdout', `${spelt.slice(at)} b`);
        vi.advanceTimersByTime(1_000);
        flush();
        const printed = (emitted as [string, string][]).map(([, text]) => text).join('');
        expect(printed).toMatch(/^a (?:\[redacted\]|[\w*+/=]+) b$/);
        expect(maskKey(printed, key)).toBe(printed);
      }
    } finally {
      vi.useRealTimers();
    }
  });

  it('are delayed for a moment if they end like the beginning of a key', () => {
    vi.useFakeTimers();
    try {
      const { print, emitted } = events(`e2b_${'0'.repeat(40)}`);
      print('stdout', 'port 3000');
      vi.advanceTimersByTime(2);
      expect(emitted).toEqual([]);
      vi.advanceTimersByTime(250);
      expect(emitted).toEqual([['stdout', 'port 3000']]);
    } finally {
      vi.useRealTimers();
    }
  });
});
