// Control over runs: deadlines, cancelling, and a new description while runs are active.
import { describe, expect, it } from 'vitest';
import type { CallHost } from '../../src/engine/engine.ts';
import { DESCRIPTION } from './description.ts';
import type { Harness } from './harness.ts';

const never: CallHost = (_call, signal) =>
  new Promise(resolve => signal.addEventListener('abort', () => resolve({ ok: true, json: 'null' })));

export function control(guest: Harness): void {
  describe('control', () => {
    it('ends a run that waits until its wall time limit, and keeps its logs', async () => {
      const outcome = await guest.run('async () => { console.log("here"); await api.request({}) }', {
        callHost: never,
        limits: { wallMs: 150 },
      });
      expect(outcome).toMatchObject({
        status: 'failed',
        error: { code: 'time_exceeded', message: expect.stringMatching(/The limit is 150 ms/) },
        stdout: 'here\n',
      });
    });

    it.each([
      ['computes', 'async () => { while (true) {} }'],
      [
        'is stuck in a built-in',
        'async () => { const a = Array.from({ length: 2e5 }, Math.random); for (;;) a.sort() }',
      ],
      ['waits for a call', 'async () => { await api.request({}) }'],
      ['waits for a timer', 'async () => { await new Promise(r => setTimeout(r, 4000)) }'],
    ])('cancels a run that %s, and its calls', async (_what, source) => {
      const caller = new AbortController();
      let aborted = false;
      const callHost: CallHost = (call, signal) => {
        signal.addEventListener('abort', () => {
          aborted = true;
        });
        caller.abort();
        return never(call, signal);
      };
      const started = guest.run(source, { signal: caller.signal, callHost });
      if (!source.includes('api.request')) setTimeout(() => caller.abort(), 60);
      expect(await started).toMatchObject({ status: 'failed', error: { code: 'cancelled' } });
      expect(aborted).toBe(source.includes('api.request'));
      expect(await guest.value('async () => 1')).toBe(1);
    });

    it('does not start a run that was cancelled before', async () => {
      expect(await guest.error('async () => 1', { signal: AbortSignal.abort() })).toMatchObject({ code: 'cancelled' });
    });

    it('accepts a new description; runs that have started keep the old one', async () => {
      const own = await guest.another();
      const paths = 'async () => { await new Promise(r => setTimeout(r, 30)); return Object.keys(spec.paths) }';
      const before = own.value(paths, { surface: 'search' });
      const renamed = DESCRIPTION.replaceAll('/sandboxes', '/boxes');
      const described = own.engine.describe(renamed);
      expect(await before).toEqual(['/sandboxes']);
      await described;
      expect(await own.value(paths, { surface: 'search' })).toEqual(['/boxes']);
      await own.engine.describe(DESCRIPTION);
      expect(await own.value(paths, { surface: 'search' })).toEqual(['/sandboxes']);
      await own.close();
    });
  });
}
