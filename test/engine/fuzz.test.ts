// Random programs against the engine, for a second (`pnpm fuzz`: longer). For every one there must be
// a valid outcome in time, and the engine must not be affected.
import { inspect } from 'node:util';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Outcome } from '../../src/engine/engine.ts';
import { createQuickjsEngine } from '../../src/engine/quickjs/engine.ts';
import { DESCRIPTION } from '../contract/description.ts';
import { expectWellFormed, LIMITS, principal } from '../contract/harness.ts';
import { FUZZING, fuzzSeconds } from '../support/fuzz.ts';
import { program } from './programs.ts';

const seconds = fuzzSeconds(1);
const seed = Number(process.env.FUZZ_SEED ?? Date.now() & 0x7fffffff);
const limits = { ...LIMITS, cpuMs: 100, wallMs: 400, memoryBytes: 32 << 20, maxResultChars: 50_000 };
/** Far longer than any limit above: it only detects runs without an outcome, and does not measure speed. */
const UNANSWERED_MS = 20_000;
const AT_ONCE = 12;

it(`every run gets an outcome (${seconds} s, FUZZ_SEED=${seed})`, { timeout: (seconds + 60) * 1_000 }, async () => {
  const trouble: string[] = [];
  const log = (message: string, cause: unknown) => trouble.push(`${message}: ${inspect(cause)}`);
  const engine = await createQuickjsEngine({ descriptionJson: DESCRIPTION, warm: false, log });
  const run = (source: string): Promise<Outcome | 'unanswered'> => {
    let timer: NodeJS.Timeout | undefined;
    const outcome = engine.run({
      source,
      surface: 'write',
      callHost: async ({ argsJson }) => ({ ok: true, json: `{"echo":${argsJson}}` }),
      limits,
      signal: new AbortController().signal,
      principal,
    });
    const silence = new Promise<'unanswered'>(resolve => {
      timer = setTimeout(() => resolve('unanswered'), UNANSWERED_MS);
    });
    return Promise.race([outcome, silence]).finally(() => clearTimeout(timer));
  };
  const ends = new Map<string, number>();
  const until = performance.now() + seconds * 1_000;
  for (let batch = 0; performance.now() < until; batch++) {
    const sources = fc.sample(program, { numRuns: AT_ONCE, seed: seed + batch });
    const outcomes = await Promise.all(sources.map(run));
    outcomes.forEach((outcome, i) => {
      const program = `seed ${seed + batch}, program ${i}:\n${sources[i]}`;
      if (outcome === 'unanswered') expect.fail(`no answer: ${program}`);
      expect(() => expectWellFormed(outcome, limits), program).not.toThrow();
      const end = outcome.status === 'failed' ? (outcome.error.code ?? outcome.error.name) : outcome.status;
      expect(end, `${trouble.join('\n')}\n${program}`).not.toBe('engine_lost');
      ends.set(end.slice(0, 20), (ends.get(end.slice(0, 20)) ?? 0) + 1);
    });
    expect(await run('async () => [1 + 1, typeof a, (await api.request(1)).echo]')).toMatchObject({
      json: '[2,"undefined",1]',
    });
  }
  if (FUZZING) console.log(Object.fromEntries(ends));
  expect(ends.get('completed')).toBeGreaterThan(0);
  await engine.close();
});
