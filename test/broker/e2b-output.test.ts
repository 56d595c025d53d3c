// Output of commands while it streams: bounded, whole where it fits, honest where it does not.
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { createLineReporter, createOutput } from '../../src/broker/e2b/output.ts';

describe('output', () => {
  it('keeps everything that fits, however it was cut into pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 30 }), pieces => {
        const all = pieces.join('');
        const output = createOutput(2 * all.length + 2);
        for (const piece of pieces) output.push(piece);
        expect(output.text()).toBe(all);
        expect(output.dropped).toBe(0);
      }),
    );
  });

  it('keeps head and tail of the rest, and counts what is missing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 50 }), { maxLength: 60 }),
        fc.integer({ min: 2, max: 200 }),
        (pieces, max) => {
          const all = pieces.join('');
          const half = Math.floor(max / 2);
          const output = createOutput(max);
          for (const piece of pieces) output.push(piece);
          const missing = Math.max(0, all.length - 2 * half);
          expect(output.dropped).toBe(missing);
          if (missing === 0) expect(output.text()).toBe(all);
          else {
            const text = output.text();
            expect(text.startsWith(all.slice(0, half))).toBe(true);
            expect(text.endsWith(all.slice(-half))).toBe(true);
            expect(text).toContain(`${missing} characters left out`);
          }
        },
      ),
    );
  });

  it('costs the same a piece, however many are kept', () => {
    const copiedBy = (pieces: number) => {
      const slice = vi.spyOn(Array.prototype, 'slice');
      try {
        const output = createOutput(2 * pieces);
        for (let i = 0; i < 6 * pieces; i++) output.push('x');
        expect(output.dropped).toBe(4 * pieces);
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
  it('reports whole lines, the last without its end when flushed, control characters gone', () => {
    const reported: string[] = [];
    const reporter = createLineReporter(message => reported.push(message), { everyMs: 0, mask: line => line });
    reporter.push('one\ntw');
    reporter.push('o\r\n\u001b[31mred\u001b[0m\nlast');
    reporter.flush();
    expect(reported.join('\n').split('\n')).toEqual(['one', 'two', '[31mred [0m', 'last']);
  });

  it('sends no more than one message in its interval, and the newest lines', () => {
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

  it('masks a line before it is cut: no part of a key is left at the end', () => {
    const reported: string[] = [];
    const mask = (line: string) => line.replaceAll('the-whole-key', '[redacted]');
    const reporter = createLineReporter(message => reported.push(message), { everyMs: 0, mask });
    for (const part of ['x'.repeat(495), 'the-wh', 'ole-key\n']) reporter.push(part);
    expect(reported.join('')).toBe(`${'x'.repeat(495)}[reda`);
  });

  it('keeps an endless line short', () => {
    const reported: string[] = [];
    const reporter = createLineReporter(message => reported.push(message), { everyMs: 0, mask: line => line });
    for (let i = 0; i < 100; i++) reporter.push('x'.repeat(10_000));
    reporter.flush();
    expect(reported.join('').length).toBeLessThan(1_000);
  });
});
