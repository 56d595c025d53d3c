// Events of a call reach the guest while the call is open, in order and before the reply, and also after it.
import { describe, expect, it } from 'vitest';
import type { CallHost } from '../../src/engine/engine.ts';
import { wholeText } from '../../src/ground/json-text.ts';
import { type Harness, LIMITS } from './harness.ts';

const ID = 'i0abc';
const answer = (value: unknown) => ({ ok: true, json: JSON.stringify(value) }) as const;

/** A simulated host with one sandbox, whose commands the test defines. */
const host =
  (
    onRun: (emit: (...events: readonly unknown[]) => void, cmd: string) => Promise<object>,
    onOther?: () => void,
  ): CallHost =>
  async ({ capability, argsJson }, _signal, emit) => {
    if (capability === 'Sandbox.connect') return answer({ sandboxId: ID, domain: 'example.org' });
    if (capability === 'Sandbox.commands.run')
      return answer(await onRun((...events) => emit?.(JSON.stringify(events)), JSON.parse(wholeText(argsJson)).cmd));
    onOther?.();
    return answer(null);
  };
const ENDED = { exitCode: 0, stdout: '', stderr: '' };

export function events(guest: Harness): void {
  describe('events of a call', () => {
    it('run the callback while the call is open, so that the callback can end the call', async () => {
      let goOn = () => {};
      const asked = new Promise<void>(resolve => {
        goOn = resolve;
      });
      const callHost = host(
        async emit => {
          emit(['stdout', 'ready']);
          await asked;
          emit(['stderr', 'bye']);
          return ENDED;
        },
        () => goOn(),
      );
      const source = `async () => {
        const sbx = await Sandbox.connect('${ID}'), seen = [];
        await sbx.commands.run('x', {
          onStdout: async text => { seen.push(text); await sbx.files.write('/tmp/go', ''); seen.push('written') },
          onStderr: text => void seen.push(text),
        });
        return seen;
      }`;
      expect(await guest.value(source, { callHost })).toEqual(['ready', 'written', 'bye']);
    });

    it('arrive in order and before the reply, however large or many they are', async () => {
      const sizes = [5, 40_000, 1, 100_000, 3];
      const callHost = host(async emit => {
        for (const size of sizes) emit(['stdout', 'é'.repeat(size)]);
        emit(...Array.from({ length: 500 }, (_, i) => ['stderr', String(i)]));
        return ENDED;
      });
      const source = `async () => {
        const sbx = await Sandbox.connect('${ID}'), sizes = [], numbers = [];
        await sbx.commands.run('x', { onStdout: text => sizes.push(text.length), onStderr: text => numbers.push(+text) });
        return [sizes, numbers.length, numbers.every((n, i) => n === i)];
      }`;
      expect(await guest.value(source, { callHost })).toEqual([sizes, 500, true]);
    });

    it('may also come after the reply, and code that waits for one is not taken as stuck', async () => {
      const callHost = host(async emit => {
        setTimeout(() => emit(['stdout', 'listening'], ['end']), 50);
        return { pid: 7 };
      });
      const source = `async () => {
        const sbx = await Sandbox.connect('${ID}');
        return new Promise(resolve => sbx.commands.run('serve', { background: true, onStdout: resolve }));
      }`;
      expect(await guest.value(source, { callHost })).toBe('listening');
    });

    it('code that waits for an event after the last one ends as stuck', async () => {
      const callHost = host(async emit => {
        emit(['end']);
        return { pid: 7 };
      });
      const source = `async () => {
        const sbx = await Sandbox.connect('${ID}');
        await new Promise(resolve => sbx.commands.run('serve', { background: true, onStdout: resolve }));
      }`;
      expect(await guest.error(source, { callHost })).toMatchObject({ code: 'never_settles' });
    });

    it.each(["onStdout() { throw new Error('mine') }", "async onStdout() { throw new Error('mine') }"])(
      'the call rejects with the error of a callback, and no callback runs after it: %s',
      async callback => {
        const callHost = host(async emit => {
          emit(['stdout', 'a'], ['stderr', 'b']);
          return ENDED;
        });
        const source = `async () => {
          const sbx = await Sandbox.connect('${ID}'), seen = [];
          const failed = await sbx.commands.run('x', { ${callback}, onStderr: text => seen.push(text) }).catch(e => e.message);
          return [failed, seen];
        }`;
        expect(await guest.value(source, { callHost })).toEqual(['mine', []]);
      },
    );

    it('wait() of a background command rejects with the error of a callback; without wait() there is a note', async () => {
      const callHost = host(async emit => {
        emit(['stdout', 'a'], ['end']);
        return { pid: 7 };
      });
      const start = (after: string) => `async () => {
        const sbx = await Sandbox.connect('${ID}');
        const handle = await sbx.commands.run('x', { background: true, onStdout() { throw new Error('mine') } });
        ${after}
      }`;
      expect(await guest.value(start('return handle.wait().catch(e => e.message)'), { callHost })).toBe('mine');
      const outcome = await guest.run(start('await new Promise(r => setTimeout(r, 50)); return 1'), { callHost });
      expect(outcome).toMatchObject({ status: 'completed', note: expect.stringContaining('Error: mine') });
    });

    it('of calls without callbacks or with unknown ids are ignored', async () => {
      const callHost: CallHost = async (_call, _signal, emit) => {
        emit?.('[["stdout","x"]]');
        return answer(1);
      };
      expect(await guest.value('async () => api.request({})', { callHost })).toBe(1);
    });

    it('count as CPU time of the run: a callback that spins is stopped', async () => {
      const callHost = host(async emit => {
        emit(['stdout', 'a']);
        return ENDED;
      });
      const source = `async () => {
        const sbx = await Sandbox.connect('${ID}');
        await sbx.commands.run('x', { onStdout() { for (;;); } });
      }`;
      const limits = { cpuMs: 150, wallMs: LIMITS.wallMs };
      expect(await guest.error(source, { callHost, limits })).toMatchObject({ code: 'cpu_exceeded' });
    });
  });
}
